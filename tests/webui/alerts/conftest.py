"""The pages on a supervisor's floor, with what judges the rules, and its time in the test's hands."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from appliance.bus.client import BusError
from appliance.bus.messages import CalendarInfo, CalendarList, GetCalendars
from tests.webui.alerts.receiver import Receiver, receiving
from tests.webui.conftest import FakeExchange
from tests.webui.floor.facts import FloorBranch, floor_branch
from webui.access.ranges import UNLIMITED
from webui.alerts.pages import made
from webui.alerts.rules import Rule
from webui.alerts.store import Alerts
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching
from webui.notices.store import Notices

Adding = Callable[..., int]


@pytest.fixture
def branch() -> FloorBranch:
    return floor_branch()


@pytest.fixture
def alerts(app: Flask) -> Alerts:
    found: Alerts = app.extensions["branchline"].alerts
    return found


@pytest.fixture
def notices(app: Flask) -> Notices:
    found: Notices = app.extensions["branchline"].notices
    return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def watching(app: Flask, visitor: object) -> tuple[Watching, Telling]:
    return made(app)


@pytest.fixture
def add(alerts: Alerts) -> Adding:
    """A rule of the administrator's: somebody waits in sales."""
    def added(by: str = "admin", **changed: Any) -> int:
        rule: dict[str, Any] = {"name": "Too many", "what": "waiting", "which": ("sales",), "threshold": 0.0,
                                "hold_s": 30.0,
                "clear_s": 10.0, "tell_people": ("admin",)} | changed
        return alerts.add(Rule(**rule), by, "en", changed.pop("within", UNLIMITED), time.time())
    return added


class Office:
    """acdd's calendar `office`, by the test's hand; `away`: it does not answer."""

    def __init__(self, exchange: FakeExchange) -> None:
        self.open, self.until, self.away, self.asked = True, None, False, 0
        self.calendars: list[str] = ["office"]
        self._others = exchange.ask
        exchange.ask = self.ask                   # type: ignore[method-assign]

    until: float | None

    def ask(self, request: Any, timeout_s: float = 2.0) -> Any:
        if not isinstance(request, GetCalendars):
            return self._others(request, timeout_s)
        self.asked += 1
        if self.away:
            raise BusError("acdd did not answer")
        return CalendarList(calendars=[CalendarInfo(name=name, open=self.open, why="", until=self.until)
                                       for name in self.calendars])


@pytest.fixture
def office(exchange: FakeExchange) -> Office:
    return Office(exchange)


def nobody_waits(branch: FloorBranch, exchange: FakeExchange) -> None:
    for queue in branch.queues:
        queue.waiting.clear()
    exchange.tell()
