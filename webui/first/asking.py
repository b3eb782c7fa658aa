"""What the first run asks of the box. Who does not answer is as one who knows nothing: the pages say so."""

import os
import threading
from pathlib import Path
from typing import Any

import yaml

from appliance.bus.client import BusError
from appliance.bus.messages import (
    CallInfo,
    CallTable,
    ExplainRoute,
    GetCalls,
    GetDocument,
    GetLineTest,
    GetLineTests,
    GetProvision,
    LineTestReply,
    ProvisionReply,
    RouteExplained,
)
from appliance.bus.messages.flows import GetFlows
from webui import box_views
from webui.exchange import Exchange
from webui.first import settings
from webui.first.steps import Seen

PROVISION_S = 10.0                                # root's first answer after a start takes a while
ZONES = Path("/usr/share/zoneinfo")
LOCALTIME = Path("/etc/localtime")


class Box:
    """One for all pages. What does not change by itself is asked for once."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._lock = exchange, threading.Lock()
        self._newest: tuple[tuple[int, str], dict[str, Any]] | None = None
        self._detected: dict[str, tuple[str, LineTestReply | None]] = {}

    def never_set_up(self) -> bool:
        """An installed box that nobody has configured, or any that has no D-channel up."""
        floor = self._exchange.mirror.floor
        head = floor.document.head if floor.document else None
        if head is not None and head.number > 1:
            return False
        if self.provision() is not None:
            return True
        links = [states.link_up for states in floor.channels.values()]
        return bool(links) and not any(links)

    def provision(self) -> ProvisionReply | None:
        """None: this machine is no installed box, or boxd does not answer."""
        try:
            return self._exchange.ask(GetProvision(), PROVISION_S)
        except BusError:
            return None

    def seen(self) -> Seen:
        floor, found, told = self._exchange.mirror.floor, self.document(), self.provision()
        clock = floor.time_of_day
        names = [span.name for span in settings.spans(found)]
        return Seen(
            network=None if told is None else told.provisioned and not told.trial_left_s,
            clock=None if told is None or clock is None else clock.source in ("ntp", "ptp"),
            links={name: bool(floor.channels.get(name) and floor.channels[name].link_up) for name in names},
            waits=bool(floor.document and floor.document.waiting),
            numbers=len(settings.rows(found, "centre", "inbound"))
            + len(settings.rows(found, "centre", "entry")),
            people=len(settings.rows(found, "centre", "agents")))

    def document(self) -> dict[str, Any]:
        """Of the newest version. {}: nobody tells it, or it is no document."""
        return self.newest()[1]

    def newest(self) -> tuple[int, dict[str, Any]]:
        """document() and its version's number; 0: it has none."""
        newest = self._exchange.mirror.floor.document
        of = (newest.head.number, newest.head.sha256) if newest and newest.head else None
        with self._lock:
            if of is not None and self._newest is not None and self._newest[0] == of:
                return self._newest[0][0], self._newest[1]
        try:
            reply = self._exchange.ask(GetDocument())
            found = yaml.load(reply.text, yaml.CSafeLoader)
        except (BusError, yaml.YAMLError, ValueError):
            return 0, {}
        if not isinstance(found, dict):
            return 0, {}
        if reply.version is not None:
            with self._lock:
                self._newest = (reply.version.number, reply.version.sha256), found
        return reply.version.number if reply.version is not None else 0, found

    def detection(self, span: str) -> LineTestReply | None:
        """The newest one of a span that has ended; None: there is none."""
        last = self._exchange.mirror.floor.tests.get(span)
        of = last.test if last is not None and last.state == "ended" else ""
        with self._lock:
            kept = self._detected.get(span)
        if kept is not None and kept[0] == of:
            return kept[1]
        try:
            tests = self._exchange.ask(GetLineTests(span=span)).tests
            found = next((one for one in tests if one.order.kind == "detect" and one.state == "ended"), None)
            reply = self._exchange.ask(GetLineTest(test=found.test)) if found is not None else None
        except BusError:
            return None
        with self._lock:
            self._detected[span] = of, reply
        return reply

    def calls(self) -> CallTable | None:
        try:
            return self._exchange.ask(GetCalls())
        except BusError:
            return None

    def explained(self, call: CallInfo) -> RouteExplained | None:
        """What the box's own rules make of such a call now."""
        try:
            return self._exchange.ask(ExplainRoute(
                trunk=call.trunk, called=call.called, calling=call.calling, withheld=bool(call.withheld)))
        except BusError:
            return None

    def flows(self) -> list[str]:
        """Files of flows that the box has."""
        try:
            return [one.file for one in self._exchange.ask(GetFlows()).flows]
        except BusError:
            return []


def zone() -> str:
    """Of this machine, as IANA names it; "": it has a rule of its own."""
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    try:
        return str(LOCALTIME.resolve().relative_to(ZONES))
    except (OSError, ValueError):
        return ""


def release(path: Path) -> dict[str, str]:
    """What an image says of itself; {}: this is none."""
    try:
        return box_views.release(path.read_text())
    except OSError:
        return {}
