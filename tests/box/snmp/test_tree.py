"""Rows in order, counters that wrap, requests that are paced, states that have to last."""

from hypothesis import given
from hypothesis import strategies as some

from appliance.box.snmp.pace import Pace
from appliance.box.snmp.steady import Change, Steady
from appliance.box.snmp.tree import (
    Oid,
    Rising,
    Section,
    Tree,
    Value,
    counter32,
    counter64,
    gauge,
    integer,
    text,
    ticks,
)

OIDS = some.lists(some.integers(0, 3), min_size=1, max_size=4).map(tuple)


@given(some.sets(OIDS, max_size=30), OIDS)
def test_next_is_the_smallest_name_behind(names: set[Oid], asked: Oid) -> None:
    tree = Tree(Section((first,), 0.0, lambda first=first: [      # type: ignore[misc]
        (name, integer(7)) for name in names if name[0] == first]) for first in range(4))
    row = tree.next(asked, 0.0)
    assert (row[0] if row else None) == min((name for name in names if name > asked), default=None)
    assert (tree.get(asked, 0.0) is not None) == (asked in names)


def test_a_section_is_made_again_when_it_is_old_or_forgotten() -> None:
    made = 0

    def rows() -> list[tuple[Oid, object]]:
        nonlocal made
        made += 1
        return [((1, 1), integer(made))]

    tree = Tree([Section((1,), 2.0, rows)])       # type: ignore[arg-type]
    assert [tree.get((1, 1), now) for now in (10.0, 11.9, 12.0)] == [integer(1), integer(1), integer(2)]
    tree.forget()
    assert tree.get((1, 1), 12.0) == integer(3)


def test_counters_begin_again_and_gauges_stay_at_their_end() -> None:
    assert counter32((1 << 32) + 5).value == 5 and counter64((1 << 64) + 5).value == 5
    assert gauge(1 << 40).value == (1 << 32) - 1 and gauge(-3).value == 0
    assert ticks(42_949_672.96 + 1.5).value == 150
    assert text("排队 3").value == b"?? 3" and text("x" * 999).value == b"x" * 255


def test_a_counter_goes_on_when_its_source_begins_anew() -> None:
    rising = Rising()
    assert [rising.see(value) for value in (10, 15, 2, 2, 9)] == [10, 15, 17, 17, 24]


def test_pace_takes_its_share_of_the_time_after_some_at_once() -> None:
    pace, now, done = Pace(share=0.25, at_once_s=1.0), 100.0, 0
    while now < 140.0:
        if wait_s := pace.wait_s(now):
            now += wait_s
        else:
            now += 0.01                           # each takes 10 ms
            pace.took(now, 0.01)
            done += 1
    assert 0.25 * 40 + 0.9 <= done * 0.01 <= 0.25 * 40 + 1.1
    now += 3600.0                                 # a rest is not saved up for ever
    pace.took(now, 1.5)
    assert pace.wait_s(now) == 2.0


def test_rows_that_are_the_same_object_are_not_made_again() -> None:
    kept: list[tuple[Oid, Value]] = [((1, 1), integer(1))]
    tree = Tree([Section((1,), 0.0, lambda: kept)])
    assert tree.get((1, 1), 0.0) == integer(1)
    made, = tree._made
    names = made.names
    assert tree.get((1, 1), 1.0) == integer(1) and made.names is names
    kept = [((1, 1), integer(2))]
    assert tree.get((1, 1), 2.0) == integer(2)


def test_what_is_no_object_and_what_is_no_instance_of_one() -> None:
    rows = [((1, 2, 1, 3, 7), integer(1)), ((1, 1, 0), integer(1))]
    others = [((5, 8, 1, 3, 7, 1), integer(1))]
    tree = Tree([Section((1,), 0.0, lambda: rows), Section((5, 8), 0.0, lambda: others, deep=2)])
    for name in ((1, 2, 1, 3, 8), (1, 2, 1, 3, 9, 9), (1, 1, 7), (5, 8, 1, 3, 9, 1), (5, 8, 1, 3, 7, 2)):
        assert tree.is_object(name, 0.0), name
    nothing: list[Oid] = [(1, 2, 1, 4, 7), (1, 3, 0), (2, 1), (5, 8, 1, 4, 7, 1), (5, 9, 1), (1,), (1, 1), ()]
    assert not [name for name in nothing if tree.is_object(name, 0.0)]


def test_only_what_lasts_is_told() -> None:
    steady = Steady[str, int](5.0)
    steady.see("line", 1, 1, 0.0)
    assert steady.next_deadline() is None
    steady.see("line", 2, 1, 10.0)
    assert steady.next_deadline() == 15.0 and steady.due(14.9) == []
    steady.see("line", 1, 1, 14.9)                # back in time: nobody hears of it
    assert steady.due(99.0) == [] and steady.next_deadline() is None
    steady.see("line", 2, 1, 100.0)
    steady.see("line", 3, 1, 104.0)               # another one: its time begins
    assert steady.due(105.0) == []
    assert steady.due(109.0) == [Change("line", 1, 3)]
    steady.see("line", 3, 1, 200.0)
    assert steady.due(300.0) == []


def test_what_is_bad_from_the_start_is_told_what_is_good_is_not() -> None:
    steady = Steady[str, int](5.0)
    steady.see("a", 1, 1, 0.0)
    steady.see("b", 2, 1, 0.0)
    assert steady.due(5.0) == [Change("b", 1, 2)]


def test_what_nobody_knows_has_not_lasted() -> None:
    steady = Steady[str, int](5.0)
    steady.see("a", 2, 1, 0.0)
    steady.unknown("a")
    assert steady.next_deadline() is None and steady.due(99.0) == []
    steady.see("a", 2, 1, 100.0)
    assert steady.due(104.9) == [] and steady.due(105.0) == [Change("a", 1, 2)]
    steady.unknown("a")
    steady.see("a", 2, 1, 200.0)
    assert steady.due(300.0) == [], "it is as it was told last"


@given(some.lists(some.tuples(some.floats(0.1, 20.0), some.integers(1, 3)), max_size=40))
def test_told_states_lasted_and_differ_from_the_one_before(course: list[tuple[float, int]]) -> None:
    steady, now, last, since, told = Steady[str, int](5.0), 0.0, 1, 0.0, 1
    for step_s, value in course:
        now += step_s
        for change in steady.due(now):            # of what was seen before
            assert change == Change("x", told, last) and now >= since + 5.0
            told = change.now
        if value != last:
            last, since = value, now
        steady.see("x", value, 1, now)
