"""Tests of a line: begun, followed, steered and read on pages. They are boxd's: a page may go at any time."""

import time
from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BeginLineTest,
    GetLineTest,
    GetLineTests,
    LineTest,
    LineTestOrder,
    LineTestReply,
    SteerLineTest,
)
from appliance.bus.messages.line_tests import KINDS, LOOPS, PATTERNS
from webui.access import doors
from webui.access.doors import Subject, need, needs
from webui.doing import do
from webui.lines import outcome
from webui.live import stream
from webui.mirror import Floor
from webui.parts import LANGUAGES, parts
from webui.rendered import Fragment

bp = Blueprint("line_tests", __name__, url_prefix="/lines")

FOLDER = "line-tests"                             # boxd's, in the state folder
DURATIONS_S = {"bert": (60, 300, 900, 3600, 14400, 86400), "loop": (300, 900, 3600, 14400),
               "verdict": (10, 5, 30, 60)}


@bp.get("/<span>/tests/")
@needs("line")
def index(span: str) -> str:
    """What hinders a test, the forms that begin one, and those of before."""
    _known(span)
    return _page(span)


def _page(span: str, refused: str = "") -> str:
    floor = doors.floor()
    return render_template(
        "lines/tests.html", span=span, refused=refused, patterns=PATTERNS, loops=LOOPS, asked=request.form,
        durations_s=DURATIONS_S, fragments=[_hinders(floor, span)[1], _list(span)[1]])


@bp.get("/<span>/tests/events")
@needs("line")
def events(span: str) -> Response:
    """The same, live."""
    _known(span)
    listed: tuple[LineTest | None, Fragment] | None = None

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal listed
        test = floor.tests.get(span)
        if listed is None or _sort(listed[0]) != _sort(test):
            listed = test, _list(span)
        yield _hinders(floor, span)
        yield listed[1]
    return stream(fragments)


def _sort(test: LineTest | None) -> tuple[str, str]:
    """What the list shows of it."""
    return (test.test, test.state) if test else ("", "")


@bp.post("/<span>/tests/")
@needs("test", act="line_test", by_hand=True)
def begin(span: str) -> AnyResponse | tuple[str, int]:
    """Borrow the line and begin; refused with the reason on the page."""
    _known(span)
    by = need("test", of=Subject(trunk=_trunk(span)))
    order = _order()
    begun: list[LineTestReply] = []
    refused = do("line_test", by, BeginLineTest(span=span, order=order, by=by), what=f"{span} {order.kind}",
                 took=begun.append, must=True)
    if refused:
        return _page(span, refused), 409
    return redirect(url_for(".show", span=span, test=begun[0].test.test), 303)


def _order() -> LineTestOrder:
    """400: it is no form of these pages."""
    form = request.form
    kind = form.get("kind", "")
    if kind not in KINDS:
        abort(400)
    try:
        return LineTestOrder(
            kind=kind, for_s=float(form["for_s"]), pattern=form.get("pattern", PATTERNS[0]),
            timeslots=form.get("timeslots", "").strip() or "1-31", inject=int(form.get("inject") or 0),
            itself=form.get("itself") == "1", loop=form.get("loop", LOOPS[0]),
            plugs=form.get("plugs") == "1", site=" ".join(form.get("site", "").split()))
    except (KeyError, ValueError):
        abort(400)


@bp.get("/<span>/tests/<test>")
@needs("line")
def show(span: str, test: str) -> str:
    """One test: how far it is, or what it found."""
    _known(span)
    return render_template(
        "lines/test.html", span=span, test=test, fragment=_result(_reply(span, test))[1])


@bp.get("/<span>/tests/<test>/events")
@needs("line")
def follow(span: str, test: str) -> Response:
    """The same, live until it has ended."""
    _known(span)
    reply = _reply(span, test)

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal reply
        now = floor.tests.get(span)
        if reply.test.state != "ended" and now is not None and now.test == test:
            reply = _reply(span, test) if now.state == "ended" else LineTestReply(test=now, facts={})
        yield _result(reply)
    return stream(fragments)


@bp.post("/<span>/tests/<test>")
@needs("test", act="line_test_steered", by_hand=True)
def steer(span: str, test: str) -> AnyResponse:
    """done, skip or stop. 409: it has ended, or nothing is asked."""
    _known(span)
    by = need("test", of=Subject(trunk=_trunk(span)))
    word = request.form.get("word", "")
    if word not in ("done", "skip", "stop"):
        abort(400)
    asked = SteerLineTest(test=_reply(span, test).test.test, word=word)
    if refused := do("line_test_steered", by, asked, what=f"{span} {word}", must=True):
        abort(409, refused)
    return redirect(url_for(".show", span=span, test=test), 303)


@bp.get("/<span>/tests/<test>/<any(zh, en):language>.pdf")
@needs("line")
def paper(span: str, test: str, language: str) -> Response:
    """A verdict's report, as the telephone company takes it."""
    _known(span)
    told = _reply(span, test).test.papers.get(language)
    path = Path(told) if told else None
    if path is None or path.parent != parts().settings.state / FOLDER or not path.is_file():
        abort(404)
    return send_file(path, mimetype="application/pdf", as_attachment=True,
                     download_name=f"{span}-{time.strftime('%Y%m%d-%H%M', time.localtime(_began(test)))}"
                                   f"-{language}.pdf")


def _began(test: str) -> float:
    return float(test.partition("-")[0])


def _reply(span: str, test: str) -> LineTestReply:
    """404: there is none, or of another span."""
    try:
        reply = parts().exchange.ask(GetLineTest(test=test))
    except Refused:
        abort(404)
    if reply.test.span != span:
        abort(404)
    return reply


def _known(span: str) -> None:
    floor = doors.floor()
    if span not in floor.span_names():
        abort(404)
    need("line", of=Subject(trunk=_trunk(span)))


def _trunk(span: str) -> str:
    states = doors.floor().channels.get(span)
    return states.trunk if states else ""


def _hinders(floor: Floor, span: str) -> Fragment:
    return parts().rendered("lines/hinders.html", "hinders", outcome.hindrance(floor, span))


def _list(span: str) -> Fragment:
    try:
        tests: list[LineTest] | None = parts().exchange.ask(GetLineTests(span=span)).tests
    except BusError:
        tests = None
    return "past", render_template("lines/past.html", name="past", span=span, tests=tests)


def _result(reply: LineTestReply) -> Fragment:
    return "test", render_template(
        "lines/result.html", name="test", test=reply.test, view=outcome.result(reply), languages=LANGUAGES)
