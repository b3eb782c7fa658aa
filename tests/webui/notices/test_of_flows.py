"""What flows give notice of stands on the pages once, whatever is said again or begun anew."""

from pathlib import Path

import pytest

from appliance.bus.messages import FlowNotice
from tests.webui.conftest import FakeExchange
from tests.webui.facts import Branch
from webui.mirror import Mirror
from webui.notices.audience import Reader
from webui.notices.of_flows import OfFlows
from webui.notices.store import KEPT_S, Notices

DAY, NIGHT = Reader("li", "agent", frozenset({"day"})), Reader("wang", "agent", frozenset({"night"}))


def given(notice: str, group: str = "", urgency: str = "important", until: float = 1000.0) -> FlowNotice:
    return FlowNotice(notice=notice, node="flows/main.yaml tell", text=f"about {notice}", urgency=urgency,
                      group=group, at=10.0, until=until)


@pytest.fixture
def notices(tmp_path: Path) -> Notices:
    return Notices(tmp_path / "notices.sqlite")


@pytest.fixture
def of_flows(notices: Notices) -> OfFlows:
    return OfFlows(notices, Mirror(0.0))


def test_each_is_kept_once_for_whom_it_is(notices: Notices, of_flows: OfFlows, tmp_path: Path) -> None:
    said = [given("a", "day"), given("b", urgency="unheard of"), given("over", until=15.0)]
    assert of_flows.take(said, 20.0)
    assert not of_flows.take(said, 21.0)
    assert [one.text for one in notices.for_reader(DAY, 22.0)] == ["about a", "about b"]
    assert [(one.text, one.urgency, one.by) for one in notices.for_reader(NIGHT, 22.0)] == [
        ("about b", "normal", "main · tell")]
    again = Notices(tmp_path / "notices.sqlite")
    assert not [one for one in again.newest() if one.text == "about over"]
    OfFlows(again, Mirror(0.0)).take(said, 30.0)
    assert len(again.newest()) == 2


def test_what_was_read_or_withdrawn_does_not_come_back(notices: Notices, of_flows: OfFlows) -> None:
    said = [given("a"), given("b")]
    of_flows.take(said, 20.0)
    first, second = (one.number for one in notices.for_reader(DAY, 20.0))
    notices.confirm(first, DAY, 21.0)
    notices.withdraw(second, "chen", 21.0)
    of_flows.take([], 22.0)
    of_flows.take(said, 23.0)
    assert notices.for_reader(DAY, 24.0) == []


def test_they_are_kept_as_long_as_those_of_people(notices: Notices, of_flows: OfFlows) -> None:
    of_flows.take([given("a")], 20.0)
    of_flows.take([given("b", until=KEPT_S + 3000.0)], KEPT_S)
    assert [one.text for one in notices.newest()] == ["about b", "about a"]
    of_flows.take([given("c", until=KEPT_S + 3000.0)], KEPT_S + 2000.0)
    assert [one.text for one in notices.newest()] == ["about c", "about b"]


def test_the_board_brings_them(branch: Branch, exchange: FakeExchange, notices: Notices) -> None:
    taking = OfFlows(notices, exchange.mirror)
    seen = exchange.mirror.floor
    taking.start()
    branch.notices = [given("a", until=4e9)]
    exchange.tell()
    while not notices.newest():                   # woken by the board, and then told on
        assert exchange.mirror.wait(seen, 10.0)
        seen = exchange.mirror.floor
    exchange.mirror.close()
    taking.stop()
    assert [one.text for one in notices.newest()] == ["about a"]
