"""A box of its own for each test that asks for `rig`, or one for all tests of a module that ask for `box`.

Its logs are shown and kept when a test fails; the tests that come after it get a new box.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.observer import Observer
from tests.e2e.rig import Rig
from tests.e2e.talk import wait_all_idle

KEPT = ROOT / "build" / "e2e"
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
        item: pytest.Item,
        call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed or call.when == "setup":     # a second try begins anew
        item.stash[_FAILED] = report.failed
    return report


class Garage:
    """Has one rig, a new one when the last was given up. Use as a context manager."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options, self._exits = options, ExitStack()
        self._rig: Rig | None = None

    def __enter__(self) -> "Garage":
        return self

    def __exit__(self, *_: object) -> None:
        self._rig = None
        self._exits.close()

    def rig(self) -> Rig:
        if self._rig is None:
            self._rig = self._exits.enter_context(Rig(**self._options))
        return self._rig

    def give_up(self) -> None:
        self.__exit__()


@pytest.fixture(scope="session")
def rig_options() -> dict[str, Any]:
    """Arguments of Rig; a test module overrides it (with scope="module", for `box`)."""
    return {}


@pytest.fixture
def rig(request: pytest.FixtureRequest, rig_options: dict[str, Any]) -> Iterator[Rig]:
    with Rig(**rig_options) as rig:
        yield rig
        _keep_if_failed(request, rig)


@pytest.fixture(scope="module")
def garage(rig_options: dict[str, Any]) -> Iterator[Garage]:
    with Garage(rig_options) as garage:
        yield garage


@pytest.fixture
def box(request: pytest.FixtureRequest, garage: Garage) -> Iterator[Rig]:
    rig = garage.rig()
    yield rig
    if _keep_if_failed(request, rig):
        garage.give_up()


@pytest.fixture
def desk(box: Rig) -> Iterator[Observer]:
    """May ask what agents and supervisors ask."""
    with Observer(box.run_dir, "boxd") as desk:
        yield desk


@pytest.fixture
def left_idle(box: Rig, garage: Garage) -> Iterator[None]:
    """What the test leaves is hung up; then nothing may be left in the box, nor an error in its logs."""
    yield
    try:
        for exchange in (box.telco, box.pbx):
            exchange.answering(None)
            exchange.hang_up_all()
        wait_all_idle(box)
        assert box.complaints() == []
    except AssertionError:
        garage.give_up()
        raise


def _keep_if_failed(request: pytest.FixtureRequest, rig: Rig) -> bool:
    failed: bool = request.node.stash.get(_FAILED, False)
    if failed:
        kept = KEPT / request.node.name.replace("/", "-")
        rig.keep(kept)
        print(f"logs and captures are kept in {kept}\n{rig.dump()}")
    return failed
