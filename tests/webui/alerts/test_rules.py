"""What rules read from a floor, when they are in force, and how they sound in words."""

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from flask import Flask
from flask_babel import force_locale
from msgspec.structs import replace as altered

from appliance.bus.messages import (
    ChannelStates,
    FigureValue,
    Fitness,
    FitnessReason,
    LinkState,
    RecorderState,
    RecorderWarning,
)
from tests.webui.conftest import FakeExchange
from webui.access.ranges import Range
from webui.access.sight import narrowed
from webui.alerts import words
from webui.alerts.judging import Reading
from webui.alerts.measuring import UNKNOWN, View, limits, read
from webui.alerts.rules import MEASURES, Rule, within_hours
from webui.mirror import Floor

CHINA = timezone(timedelta(hours=8))
CREW = {"anna": ("sales",), "dora": ("service",), "fang": ("sales",)}
GROUPS = {"early": frozenset({"anna", "chen"})}


def figures(rule: Rule) -> dict[str, FigureValue]:
    return {"sales": FigureValue(value=0.5, top=10, bottom=20), "service": FigureValue(value=1, top=5,
        bottom=5),
            "anna": FigureValue(value=0.9, top=900, bottom=1000)}


def view(floor: Floor, until: float | None = None) -> View:
    return View(floor, GROUPS, lambda: CREW, figures, until)


def rule(what: str, **said: object) -> Rule:
    return Rule(name="Rule", what=what, **{"compare": (MEASURES[what].compares or ("above",
        ))[0]} | said)  # type: ignore[arg-type]


@pytest.fixture
def floor(exchange: FakeExchange) -> Floor:
    return exchange.mirror.floor


def test_what_is_read_of_queues_and_agents(floor: Floor) -> None:
    board, now = floor.board, time.time()
    assert board
    waiting = {one.name: len(one.waiting) for one in board.queues}
    assert read(rule("waiting"), view(floor), now).value == sum(waiting.values())
    assert read(rule("waiting", which=("service",)), view(floor), now).value == waiting["service"]
    assert read(rule("waiting", which=("gone",)), view(floor), now) == UNKNOWN
    oldest = min(one.oldest_since for one in board.queues if one.oldest_since)
    assert read(rule("longest_wait"), view(floor), now).since == oldest
    ready = {one.name for one in board.agents if one.state == "ready"}
    assert read(rule("agents_ready"), view(floor), now).value == len(ready)
    assert read(rule("ready", which=("sales",)), view(floor), now).value == len(
        ready & {name for name, queues in CREW.items() if "sales" in queues})
    assert read(rule("agents_ready", groups=("early",)), view(floor),
                now).value == len(ready & GROUPS["early"])
    since = {"anna": now - 60.0, "dora": now - 90.0}
    pausing = replace(floor, board=altered(board, agents=[
        altered(one, state="not-ready", since=since[one.name]) if one.name in since else one
        for one in board.agents]))
    longest = read(rule("not_ready"), view(pausing), now)
    assert longest.since == since["dora"] and longest.who[:2] == ("dora", "anna")
    assert read(rule("not_ready", which=("anna",)), view(pausing), now).since == since["anna"]


def test_figures_of_several_are_added_above_and_below_the_line(floor: Floor) -> None:
    now = time.time()
    assert read(rule("service_level"), view(floor), now).value == 60.0                   # 15 of 25
    assert read(rule("service_level", which=("sales",)), view(floor), now).value == 50.0
    assert read(rule("abandoned"), view(floor), now) == Reading(15.0, who=("sales", "service"))
    assert read(rule("occupancy", which=("anna",)), view(floor), now).value == 90.0
    assert read(rule("occupancy", which=("chen",)), view(floor),
                now) == UNKNOWN         # nothing to divide by
    nobody = View(floor, GROUPS, lambda: CREW, lambda _: None)
    assert read(rule("service_level"), nobody, now) == UNKNOWN


def test_what_is_read_of_lines_and_the_box(floor: Floor) -> None:
    now = time.time()
    spans = {name: altered(one, up=True, alarms=[]) for name, one in floor.spans.items()}
    first = next(iter(spans))
    well = replace(floor, spans=spans, links={}, away=frozenset(), channels={
        name: altered(one, link_up=True) for name, one in floor.channels.items()})
    assert read(rule("line_alarm"), view(well), now).value == 0.0
    bad = replace(well, spans=spans | {first: altered(spans[first], alarms=["LOS"])})
    assert read(rule("line_alarm"), view(bad), now) == Reading(1.0, who=(first,))
    lent = replace(well, spans={first: altered(spans[first], up=False, lent=True)})
    assert read(rule("line_alarm"), view(lent), now) == UNKNOWN      # given away for a test
    name = next(iter(well.channels))
    silent = altered(well.channels[name], link_up=False)
    down = replace(well, channels={**well.channels, name: silent})
    assert read(rule("dchannel_down"), view(down), now).who == (name,)
    gone = replace(well, links={name: LinkState(span=name, up=False, since=now)}, channels={
        **well.channels, name: altered(silent, channels=[])})        # as trunkd says of one that was removed
    assert read(rule("dchannel_down"), view(gone), now).value == 0.0
    assert read(rule("free_channels", which=(silent.trunk,)), view(gone), now) == UNKNOWN
    channels: ChannelStates = next(iter(well.channels.values()))
    idle = sum(one.state == "idle" and not one.blocked for one in channels.channels)
    assert read(rule("free_channels", which=(channels.trunk,)), view(well), now).value == idle
    assert read(rule("free_channels"), view(replace(well, away=frozenset({"trunkd"}))), now) == UNKNOWN
    assert read(rule("daemon_away"), view(replace(well, away=frozenset({"acdd"}))), now).who == ("acdd",)
    ill = replace(well, fitness=Fitness(at=now, state="degraded", since=now, fit=True, reasons=[
        FitnessReason(code="disk", about="recordings", state="degraded", since=now)]))
    assert read(rule("degraded"), view(ill), now) == Reading(1.0, who=("disk recordings",))
    assert read(rule("unfit"), view(ill), now).value == 0.0
    warned = replace(well, recorder=RecorderState(warnings=[
        RecorderWarning(kind="low-space", text="", since=now)]))
    assert read(rule("recording"), view(warned), now).who == ("low-space",)
    assert read(rule("certificate"), view(well, now + 5 * 86400.0), now).value == pytest.approx(5.0)
    assert read(rule("certificate"), view(well), now) == UNKNOWN     # a box without TLS of its own


def test_all_is_all_within_the_range_of_whose_rule_it_is(floor: Floor) -> None:
    board = floor.board
    assert board
    sales = next(one for one in board.queues if one.name == "sales")
    seen = narrowed(floor, Range(queues=frozenset({"sales"}), agents=frozenset({"anna"})))
    assert read(rule("waiting"), view(seen), 0.0).value == len(sales.waiting)
    assert read(rule("waiting", which=("service",)), view(seen), 0.0) == UNKNOWN
    assert read(rule("abandoned"), view(seen), 0.0).value == 10.0


def test_every_measure_has_limits_and_words(app: Flask, floor: Floor) -> None:
    said = set()
    for what in MEASURES:
        one = rule(what, threshold=7.0, clear=None, hold_s=30.0, webhook="https://example.com/x", days=(0, 6),
                   since="08:00", until="18:00", tell_people=("li",), mail=("a@example.com",))
        assert limits(one).clear == limits(one).threshold
        with app.test_request_context():
            for language in ("en", "zh"):
                with force_locale(language):
                    text = words.sentence(one)
                    assert "li" in text and "a@example.com" in text and "%(" not in text
                    assert "Rule" in words.told(one, read(one, view(floor), time.time()), time.time())
                    said.add(text)
    assert len(said) >= len(MEASURES)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp()


@pytest.mark.parametrize(("days", "since", "until", "now", "inside", "edge"), [
    ((0, 1, 2, 3, 4, 5, 6), "", "", "2026-11-23T12:00", True, None),
    ((0,), "08:00", "18:00", "2026-11-23T07:59:59", False, "2026-11-23T08:00"),          # a Monday
    ((0,), "08:00", "18:00", "2026-11-23T08:00", True, "2026-11-23T18:00"),
    ((0,), "08:00", "18:00", "2026-11-23T18:00", False, "2026-11-24T00:00"),
    ((1,), "08:00", "18:00", "2026-11-23T12:00", False, "2026-11-23T18:00"),
    ((0,), "22:00", "06:00", "2026-11-23T23:00", True, "2026-11-24T00:00"),
    ((0,), "22:00", "06:00", "2026-11-24T05:59", True, "2026-11-24T06:00"),
    ((0,), "22:00", "06:00", "2026-11-24T06:00", False, "2026-11-24T22:00"),
    ((0,), "22:00", "06:00", "2026-11-23T05:00", False, "2026-11-23T06:00"),
    ((0, 2), "", "", "2026-11-23T12:00", True, "2026-11-24T00:00"),
])
def test_when_a_rule_is_in_force(days: tuple[int, ...], since: str, until: str, now: str, inside: bool,
                                 edge: str | None) -> None:
    found = within_hours(Rule(name="x", what="waiting", days=days, since=since, until=until), at(now), CHINA)
    assert found == (inside, at(edge) if edge else None)
