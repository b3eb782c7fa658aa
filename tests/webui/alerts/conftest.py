"""The pages on a supervisor's floor, with what judges the rules, and its time in the test's hands."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

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


def nobody_waits(branch: FloorBranch, exchange: FakeExchange) -> None:
    for queue in branch.queues:
        queue.waiting.clear()
    exchange.tell()
