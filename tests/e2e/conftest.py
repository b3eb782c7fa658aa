"""A box of its own for each test that asks for `rig`; its logs are shown and kept when the test fails."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.rig import Rig

KEPT = ROOT / "build" / "e2e"
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
        item: pytest.Item,
        call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def rig_options() -> dict[str, Any]:
    """Arguments of Rig; a test module overrides it."""
    return {}


@pytest.fixture
def rig(request: pytest.FixtureRequest, rig_options: dict[str, Any]) -> Iterator[Rig]:
    with Rig(**rig_options) as rig:
        yield rig
        if request.node.stash.get(_FAILED, False):
            kept = KEPT / request.node.name.replace("/", "-")
            rig.keep(kept)
            print(f"logs and captures are kept in {kept}\n{rig.dump()}")
