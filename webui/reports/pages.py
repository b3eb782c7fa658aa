"""The pages of reports: the table with its chart, what a figure is made of, and the files of both."""

import time
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.bus.client import Refused
from appliance.bus.messages import GetFigureCounts, GetFigures
from webui.access.doors import needs, noted
from webui.parts import parts
from webui.reports import charts, exports, ranges, shown, tables, words
from webui.reports.choice import (
    KINDS,
    LONGEST_DAYS,
    LONGEST_NAME,
    ON_THE_BUS,
    PERIODS,
    QUARTER_S,
    SETS,
    STEPS_S,
    Choice,
    Times,
    read,
    times,
)

bp = Blueprint("reports", __name__, url_prefix="/reports")

ANSWER_S = 30.0                                   # a year of all figures takes its time
LISTED = 100                                      # contacts of one page
MOST_LISTED = 50_000                              # counts that acdd is asked to look through for a list
LAST_PAGE = 100_000
CHARTS = 6                                        # of names, on one page


@bp.get("/")
@needs("report")
def index() -> Any:
    try:
        choice = read(request.args, request.args.getlist("name"))
    except ValueError as error:
        return _page(Choice(), None, str(error)), 422
    try:
        return _page(choice, make(choice, time.time()))
    except (ValueError, Refused) as error:
        return _page(choice, None, str(error)), 422


@bp.get("/report.<any(csv, xlsx, pdf):form>")
@needs("report", act="report", by_hand=True)
def download(form: str) -> Any:
    """The whole choice as a file; the log has which."""
    try:
        choice = read(request.args, request.args.getlist("name"))
        report = make(choice, time.time())
    except (ValueError, Refused) as error:
        return _page(Choice(), None, str(error)), 422
    with noted("report", f"{form} {choice.query()}"):
        return send(exports.FORMS[form](report), exports.file_name(report, form), form)


@bp.get("/behind")
@needs("report")
def behind() -> str:
    """What one figure is made of, one by one; of very many: by days first."""
    kind, name, figure = (request.args.get(key, "") for key in ("kind", "name", "figure"))
    since, until = (request.args.get(key, 0, type=int) for key in ("since", "until"))
    part, page = request.args.get("part", "top"), request.args.get("page", 1, type=int)
    if kind not in KINDS or part not in ("top", "bottom") or not 1 <= page <= LAST_PAGE \
            or len(name) > LONGEST_NAME or len(figure) > LONGEST_NAME or since % QUARTER_S \
            or until % QUARTER_S or not 0 < since < until <= since + (LONGEST_DAYS + 2) * 86400:
        abort(404)
    ranges.check(kind, [name])
    ask, of = parts().exchange.ask, ON_THE_BUS[kind]
    try:
        whole = ask(GetFigures(of=of, since=since, until=until, names=[name], figures=[figure]), ANSWER_S)
        definition = whole.definitions[0]
        if not whole.rows:
            return _behind(kind, name, definition, None, since, until, part, page, None, [])
        found, pieces = None, []
        if sum(one.count for one in whole.rows[0].sums) > MOST_LISTED and until - since > 3600:
            pieces = _pieces(kind, name, figure, since, until)
        else:
            found = ask(GetFigureCounts(of=of, name=name, figure=figure, since=since, until=until,
                                        offset=(page - 1) * LISTED, limit=LISTED), ANSWER_S)
    except Refused:
        abort(404)
    return _behind(kind, name, definition, whole.rows[0].values[0], since, until, part, page, found, pieces)


def make(choice: Choice, now: float) -> tables.Report:
    """ValueError, Refused: with a sentence. Ends in 404 for a name outside of the range."""
    ranges.check(choice.kind, choice.names)
    return tables.make(choice, times(choice, now), lambda asked: parts().exchange.ask(asked, ANSWER_S),
                       ranges.only(choice.kind))


def send(octets: bytes, name: str, form: str) -> Response:
    """A file for the browser to keep."""
    response = Response(octets, mimetype=exports.MEDIA[form])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _page(choice: Choice, report: tables.Report | None, wrong: str = "") -> str:
    page = request.args.get("page", 1, type=int)
    known = set(ranges.known(choice.kind)) | set(choice.names)
    drawn, pages, most = [], 1, 0
    if report is not None and choice.by_time:
        place = report.place(choice.chart)
        most = max((len(shown.told(section)) for section in report.sections), default=0)
        pages = max(1, -(-most // shown.page_of(report)))
        drawn = [_drawn(report, section, place) for section in report.sections[:CHARTS]]
    if report is not None and not choice.by_time:
        known |= {line.name for section in report.sections for line in section.lines}
    return render_template(
        "reports/index.html", choice=choice, report=report, wrong=wrong, names=sorted(known), drawn=drawn,
        page=min(max(page, 1), pages), pages=pages, kinds=KINDS, periods=PERIODS, intervals=tuple(STEPS_S),
        sets=tuple(SETS[choice.kind]), chosen=words.chosen, shown=shown, box=charts,
        words_title=words.title, words_shown=words.shown,
        heads=shown.heads(report.definitions) if report else [], behind="behind")


def _drawn(report: tables.Report, section: tables.Section, place: int) -> tuple[Any, Any, Any]:
    """The chart, the peaks and the place of its figure."""
    definition = report.definitions[place]
    peaks = tables.peaks(section, place, definition, report.times)
    mean = peaks[-1].mean if peaks else None
    return charts.draw(section, place, definition, report.times, mean), peaks, definition


def _pieces(kind: str, name: str, figure: str, since: int, until: int) -> list[Any]:
    """By days, or by hours of one day: a list of each is short enough."""
    long = Times(since, until, 7, None)
    return [row for one in long.asks("day" if until - since > 90_000 else "hour")
            for row in parts().exchange.ask(
                GetFigures(of=ON_THE_BUS[kind], since=one.since, until=one.until, names=[name],
                           figures=[figure], interval_s=one.interval_s), ANSWER_S).rows]


def _behind(kind: str, name: str, definition: Any, value: Any, since: int, until: int, part: str, page: int,
            found: Any, pieces: list[Any]) -> str:
    total = 0 if found is None else found.tops if part == "top" else found.bottoms
    return render_template(
        "reports/behind.html", kind=kind, name=name, definition=definition, value=value, since=since,
        until=until, part=part, page=page, pages=max(1, -(-total // LISTED)), found=found, pieces=pieces,
        words=words, when=shown.when(Times(since, until, 7, None)),
        counts=[] if found is None else found.top if part == "top" else found.bottom,
        title=gettext("What %(figure)s is made of", figure=words.title(definition)))
