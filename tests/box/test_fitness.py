"""How the box is, second by second of a clock that only these tests move."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.box.fitness import CALL_RESTARTS, RESTARTS, Fitness, Verdict
from appliance.box.fitness_rules import OF_SENSORS, POWER_OFF, RULES, SENSORS, State, page
from appliance.bus.messages import (
    DAEMONS,
    CardRelay,
    CardState,
    ClockState,
    DaemonHealth,
    Hardware,
    Health,
    LinkState,
    Reading,
    SpanState,
    WallClock,
)
from webui.texts import WORDS

UP = dict.fromkeys(DAEMONS, "up")


def health(states: dict[str, str] | None = None, starts: int = 1, facts: dict[str, float] | None = None
           ) -> Health:
    return Health(at=0.0, daemons=[
        DaemonHealth(daemon=name, state=state, starts=starts, facts=facts or {} if name == "spand" else {})
        for name, state in {**UP, **(states or {})}.items()])


def span(name: str = "e1", up: bool = True, alarms: Sequence[str] = (), trouble: str = "", lent: bool = False
         ) -> SpanState:
    return SpanState(span=name, up=up, alarms=list(alarms), counters={}, at=0.0, trouble=trouble, lent=lent)


def hardware(readings: Sequence[Reading] = (), trouble: dict[str, str] | None = None, **inputs: bool
             ) -> Hardware:
    return Hardware(at=0.0, board="cm", inputs=inputs, readings=list(readings), trouble=trouble or {})


def celsius(value: float) -> Hardware:
    return hardware([Reading(name="board", unit="celsius", value=value, low=60.0, high=75.0)])


class Box:
    """A judge, told Health every second as long as time goes on."""

    def __init__(self) -> None:
        self.now, self.said = 1000.0, health()
        self.judge = Fitness(self.now)
        self.judge.health(self.said, self.now)

    def after(self, seconds: float) -> Verdict:
        """To then, by whole seconds."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            self.judge.health(self.said, self.now)
        return self.judge.verdict(self.now)

    def codes(self, seconds: float = 0.0) -> list[str]:
        return [reason.code for reason in self.after(seconds).reasons]


@pytest.fixture
def box() -> Box:
    box = Box()
    assert box.after(0).state is State.OK
    return box


def test_unfit_until_every_daemon_that_calls_need_was_up() -> None:
    judge = Fitness(0.0)
    assert not judge.verdict(0.0).fit
    judge.health(health({"acdd": "never", "recordd": "never", "webui": "never"}), 1.0)
    (reason,) = judge.verdict(1.0).reasons
    assert (reason.code, reason.about) == ("starting", "acdd")
    judge.health(health({"recordd": "never", "webui": "never"}), 2.0)
    assert (judge.verdict(2.0).state, judge.verdict(2.0).since) == (State.OK, 2.0)


@pytest.mark.parametrize("daemon", ["spand", "trunkd", "acdd"])
def test_a_restart_moves_nothing_and_a_long_silence_withholds_the_lease(box: Box, daemon: str) -> None:
    hold_s = RULES["call-daemon"].hold_s
    box.said = health({daemon: "down"})
    assert box.after(hold_s - 1).fit
    box.said = health({daemon: "up"})
    assert box.after(1).fit
    box.said = health({daemon: "down"})
    verdict = box.after(hold_s + 1)
    assert (verdict.state, verdict.reasons[0].about) == (State.UNFIT, daemon)
    box.said = health()
    assert not box.after(RULES["call-daemon"].clear_s).fit
    assert box.after(1).state is State.OK


def test_recordd_or_webui_only_degrade(box: Box) -> None:
    box.said = health({"recordd": "down", "webui": "down"})
    verdict = box.after(3600)
    assert verdict.state is State.DEGRADED and verdict.fit
    assert [reason.about for reason in verdict.reasons] == ["recordd", "webui"]


def test_restarts_again_and_again_count_although_each_is_short(box: Box) -> None:
    for starts in range(2, RESTARTS + 2):
        box.said = health(starts=starts)
        box.after(5)
    assert set(box.codes()) == {"daemon-restarts"}
    for starts in range(RESTARTS + 2, CALL_RESTARTS + 2):
        box.said = health(starts=starts)
        box.after(5)
    assert not box.after(0).fit
    assert box.after(3600).state is State.OK


def test_boxd_that_watches_anew_counts_no_start() -> None:
    judge = Fitness(0.0)
    judge.health(health(starts=40), 0.0)
    assert judge.verdict(0.0).state is State.OK


def test_silence_of_the_bus_is_noticed_by_time_alone(box: Box) -> None:
    now, states = box.now, []
    while (deadline := box.judge.next_deadline(now)) is not None:
        now = deadline
        states.append((now - box.now, box.judge.verdict(now).state))
    assert states == [(10.0, State.OK), (70.0, State.UNFIT)]
    box.judge.health(health(), now)
    assert box.judge.verdict(now).state is State.UNFIT
    assert box.judge.next_deadline(now) == now + RULES["bus"].clear_s
    assert box.judge.verdict(now + RULES["bus"].clear_s).state is State.OK


def test_a_dead_line_never_moves_the_relay(box: Box) -> None:
    """Joined to the PBX, the box could not see it come back."""
    box.judge.span(span(up=False, alarms=["los", "rai"]), box.now)
    verdict = box.after(86_400)
    assert (verdict.state, verdict.fit) == (State.DEGRADED, True)
    assert [(one.code, one.about, one.detail) for one in verdict.reasons] == [("line", "e1", "LOS, RAI")]
    box.judge.span(span(), box.now)
    assert box.after(RULES["line"].clear_s).state is State.OK


def test_a_d_channel_counts_only_while_its_line_is_good(box: Box) -> None:
    box.judge.span(span(up=False, alarms=["los"]), box.now)
    box.judge.link(LinkState(span="e1", up=False, since=0.0), box.now)
    assert box.codes(60) == ["line"]
    box.judge.span(span(), box.now)
    assert box.codes(60) == ["d-channel"]
    box.judge.link(LinkState(span="e1", up=True, since=0.0), box.now)
    assert box.codes(60) == []


def test_spans_without_a_device_and_spans_lent_for_tests(box: Box) -> None:
    for name in ("a", "b"):
        box.judge.span(span(name), box.now)
    box.judge.span(span("a", up=False, trouble="unplugged"), box.now)
    verdict = box.after(300)
    assert verdict.fit and [(one.code, one.about) for one in verdict.reasons] == [("span-device", "a")]
    box.judge.span(span("b", up=False, trouble="unplugged"), box.now)
    assert box.after(RULES["span-devices"].hold_s - 1).fit
    assert not box.after(1).fit
    for name in ("a", "b"):
        box.judge.span(span(name, up=False, lent=True), box.now)
    assert box.codes(300) == []


def test_hold_over_counts_when_a_line_could_be_followed(box: Box) -> None:
    box.judge.span(span(), box.now)
    box.judge.clock(ClockState(source=None, why="no line is good", at=0.0), box.now)
    assert box.codes(60) == ["hold-over"]
    box.judge.clock(ClockState(source="e1", why="it is good", at=0.0), box.now)
    assert box.codes(60) == []


def test_every_sensor_of_a_temperature_has_a_chinese_name() -> None:
    assert all(RULES[code].text["zh"].startswith("{about}") for code in OF_SENSORS)
    assert SENSORS["zh"].keys() == WORDS["sensor"].keys() - {"fan"}              # as pages call them


def test_temperatures_have_hold_times_and_a_margin(box: Box) -> None:
    def measured(value: float, seconds: float) -> list[str]:
        box.judge.hardware(celsius(value), box.now)
        return box.codes(seconds)

    assert measured(59.9, 600) == []
    assert measured(60.0, 59) == []
    assert measured(60.0, 1) == ["warm"]
    assert measured(57.1, 600) == ["warm"]        # not three degrees below
    assert measured(80.0, 29) == ["warm"] and box.after(0).fit
    assert measured(80.0, 1) == ["hot", "warm"] and not box.after(0).fit
    assert measured(56.0, 119) == ["hot", "warm"]
    assert measured(56.0, 1) == []


def test_a_battery_degrades_and_an_empty_one_stops_the_box(box: Box) -> None:
    box.judge.hardware(hardware(on_battery=True, battery_low=False), box.now)
    verdict = box.after(600)
    assert (verdict.state, verdict.power_off) == (State.DEGRADED, False)
    box.judge.hardware(hardware(on_battery=True, battery_low=True), box.now)
    assert not box.after(RULES["battery-low"].hold_s - 1).power_off
    verdict = box.after(1)
    assert (verdict.state, verdict.power_off) == (State.UNFIT, True)


def test_a_flicker_of_the_supply_stops_nothing(box: Box) -> None:
    box.judge.hardware(hardware(power_fail=True), box.now)
    box.judge.hardware(hardware(power_fail=False), box.now + 0.5)
    assert not box.after(60).power_off
    box.judge.hardware(hardware(power_fail=True), box.now)
    assert box.after(1).power_off


def test_a_disk_that_cannot_be_written_or_is_nearly_full(box: Box) -> None:
    box.judge.disk("Read-only file system: /data", 0.5, box.now)
    verdict = box.after(0)
    assert verdict.fit and verdict.reasons[0].detail == "Read-only file system: /data"
    box.judge.disk("", 0.049, box.now)
    assert box.codes(30) == ["disk-room"]
    box.judge.disk("", 0.069, box.now)            # not yet roomy enough
    assert box.codes(300) == ["disk-room"]
    box.judge.disk("", 0.071, box.now)
    assert box.codes(30) == []


def test_late_audio_is_a_share_of_the_last_minute(box: Box) -> None:
    counted = {"ticks": 0.0, "late_ticks": 0.0}

    def ticks(seconds: int, late_share: float) -> list[str]:
        for _ in range(seconds):
            counted["ticks"] += 100
            counted["late_ticks"] += 100 * late_share
            box.said = health(facts=dict(counted))
            box.after(1)
        return box.codes()

    assert ticks(120, 0.005) == []
    assert ticks(60, 0.05) == ["late-audio"]
    assert ticks(300, 0.0) == []
    counted.update(ticks=0.0, late_ticks=0.0)     # spand began anew
    assert ticks(120, 0.0) == []


def test_the_relay_at_the_pbx_is_told_of_unless_the_box_wants_it_there(box: Box) -> None:
    def card(sense: str) -> CardState:
        return CardState(at=0.0, card="card", device="/dev/x", relay=CardRelay(
            energised=sense == "box", sense=sense, why="leased", lease_s=9.0, operations=1))

    box.judge.card(card("joined"), box.now)
    assert box.codes(RULES["relay"].hold_s) == ["relay"]
    box.judge.card(card("box"), box.now)
    assert box.codes(60) == []
    box.said = health({"acdd": "down"})
    box.after(60)
    box.judge.card(card("joined"), box.now)
    assert box.codes(300) == ["call-daemon"]


def test_a_card_that_is_away_or_has_a_trouble(box: Box) -> None:
    box.judge.card(CardState(at=0.0, card="card", device="/dev/x", trouble="unplugged"), box.now)
    assert box.after(20).reasons[0].detail == "unplugged"
    box.judge.card(CardState(at=0.0, card="card", device="/dev/x", troubles=["supply"]), box.now)
    verdict = box.after(20)
    assert (verdict.reasons[0].detail, verdict.fit) == ("supply out of order", True)


@pytest.mark.parametrize(("source", "rtc_s", "line_s", "codes"), [
    ("ntp", 1.0, 500.0, []), ("ntp", 60.0, None, ["rtc"]), ("rtc", None, 30.0, []),
    ("rtc", None, -500.0, ["time"]), ("unknown", None, None, ["time"]), ("ptp", None, None, []),
])
def test_the_time_of_day(box: Box, source: str, rtc_s: float | None, line_s: float | None, codes: list[str]
                         ) -> None:
    box.judge.time_of_day(WallClock(at=0.0, source=source, since=0.0, rtc_offset_s=rtc_s,  # type: ignore[arg-type]
                                    line_offset_s=line_s), box.now)
    assert box.codes(60) == [] and box.codes(900) == codes


def test_what_is_no_longer_told_of_is_forgotten(box: Box) -> None:
    box.judge.hardware(hardware(trouble={f"part {number}": "gone" for number in range(50)}), box.now)
    assert len(box.codes(60)) == 50
    box.judge.hardware(hardware(), box.now)
    assert box.codes(60) == []
    assert box.judge.next_deadline(box.now) == box.now + 10          # of the bus: nothing is kept


def test_every_rule_has_its_words_in_both_languages_and_fits_its_kind() -> None:
    for code, rule in RULES.items():
        for words in (rule.text, rule.action):
            assert set(words) == {"en", "zh"} and all(words.values()), code
            assert all("{" not in text.format(about="x") for text in words.values()), code
        assert rule.state is not State.OK
    assert all(RULES[code].state is State.UNFIT for code in POWER_OFF)
    restart_s = RULES["call-daemon"].hold_s
    assert restart_s >= 30 and RULES["bus"].hold_s >= restart_s      # longer than what calls survive


def test_the_page_is_of_these_rules() -> None:
    """Else: python -m appliance.box.fitness_rules > docs/fitness.md"""
    assert Path("docs/fitness.md").read_text() == page()
