"""The pages of the first run: a step each, live where something comes in, and its acts."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import segno
from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from flask_login import current_user
from msgspec.structs import replace
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError
from appliance.bus.messages import (
    BeginLineTest,
    ChangeDocument,
    ConfirmDocument,
    KeySet,
    LineTestOrder,
    PlaceTestCall,
    RevertDocument,
    SteerLineTest,
)
from webui import box_settings
from webui.access import doors
from webui.access.doors import need, needs, noted, outcome
from webui.certificate import Certificate
from webui.doing import do
from webui.first import asking, settings, steps, words
from webui.first.calls import CallView, called_lately, newest
from webui.first.kept import CalledOut, CameIn, FirstRun
from webui.first.lines import findings, line_view, proposed
from webui.first.said import said
from webui.live import stream
from webui.mirror import Floor
from webui.parts import LANGUAGE_COOKIE, LANGUAGES, YEAR_S, parts
from webui.rendered import Fragment

bp = Blueprint("first", __name__, url_prefix="/first")
bp.add_app_template_filter(said, "of_first")

EXTENSION = "first_run"
CONFIRM_S = 180.0                                 # a wrong change of the lines undoes itself then
DETECT_S = 15.0                                   # more than e1_driver.testing.detection needs
LOOK_S = 1.0                                      # how old a call on an open page may get
CALL_S = 70.0                                     # ringing, hearing and what the daemons take
HOLD_S = 5.0                                      # whoever answers hears the box for so long
SAYS = ("dtmf:13579", "silence:600")              # what the box plays to who answers
LONGEST_NUMBER = 32


@dataclass(frozen=True, slots=True)
class First:
    """What the pages stand on; create_app() makes it."""

    kept: FirstRun
    box: asking.Box


def run() -> FirstRun:
    return _first().kept


def _first() -> First:
    return cast(First, current_app.extensions[EXTENSION])


def _box() -> asking.Box:
    return _first().box


def is_open() -> bool:
    """Whether the top of every page leads back here: for who may go on with it."""
    return (run().told.open and request.blueprint != "first"
            and all(doors.may(current_user, right) for right in ("commit", "box")))


def begin_if_new(by: str) -> str:
    """Where the first administrator goes: here when the box was never set up; else "", and nothing began."""
    if not _box().never_set_up():
        return ""
    try:
        run().begin(time.time(), by)
        if (chosen := request.cookies.get(LANGUAGE_COOKIE, "")) in LANGUAGES:      # before there was anybody
            parts().users.set_language(by, chosen)
            run().passed(steps.LANGUAGE, "agreed")
    except OSError as error:
        current_app.logger.error("first run: %s: it does not begin by itself", error)
        return ""
    return url_for("first.index")


@bp.get("/")
@needs("commit", "box", whole=True)
def index() -> AnyResponse:
    """The step that is next."""
    if not run().told.began_at:
        run().begin(time.time(), current_user.name)
    return redirect(url_for("first.show", step=steps.current(_standings())), 303)


@bp.get("/<any(language, network, time, lines, numbers, people, call, done):step>")
@needs("commit", "box", whole=True)
def show(step: str) -> str:
    return page(step)


def page(step: str, refused: str = "") -> str:
    """`refused`: why what its form asked for was not done."""
    told, now_seen = run().told, _box().seen()
    all_of_them = steps.standings(now_seen, told)
    return render_template(
        f"first/{step}.html", step=step, standings=all_of_them, titles=words.STEPS, told=told, seen=now_seen,
        refused="\n".join(said(line) for line in refused.splitlines()),
        following=steps.after(step), preceding=steps.before(step), languages=LANGUAGES,
        **_of_step(step, all_of_them, refused))


@bp.errorhandler(OSError)
def _unkept(error: OSError) -> Any:
    """The disk takes nothing down; what the box itself was told before that is done."""
    current_app.logger.error("first run: %s", error)
    named = (request.view_args or {}).get("step") or str(request.endpoint).rpartition(".")[2]
    step = named if named in steps.PAGES else steps.current(_standings())
    return page(step, gettext(
        "How far the first run is cannot be written down: %(why)s. Make room on the disk, and try again.",
        why=error.strerror or str(error))), 503


def _of_step(step: str, all_of_them: list[steps.Standing], refused: str) -> dict[str, Any]:
    floor = doors.floor()
    match step:
        case steps.NETWORK | steps.TIME:
            found = _box().provision()
            return {"provision": found, "here": request.host, "clock": floor.time_of_day, "now": time.time(),
                    "zone": asking.zone(), "fragments": [box_settings.trial(found, step)[1]],
                    "reason": gettext("First run: %(step)s", step=str(words.STEPS[step])),
                    **box_settings.fields(found, request.form if refused else {})}
        case steps.LINES:
            document = _box().document()
            return {"spans": settings.spans(document), "fragments": list(_line_fragments(floor)),
                    "choices": settings, "confirm_s": CONFIRM_S}
        case steps.NUMBERS:
            head, document = _box().newest()
            there = settings.rows(document, "centre", "inbound")
            return {"rows": there, "new": settings.NEW_ROWS, "head": head,
                    "asked": settings.carried(request.form, head, len(there)),
                    "choices": settings.choices(document, _box().flows()), "lately": _lately()[1],
                    "outbound": settings.rows(document, "centre", "outbound"),
                    "take": (request.args.get("trunk", ""), request.args.get("called", "")[:LONGEST_NUMBER])}
        case steps.PEOPLE:
            head, document = _box().newest()
            there = settings.rows(document, "centre", "agents")
            return {"rows": there, "new": settings.NEW_ROWS, "head": head,
                    "asked": settings.carried(request.form, head, len(there)),
                    "choices": settings.choices(document, ()),
                    "queues": settings.rows(document, "centre", "queues")}
        case steps.CALL:
            document = _box().document()
            return {"asked": request.form, "fragments": list(_call_fragments()),
                    "choices": settings.choices(document, ()),
                    "rows": settings.rows(document, "centre", "inbound")}
        case steps.DONE:
            return {"left": [one for one in all_of_them if one.state != "done" and one.step != steps.DONE]}
    return {}


# --- live


@bp.get("/<any(network, lines, numbers, call):step>/events")
@needs("commit", "box", whole=True)
def events(step: str) -> Response:
    """What changes on the page of a step; the calls once a second, as nobody says all of them."""
    if step == steps.LINES:
        return stream(_line_fragments)
    if step == steps.NETWORK:
        return stream(lambda floor: [box_settings.trial(_box().provision(), step)],
                      turn_s=box_settings.LOOK_S)
    looked: tuple[float, list[Fragment]] = (0.0, [])

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal looked
        if time.monotonic() - looked[0] >= LOOK_S / 2:
            found = list(_call_fragments()) if step == steps.CALL else [_lately()]
            looked = time.monotonic(), found
        yield from looked[1]
    return stream(fragments, turn_s=LOOK_S)


def _line_fragments(floor: Floor) -> Iterator[Fragment]:
    """How each line is; what its detection found with its form, which is another one only when that is."""
    waits = floor.document.waiting if floor.document else 0
    found = settings.spans(_box().document())
    for span in found:
        view = line_view(floor, span.name)
        yield parts().rendered("first/line_state.html", f"state-{span.name}", (view, waits))
        reply = _box().detection(span.name)
        yield parts().rendered("first/line_form.html", f"form-{span.name}", (
            span, proposed(span, findings(reply)), findings(reply), reply.test if reply else None,
            view.going is not None))
    links = [line_view(floor, one.name).link for one in found]
    yield parts().rendered("first/line_next.html", "line-next", (
        waits, floor.document.until if floor.document and waits else 0.0, bool(links) and all(links)))


def _lately() -> Fragment:
    """Numbers that were called and that the box does not know."""
    document = _box().document()
    offered = settings.choices(document, ())
    known = [(str(one.get("trunk")), str(one.get("called")))
             for one in settings.rows(document, "centre", "inbound")]
    table = _box().calls()
    return parts().rendered("first/lately.html", "lately", tuple(
        called_lately(table, offered.lines or offered.trunks, known)) if table else ())


def _call_fragments() -> Iterator[Fragment]:
    first = run()
    offered = settings.choices(_box().document(), ())
    table = _box().calls()
    call = newest(table, offered.lines or offered.trunks, first.told.began_at) if table else None
    view = CallView(call, _box().explained(call)) if call else None
    if view is not None and view.answered:
        try:
            first.came_in(CameIn(at=view.call.began_at, trunk=view.call.trunk, called=view.call.called,
                                 calling=view.call.calling))
        except OSError as error:
            current_app.logger.error("first run: %s: the call that came is not kept", error)
    yield parts().rendered("first/call_in.html", "call-in", (view, first.told.came_in))
    yield parts().rendered("first/call_out.html", "call-out", (first.calling, first.told.called_out))


# --- acts


@bp.post("/language")
@needs("commit", "box", act="first-run", whole=True)
def language() -> AnyResponse:
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    parts().users.set_language(current_user.name, chosen)
    run().passed(steps.LANGUAGE, "agreed")
    response = redirect(url_for("first.index"), 303)
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_S, httponly=True, samesite="Lax",
                        secure=parts().settings.secure_cookies)
    return response


@bp.post("/<any(network, time, lines, numbers, people, call):step>/pass")
@needs("commit", "box", act="first-run", whole=True)
def pass_by(step: str) -> AnyResponse:
    """Agreed to as it is, left out, or neither any more."""
    how = request.form.get("how", "")
    if how not in ("agreed", "skipped", ""):
        abort(400)
    run().passed(step, how)
    return redirect(url_for("first.show", step=steps.after(step) if how else step), 303)


@bp.post("/lines/detect")
@needs("commit", "box", act="line_test", by_hand=True, whole=True)
def detect() -> Any:
    """One line; or of all as many as boxd takes at once, those first that were never detected."""
    by = need("commit")
    names = [one.name for one in settings.spans(_box().document())]
    wanted = request.form.getlist("span") or sorted(
        names, key=lambda name: _box().detection(name) is not None)
    if not set(wanted) <= set(names):
        abort(404)
    order, refused = LineTestOrder(kind="detect", for_s=DETECT_S), ""
    for place, name in enumerate(wanted):
        asked = BeginLineTest(span=name, order=order, by=by)
        refused = do("line_test", by, asked, what=f"{name} detect", must=True)
        if refused and place == 0:
            return page(steps.LINES, refused), 409
        if refused:                               # the others are begun when these have ended
            break
    return redirect(url_for("first.show", step=steps.LINES), 303)


@bp.post("/lines/stop")
@needs("commit", "box", act="line_test_steered", by_hand=True, whole=True)
def stop() -> Any:
    by, name = need("commit"), request.form.get("span", "")
    going = line_view(doors.floor(), name).going
    if going is None:
        abort(404)
    if refused := do("line_test_steered", by, SteerLineTest(test=going.test, word="stop"), f"{name} stop",
                     must=True):
        return page(steps.LINES, refused), 409
    return redirect(url_for("first.show", step=steps.LINES), 303)


@bp.post("/lines")
@needs("commit", "box", act="first-lines", by_hand=True, whole=True)
def lines() -> Any:
    """In force at once, and as before after CONFIRM_S unless somebody keeps it."""
    document = _box().document()
    try:
        sets = settings.span_sets(settings.spans(document), request.form)
    except ValueError:
        abort(400)
    return _change(steps.LINES, "first-lines", sets, confirm_within_s=CONFIRM_S, stay=True)


@bp.post("/lines/keep")
@needs("commit", "box", act="configuration-confirmed", by_hand=True, whole=True)
def keep() -> Any:
    """What waits to be confirmed stays."""
    return _decide(ConfirmDocument(by=need("commit"), number=_waiting()), steps.after(steps.LINES))


@bp.post("/lines/back")
@needs("commit", "box", act="configuration-reverted", by_hand=True, whole=True)
def back() -> Any:
    return _decide(RevertDocument(by=need("commit"), number=_waiting()), steps.LINES)


def _waiting() -> int:
    document = doors.floor().document
    return document.waiting if document else 0


def _decide(asked: ConfirmDocument | RevertDocument, then: str) -> Any:
    confirms = isinstance(asked, ConfirmDocument)
    act = "configuration-confirmed" if confirms else "configuration-reverted"
    if refused := do(act, asked.by, asked, f"version {asked.number}", must=True):
        return page(steps.LINES, refused), 409
    return redirect(url_for("first.show", step=then), 303)


@bp.post("/numbers")
@needs("commit", "box", act="first-numbers", by_hand=True, whole=True)
def numbers() -> Any:
    return _from_form(steps.NUMBERS, "first-numbers", settings.number_sets)


@bp.post("/people")
@needs("commit", "box", act="first-people", by_hand=True, whole=True)
def people() -> Any:
    return _from_form(steps.PEOPLE, "first-people", settings.people_sets)


def _from_form(step: str, act: str, read: Any) -> Any:
    """Rows are known by their places: the form has to be of the document that there is."""
    head, document = _box().newest()
    if not document:
        return page(step, gettext("boxd, which knows it, cannot be reached at this moment.")), 503
    if request.form.get("head", -1, int) != head:
        return page(step, gettext("Meanwhile there is version %(number)d of the configuration: look again "
                                   "at what it says now.", number=head)), 409
    try:
        sets = read(document, request.form)
    except ValueError as error:
        return page(step, str(error)), 409
    return _change(step, act, sets, head=head)


def _change(step: str, act: str, sets: list[KeySet], confirm_within_s: float = 0.0,
            stay: bool = False, head: int = 0) -> Any:
    """Nothing to change is agreed to as it is. `head`: the version that was looked at, 0 any."""
    by = need("commit")
    if sets:
        comment = gettext("First run: %(step)s", step=str(words.STEPS[step]))
        asked = ChangeDocument(by=by, sets=sets, comment=comment, head=head,
                               confirm_within_s=confirm_within_s)
        if refused := do(act, by, asked, ", ".join(one.key for one in sets)[:500], must=True):
            return page(step, refused), 409
    if step != steps.LINES:
        run().passed(step, "agreed")
    return redirect(url_for("first.show", step=step if stay else steps.after(step)), 303)


@bp.post("/call")
@needs("commit", "box", act="test_call", by_hand=True, whole=True)
def place_call() -> Any:
    """The box calls a number; the page follows what comes of it."""
    trunk = request.form.get("trunk", "")[:settings.LONGEST]
    number = request.form.get("number", "").strip()[:LONGEST_NUMBER]
    with noted("test_call", f"{trunk} {number}"):
        if trunk not in settings.choices(_box().document(), ()).trunks or not number:
            outcome("refused (422)")
            return page(steps.CALL, gettext("Choose a trunk that there is, and write a number.")), 422
        if not _call(trunk, number):
            outcome("refused (409)")
            return page(steps.CALL, gettext("A test call goes on: wait until it is over.")), 409
    return redirect(url_for("first.show", step=steps.CALL), 303)


def _call(trunk: str, number: str) -> bool:
    """A thread waits for what comes of it. False: another call goes on."""
    first, exchange = run(), parts().exchange
    call, logger = CalledOut(at=time.time(), trunk=trunk, number=number), current_app.logger
    if not first.calls(call):
        return False

    def wait() -> None:
        asked = PlaceTestCall(trunk=trunk, number=number, play=list(SAYS), hold_s=HOLD_S)
        try:
            told = exchange.ask(asked, CALL_S)
            done = replace(call, error=told.error, cause=told.cause, answer_s=told.answer_s,
                           level_dbm0=told.level_dbm0)
        except BusError as error:
            done = replace(call, error=str(error))
        try:
            first.called_out(done)
        except OSError as error:
            logger.error("first run: %s: what came of the test call is not kept", error)
    threading.Thread(target=wait, name="test call", daemon=True).start()
    return True


@bp.post("/done")
@needs("commit", "box", act="first-run", whole=True)
def finish() -> AnyResponse:
    """The top of the pages leads here no more; whoever wants begins it again."""
    run().end(time.time())
    return redirect(url_for("first.summary"), 303)


@bp.post("/again")
@needs("commit", "box", act="first-run", whole=True)
def again() -> AnyResponse:
    run().begin(time.time(), current_user.name)
    return redirect(url_for("first.index"), 303)


@bp.get("/summary")
@needs("commit", "box", whole=True)
def summary() -> str:
    """To be printed: what the box is, what it was told, what is left to do. Nothing secret is on it."""
    told, floor, document = run().told, doors.floor(), _box().document()
    found = settings.spans(document)
    return render_template(
        "first/summary.html", told=told, standings=_standings(), titles=words.STEPS, spans=found,
        profile=words.profile, name=socket.gethostname(),
        views={span.name: line_view(floor, span.name) for span in found},
        inbound=settings.rows(document, "centre", "inbound"),
        outbound=settings.rows(document, "centre", "outbound"),
        agents=settings.rows(document, "centre", "agents"),
        queues=settings.rows(document, "centre", "queues"), version=floor.document.head
        if floor.document else None, certificate=_certificate(),
        provision=_box().provision(), release=asking.release(parts().settings.release),
        address=request.host_url, now=time.time())


def _certificate() -> Certificate | None:
    certificates = parts().settings.certificates
    try:
        return certificates.shown() if certificates else None
    except (OSError, ValueError):
        return None


@bp.get("/address.svg")
@needs("commit", "box", whole=True)
def address() -> Response:
    """The address that the browser came by, for a telephone's camera."""
    picture = io.BytesIO()
    segno.make(request.host_url, error="m", micro=False).save(
        picture, kind="svg", border=4, scale=4, dark="#000", light="#fff", svgclass=None, lineclass=None)
    response = make_response(picture.getvalue())
    response.mimetype = "image/svg+xml"
    return response


def _standings() -> list[steps.Standing]:
    return steps.standings(_box().seen(), run().told)
