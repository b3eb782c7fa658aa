"""An application without a bus, a visitor and somebody who has signed in."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import BusError
from appliance.bus.messages import (
    GetBoard,
    GetCalls,
    GetCards,
    GetChannels,
    GetFitness,
    GetHardware,
    GetHealth,
    GetRecorder,
    GetSpans,
    GetUpdate,
    GetWallClock,
    Reply,
    Request,
)
from tests.conftest import ROOT
from tests.webui.facts import RECORDING, Branch, busy_branch
from tests.webui.quick import hurry
from tests.webui.shelf import Shelf, shelf_in, talk
from webui import create_app
from webui.mirror import Mirror
from webui.parts import Settings
from webui.seen import Seen
from webui.users import SetupCode, Users, session_key

R = TypeVar("R", bound=Reply)

NAME, PASSWORD = "admin", "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)    # nobody guesses at these


class FakeExchange:
    """A branch that answers at once; `silent` owners do not."""

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.mirror = Mirror(time.monotonic())
        self.silent: set[str] = set()
        self.tell()

    def tell(self) -> None:
        """What the daemons said last, into the mirror."""
        for request in (GetBoard(), GetChannels(), GetSpans(), GetHealth(), GetCalls(), GetRecorder(),
                        GetFitness(), GetHardware(), GetCards(), GetUpdate(), GetWallClock()):
            self.mirror.load(self.branch.reply(cast(Request[Any], request)))

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        if request.owner in self.silent:
            raise BusError(f"{type(request).__name__}: {request.owner} is not there")
        return cast(R, self.branch.reply(request))


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """The translations, compiled as `make` does."""
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "-q", "compile", "-d", "webui/translations"],
        cwd=ROOT, check=True)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        hurry(monkeypatch)
        yield


@pytest.fixture
def branch() -> Branch:
    return busy_branch()


@pytest.fixture
def shelf(branch: Branch, tmp_path: Path) -> Iterator[Shelf]:
    """recordd's, with the recording of contact e1: ten seconds, keyed at the second."""
    with shelf_in(tmp_path / "shelf") as shelf:
        shelf.finish(RECORDING, talk(10.0), marks=(("key", 2.0, "5"), ("hold", 6.0, "")))
        branch.shelf = shelf
        yield shelf


@pytest.fixture
def exchange(branch: Branch) -> FakeExchange:
    return FakeExchange(branch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        exports=tmp_path / "shelf" / "recordings" / "exports", state=tmp_path, release=tmp_path / "release",
        session_key=session_key(tmp_path / "session-key"),
        setup_code=SetupCode(tmp_path / "setup-code"), language="en")


@pytest.fixture
def users(tmp_path: Path) -> Users:
    return Users(tmp_path / "users.sqlite", QUICK)


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path / "seen.sqlite")


@pytest.fixture
def app(exchange: FakeExchange, users: Users, seen: Seen, settings: Settings) -> Flask:
    return create_app(exchange, users, seen, settings)


@pytest.fixture
def visitor(app: Flask, users: Users) -> FlaskClient:
    """A stranger's browser at a box that has its administrator."""
    users.create_first(NAME, PASSWORD)
    return app.test_client()


@pytest.fixture
def client(visitor: FlaskClient) -> FlaskClient:
    """The administrator's browser."""
    assert post(visitor, "/login", name=NAME, password=PASSWORD).status_code == 303
    return visitor


def token(client: FlaskClient, page: str = "/login") -> str:
    """The CSRF token on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, follow_redirects=True).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **form: str) -> Any:
    """Send a form as the page at the same path would."""
    return client.post(path, data=form | {"csrf_token": token(client)})
