"""An application whose branch has lines to look at."""

import pytest

from appliance.bus.messages import GetLineTests
from tests.webui.conftest import FakeExchange
from tests.webui.facts import Branch
from tests.webui.lines.facts import Lines, busy_lines


class LinesExchange(FakeExchange):
    def tell(self) -> None:
        super().tell()
        self.mirror.load(self.branch.reply(GetLineTests()))


@pytest.fixture
def lines() -> Lines:
    return busy_lines()


@pytest.fixture
def branch(lines: Lines) -> Branch:
    return lines.branch


@pytest.fixture
def exchange(branch: Branch) -> FakeExchange:
    return LinesExchange(branch)
