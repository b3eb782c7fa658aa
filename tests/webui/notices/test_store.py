"""Notices on the disk: to whom, from when until when, receipts, limits."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.notices import audience
from webui.notices.audience import Audience, Reader, reached
from webui.notices.store import KEPT_S, LOOKS, MOST_VALID, Notices

HOUR = 3600.0
ALL = Audience(everybody=True)
LI, WANG = Reader("li", "agent", frozenset({"day"})), Reader("wang", "quality")

names = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=3).map(tuple)


@pytest.fixture
def notices(tmp_path: Path) -> Notices:
    return Notices(tmp_path / "notices.sqlite")


def add(notices: Notices, to: Audience = ALL, since: float = 0.0, until: float = HOUR, now: float = 0.0,
        urgency: str = "normal") -> int:
    return notices.add("chen", "the hall is closed", urgency, "blue", to, since, until, now)


@given(everybody=st.booleans(), roles=names, groups=names, people=names, name=st.sampled_from("abcd"),
       role=st.sampled_from("abcd"), mine=st.frozensets(st.sampled_from("abcd"), max_size=2))
def test_a_notice_is_for_whoever_one_of_its_names_fits(
        everybody: bool, roles: tuple[str, ...], groups: tuple[str, ...], people: tuple[str, ...], name: str,
        role: str, mine: frozenset[str]) -> None:
    to = Audience(everybody, roles, groups, people)
    fits = [everybody, name in people, role in roles, *(group in mine for group in groups)]
    assert to.holds(Reader(name, role, mine)) is any(fits)
    assert audience.read(to.written()) == to
    if to.nobody:
        assert not any(fits)


def test_who_reaches_some_agents_addresses_groups_of_those_only() -> None:
    groups = {"day": frozenset({"li", "zhou"}), "night": frozenset({"wu"}), "empty": frozenset()}
    agents = {"li": "li", "boss": "boss", "wu": "wu"}
    assert reached(None, groups, agents) == (["day", "empty", "night"], ["boss", "li", "wu"])
    assert reached(frozenset({"li", "wu"}), groups, agents) == (["night"], ["li", "wu"])
    assert reached(frozenset(), groups, agents) == ([], [])


def test_one_is_seen_from_its_beginning_to_its_end(notices: Notices) -> None:
    number = add(notices, since=10.0, until=20.0)
    seen = {at: [one.number for one in notices.for_reader(LI, at)] for at in (9.0, 10.0, 19.9, 20.0)}
    assert seen == {9.0: [], 10.0: [number], 19.9: [number], 20.0: []}
    found = notices.get(number)
    assert found and [found.state(at) for at in (9.0, 10.0, 20.0)] == ["waiting", "valid", "over"]
    assert notices.next_change(0.0) == 10.0 and notices.next_change(10.0) == 20.0
    assert notices.next_change(20.0) is None


def test_receipts_say_to_whom_it_was_shown_and_who_has_read_it(notices: Notices, tmp_path: Path) -> None:
    number = add(notices)
    for _ in range(2):
        notices.shown(LI, 5.0)
    notices.shown(WANG, 6.0)
    assert notices.confirm(number, LI, 7.0) and notices.confirm(number, LI, 8.0)
    assert notices.for_reader(LI, 9.0) == [] and len(notices.for_reader(WANG, 9.0)) == 1
    again = Notices(tmp_path / "notices.sqlite")  # as after a kill
    assert [(one.name, one.shown_at, one.read_at) for one in again.receipts(number)] == [
        ("li", 5.0, 7.0), ("wang", 6.0, None)]
    assert again.counts() == {number: (2, 1)}
    assert again.for_reader(LI, 9.0) == []


def test_nobody_confirms_what_is_not_for_him_or_not_yet(notices: Notices) -> None:
    number = add(notices, Audience(people=("li",)), since=10.0)
    assert not notices.confirm(number, LI, 9.0)
    assert not notices.confirm(number, WANG, 11.0)
    assert not notices.confirm(99, LI, 11.0)
    assert notices.receipts(number) == []


def test_one_that_is_withdrawn_is_gone_at_once(notices: Notices) -> None:
    number = add(notices)
    assert notices.withdraw(number, "chen", 5.0) and not notices.withdraw(number, "chen", 6.0)
    found = notices.get(number)
    assert found and (found.state(6.0), found.withdrawn_by) == ("withdrawn", "chen")
    assert notices.for_reader(LI, 6.0) == []
    assert not notices.withdraw(add(notices, until=10.0), "chen", 11.0)


def test_an_old_long_one_is_seen_beside_many_short_ones(notices: Notices) -> None:
    number = add(notices, until=1e6)
    for at in range(500):
        add(notices, since=float(at), until=at + 0.5, now=float(at))
    assert [one.number for one in notices.for_reader(LI, 600.0)] == [number]


def test_there_is_a_limit_and_an_end(notices: Notices) -> None:
    for _ in range(MOST_VALID):
        add(notices)
    with pytest.raises(OverflowError):
        add(notices)
    assert len(notices.newest()) == MOST_VALID
    later = HOUR + KEPT_S + 1.0
    add(notices, since=later, until=later + 1.0, now=later)
    assert len(notices.newest()) == 1


def test_colours_and_who_else_writes_stay(notices: Notices, tmp_path: Path) -> None:
    notices.look("normal", "green")
    notices.let_write("li", True, "chen", 0.0)
    notices.let_write("li", True, "chen", 1.0)
    notices.let_write("wu", True, "chen", 0.0)
    notices.let_write("wu", False, "chen", 1.0)
    again = Notices(tmp_path / "notices.sqlite")
    assert again.looks() == {**LOOKS, "normal": "green"} and again.writers() == ["li"]


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "notices.sqlite").write_bytes(b"junk" * 400)
    with pytest.raises(Exception, match="move it away") as error:
        Notices(tmp_path / "notices.sqlite")
    assert not isinstance(error.value, sqlite3.Error)
