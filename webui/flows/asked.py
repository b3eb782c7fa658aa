"""What the editor's script asks and does: JSON, each change answered with the new picture."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from flask import Response, abort, jsonify, make_response, request, url_for
from flask_babel import gettext

from appliance.bus.client import Refused
from appliance.bus.messages.flows import (
    DiscardFlow,
    EditFlow,
    FlowReply,
    GetFlow,
    GetFlowKinds,
    PublishFlow,
    StepFlow,
    TryFlow,
    WriteFlow,
)
from webui.access.doors import need, needs, outcome
from webui.flows import shown
from webui.flows.pages import ACT_S, ASK_S, LONGEST_COMMENT, bp
from webui.flows.said import said_all
from webui.parts import parts

B = TypeVar("B")

MOST_KEYS, LONGEST_KEYS = 200, 64                 # of a trial: parts, and of one
MOST_STEPS = 1000


class Step(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    steps: int = 1


class Publish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    comment: str = ""
    base: int = 0
    sha256: str = ""


class Drop(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    take: bool = False


@bp.get("/data/<path:file>")
@needs("configure", whole=True)
def flow(file: str) -> Response:
    """A version by `number`; without one the draft, or the newest where there is none."""
    number = request.args.get("number", 0, int)
    if number:
        return _told(lambda: _ask(GetFlow(file=file, number=number)))
    try:
        return _answer(_ask(GetFlow(file=file, draft=True)))
    except Refused:
        return _told(lambda: _ask(GetFlow(file=file)))


@bp.post("/change/<path:file>")
@needs("commit", act="flow-changed", whole=True)
def change(file: str) -> Response:
    asked = _body(shown.Change)
    try:
        edits = shown.edits(asked, _ask(GetFlowKinds()).kinds, _text(file, asked))
    except Refused as error:
        return _wrong(said_all(str(error)), 409)
    except RecursionError:
        return _too_deep()
    except ValueError as error:
        return _wrong(str(error), 422)
    return _told(lambda: _ask(EditFlow(by=need("commit"), file=file, edits=edits, sha256=asked.sha256,
                                       take=asked.take)))


@bp.post("/text/<path:file>")
@needs("commit", act="flow-changed", whole=True)
def write(file: str) -> Response:
    asked = _body(shown.Written)
    return _told(lambda: _ask(WriteFlow(by=need("commit"), file=file, text=asked.text, sha256=asked.sha256,
                                        take=asked.take)))


@bp.post("/step/<path:file>")
@needs("commit", act="flow-changed", whole=True)
def step(file: str) -> Response:
    """Undo, or with less than 0 redo."""
    steps = _body(Step).steps
    if not 0 < abs(steps) <= MOST_STEPS:
        return _wrong("steps: from 1", 422)
    return _told(lambda: _ask(StepFlow(by=need("commit"), file=file, steps=steps)))


@bp.post("/drop/<path:file>")
@needs("commit", act="flow-discarded", whole=True)
def drop(file: str) -> Response:
    """The draft goes; the answer is what is published, or nothing when that was all there was."""
    asked = _body(Drop)

    try:
        _ask(DiscardFlow(by=need("commit"), file=file, take=asked.take))
    except Refused as error:
        outcome(str(error))
        return _wrong(said_all(str(error)), 409)
    try:
        return _answer(_ask(GetFlow(file=file)))
    except Refused:                               # nothing was ever published
        return jsonify({"gone": url_for("flows.index")})


@bp.post("/publish/<path:file>")
@needs("commit", act="flow-published", whole=True)
def publish(file: str) -> Response:
    asked = _body(Publish)

    def act() -> FlowReply:
        _ask(PublishFlow(by=need("commit"), file=file, comment=asked.comment[:LONGEST_COMMENT],
                         base=asked.base, sha256=asked.sha256), ACT_S)
        return _ask(GetFlow(file=file))           # type: ignore[no-any-return]
    return _told(act)


@bp.post("/try/<path:file>")
@needs("configure", by_hand=True, whole=True)
def attempt(file: str) -> Response:
    """As a caller: nothing is called, asked or kept, and so nothing is noted."""
    asked = _body(shown.Asked)
    if len(asked.keys) > MOST_KEYS or any(len(one) > LONGEST_KEYS for one in asked.keys):
        return _wrong(f"at most {MOST_KEYS} times keys, {LONGEST_KEYS} each", 422)
    try:
        at = datetime.fromisoformat(asked.at).timestamp() if asked.at else 0.0
    except (ValueError, OverflowError, OSError):
        return _wrong(gettext("%(said)s is no time: write it as 2026-09-28T14:30.", said=asked.at[:40]), 422)
    try:
        found = _ask(TryFlow(file=file, draft=asked.draft, keys=asked.keys, caller=asked.caller,
                             called=asked.called, at=at, answers=asked.answers))
    except Refused as error:
        return _wrong(said_all(str(error)), 409)
    return jsonify(shown.trial(found))


def _text(file: str, asked: shown.Change) -> str:
    """That a node is copied out of."""
    if not any(one.like for one in asked.edits):
        return ""
    try:
        return str(_ask(GetFlow(file=file, draft=True)).text)
    except Refused:
        return str(_ask(GetFlow(file=file)).text)


def _body(kind: type[B]) -> B:
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except msgspec.MsgspecError as error:
        abort(_wrong(str(error), 422))
    except RecursionError:
        abort(_too_deep())


def _told(act: Callable[[], FlowReply]) -> Response:
    try:
        return _answer(act())
    except Refused as error:
        outcome(str(error))
        return _wrong(said_all(str(error)), 409)


def _answer(reply: FlowReply) -> Response:
    kinds = {one.kind: one for one in _ask(GetFlowKinds()).kinds}
    found: Any = shown.flow(reply, need("configure"), kinds)
    response = make_response(msgspec.json.encode(found))
    response.mimetype = "application/json"
    return response


def _too_deep() -> Response:
    return _wrong(gettext("Nested too deep: write it flatter."), 422)


def _wrong(text: str, status: int) -> Response:
    response = jsonify({"wrong": text})
    response.status_code = status
    return response


def _ask(asked: Any, timeout_s: float = ASK_S) -> Any:
    return parts().exchange.ask(asked, timeout_s)
