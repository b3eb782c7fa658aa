"""The box's own rounds in virtual time: when one is due, what it waits for, what its figures come to."""

import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from appliance.box.fitness import Fitness as Judge
from appliance.box.fitness_rules import RULES
from appliance.box.maintenance import findings, routine
from appliance.box.maintenance.findings import ITEMS, REASONS, DiskProbe, Found, Served, checked, of_round
from appliance.box.maintenance.lists import Facts
from appliance.box.maintenance.packets import Packets, counted
from appliance.box.maintenance.routine import CALM_S, PATIENCE_S, Calm, Round, due, may_begin, step
from appliance.box.maintenance.words import WORDS
from appliance.box.network_cards import COUNTS, ETHERNET, NetworkCard
from appliance.bus.messages import (
    BackupInfo,
    BackupReply,
    CallTested,
    ChainChecked,
    DaemonHealth,
    DayRecord,
    Fitness,
    FitnessReason,
    Hardware,
    Health,
    MaintenanceEntry,
    Reading,
    RecordingCheck,
    RoutineKind,
    SelfChecked,
    SpanDay,
    SpanState,
    StorageDevice,
    StorageState,
    UpdateState,
    WallClock,
)
from appliance.config.maintenance import MaintenanceConfig
from appliance.config.update import TrialCallConfig

DAY_S, HOUR_S = 86_400.0, 3600.0
CONFIG = MaintenanceConfig()                      # Sundays and the first of the month, from 03:00 to 05:00
OFF = CONFIG.model_copy(update={"weekly": None, "monthly": None})


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("last", "now", "found"), [
    ({}, "2026-03-08T02:59:00", ("monthly", "2026-03-01T03:00:00")),             # Sunday, before its hours
    ({"monthly": "2026-03-01T03:00:00"}, "2026-03-08T02:59:00", None),
    ({"monthly": "2026-03-01T03:00:00"}, "2026-03-08T03:00:00", ("weekly", "2026-03-08T03:00:00")),
    ({"monthly": "2026-03-01T03:00:00", "weekly": "2026-03-08T03:00:00"}, "2026-03-14T23:00:00", None),
    # Both at once: the longer one, for both.
    ({"monthly": "2026-02-01T03:00:00", "weekly": "2026-02-22T03:00:00"}, "2026-03-01T03:00:00",
     ("monthly", "2026-03-01T03:00:00")),
    ({"monthly": "2026-02-01T03:00:00", "weekly": "2026-02-22T03:00:00"}, "2026-03-09T12:00:00",
     ("monthly", "2026-03-08T03:00:00")),
    # The clock was ahead then: nobody waits until it is so late again.
    ({"monthly": "2038-01-01T03:00:00"}, "2026-03-02T04:00:00", ("monthly", "2026-03-01T03:00:00")),
])
def test_which_round_is_due(last: dict[RoutineKind, str], now: str, found: tuple[str, str] | None) -> None:
    told = due(CONFIG, {kind: at(when) for kind, when in last.items()}, at("2026-01-01T00:00:00"), at(now))
    assert told == (None if found is None else (found[0], at(found[1])))
    assert due(OFF, {}, 0.0, at(now)) is None


def test_a_clock_that_was_ahead_at_one_round_repeats_no_other() -> None:
    """The monthly one of then is not yet to come again, nor does it hide that the weekly one was done."""
    last: dict[RoutineKind, float] = {
        "monthly": at("2026-12-01T03:00:00"), "weekly": at("2026-11-08T03:00:00")}
    began = at("2026-11-05T12:00:00")
    assert due(CONFIG, last, began, at("2026-11-08T03:30:00")) is None
    assert due(CONFIG, last, began, at("2026-11-15T03:30:00")) == ("weekly", at("2026-11-15T03:00:00"))


def test_a_new_box_waits_for_its_first_night() -> None:
    began = at("2026-03-02T10:00:00")
    assert due(CONFIG, {}, began, began + HOUR_S) is None
    assert due(CONFIG, {}, began, at("2026-03-08T03:00:01")) == ("weekly", at("2026-03-08T03:00:00"))


@pytest.mark.parametrize(("now", "may", "late"), [
    ("2026-03-08T03:00:00", True, False), ("2026-03-08T04:59:00", True, False),
    ("2026-03-08T05:00:01", True, True),          # the box was off all night: whenever it is calm
    ("2026-03-09T03:30:00", True, True), ("2026-03-11T14:00:00", True, True)])
def test_when_a_round_begins(now: str, may: bool, late: bool) -> None:
    assert may_begin(CONFIG, at("2026-03-08T03:00:00"), at(now)) == (may, late)


def test_other_hours_make_no_second_round_of_a_night() -> None:
    done: dict[RoutineKind, float] = {
        "monthly": at("2026-03-01T03:00:00"), "weekly": at("2026-03-08T03:00:00")}
    for begins in ("01:00", "03:00", "04:00", "20:00"):
        config = MaintenanceConfig.model_validate({"quiet": {"begins": begins, "ends": "05:00"}})
        assert due(config, done, 0.0, at("2026-03-08T23:00:00")) is None
        assert due(config, done, 0.0, at("2026-03-15T23:00:00")) is not None


def test_hours_over_midnight_are_one_night() -> None:
    config = MaintenanceConfig.model_validate({"quiet": {"begins": "23:00", "ends": "02:00"}})
    moment = at("2026-03-08T23:00:00")
    assert due(config, {"monthly": at("2026-03-01T23:00:00")}, 0.0, at("2026-03-09T01:00:00")) == (
        "weekly", moment)
    assert may_begin(config, moment, at("2026-03-09T01:59:00")) == (True, False)
    assert may_begin(config, moment, at("2026-03-09T02:01:00")) == (True, True)


@pytest.mark.parametrize("begins", ["01:30", "02:00", "02:30", "03:00"])
def test_each_round_once_over_a_year_with_both_changes_of_the_clock(berlin: None, begins: str) -> None:
    config = MaintenanceConfig.model_validate({"quiet": {"begins": begins, "ends": "05:00"}})
    began, last = at("2026-01-01T12:00:00"), dict[RoutineKind, float]()
    done: list[tuple[str, float]] = []
    for now in itertools.count(int(began), 5400):
        if now > began + 365 * DAY_S:
            break
        if 7 <= datetime.fromtimestamp(now).hour:                    # by day nothing begins
            continue
        if (found := due(config, last, began, now)) is not None and may_begin(config, found[1], now)[0]:
            last[found[0]] = found[1]
            done.append((found[0], now))
            assert now - found[1] < HOUR_S + 5400                    # in its night
    assert len([kind for kind, _ in done if kind == "monthly"]) == 12
    days = {datetime.fromtimestamp(now).date() for _, now in done}
    assert len(days) == len(done)
    sundays = sum(datetime.fromtimestamp(began + day * DAY_S).weekday() == 6 for day in range(366))
    both = sum(datetime.fromtimestamp(now).weekday() == 6 for kind, now in done if kind == "monthly")
    assert len([kind for kind, _ in done if kind == "weekly"]) == sundays - both


def finish(one: Round, *items: str) -> None:
    one.done += [checked(item, Found("good", "programs"), 0.0, 0.0) for item in items]


def test_what_works_the_box_waits_for_calm_night_after_night() -> None:
    began = at("2026-03-08T03:00:00")
    one = Round(kind="weekly", due=began, began_at=began)
    light = [name for name in of_round("weekly") if not ITEMS[name].calm]
    for name in light:
        item, _ = step(one, CONFIG, None, began)
        assert item == name                       # whatever calls there are
        finish(one, item)
    assert step(one, CONFIG, None, began) == ("", began + PATIENCE_S)            # until calls change
    assert step(one, CONFIG, 30.0, began) == ("", began + 30.0)
    assert step(one, CONFIG, 0.0, began) == ("call", began)
    morning = at("2026-03-08T05:00:00")
    assert step(one, CONFIG, 0.0, morning) == ("", at("2026-03-09T03:00:00"))    # calm, but not at noon
    assert step(one, CONFIG, 0.0, at("2026-03-09T03:00:00"))[0] == "call"
    late = Round(kind="weekly", due=began, began_at=morning, late=True, done=list(one.done))
    assert step(late, CONFIG, 0.0, morning)[0] == "call"             # off at night: whenever it is calm
    assert step(late, CONFIG, None, morning)[0] == ""
    hurried = Round(kind="weekly", due=0.0, began_at=morning, hurry=True, done=list(one.done))
    assert step(hurried, CONFIG, None, morning)[0] == "call"
    assert not routine.given_up(one, began + PATIENCE_S - 1)
    assert step(one, CONFIG, None, began + PATIENCE_S)[0] == "call"
    assert routine.given_up(one, began + PATIENCE_S)
    finish(one, *one.left)
    assert step(one, CONFIG, None, began) == ("", began)


def test_calm_is_few_calls_for_a_while() -> None:
    calm = Calm()
    assert calm.left_s(0.0) is None               # nobody said
    calm.hear("telco", 0, 0, 0.5)
    assert calm.left_s(0.5) is None               # nor of all
    calm.told({"telco": 2, "pbx": 0}, 0, 1.0)
    assert calm.left_s(2.0) is None
    calm.hear("telco", 0, 0, 10.0)
    assert calm.left_s(10.0) == CALM_S and calm.left_s(10.0 + CALM_S) == 0
    calm.hear("pbx", 1, 0, 100.0)
    assert calm.left_s(101.0) is None
    calm.look(1, 110.0)                           # the configuration has another limit now
    assert calm.left_s(120.0) == CALM_S - 10.0
    calm.hear("telco", 1, 1, 130.0)
    assert calm.left_s(130.0) is None
    calm.told({"telco": 1}, 1, 140.0)             # the other line is there no more
    assert calm.left_s(140.0) == CALM_S
    calm.told({}, 0, 150.0)
    assert calm.left_s(150.0) == CALM_S - 10.0


# --- findings


def storage(**changes: Any) -> StorageState:
    facts: dict[str, Any] = {
        "at": 0.0, "total": 100, "free": 40, "uses": {}, "read_only": False, "trouble": "", "errors": 0,
        "written_octets": None, "devices": [], "growth_octets_day": None, "days": 0, "full_at": 0.0}
    return StorageState(**facts | changes)


def facts(*, down: bool = False, reasons: tuple[str, ...] = (), up: bool = True, ses: int = 0) -> Facts:
    record = MaintenanceEntry(number=1, at=0.0, kind="record", by="", record=DayRecord(
        since=0.0, spans={"telco": SpanDay(es=0, ses=ses, uas=0)}))
    return Facts(
        now=DAY_S, records=[record],
        health=Health(at=0.0, daemons=[DaemonHealth(daemon="acdd", state="down" if down else "up")]),
        fitness=Fitness(at=0.0, state="ok", since=0.0, fit=True, reasons=[
            FitnessReason(code=code, about="", state="degraded", since=0.0) for code in reasons]),
        spans={"telco": SpanState(span="telco", up=up, alarms=[], counters={}, at=0.0)})


def wall(source: Any = "ntp", **changes: Any) -> WallClock:
    return WallClock(at=0.0, source=source, since=0.0, **changes)


def card(name: str, oper: str = "up", mbps: int = 1000, **counts: int) -> NetworkCard:
    return NetworkCard(name, 2, ETHERNET, 0x1003, oper, 1500, "", mbps, True, dict.fromkeys(COUNTS, 0) | {
        "rx_packets": 50_000, "tx_packets": 50_000} | counts)


def looked(cards: list[NetworkCard], before: Packets | None = None, boot: str = "b1") -> findings.Found:
    return findings.network(cards, counted(cards, boot), before)


def backups(*made: BackupInfo, overdue: bool = False, path: str = "/media/usb") -> BackupReply:
    return BackupReply(path=path, passphrase=True, running="", overdue=overdue, next_at=0.0,
                       backups=list(made))


def hardware(value: float = 50.0, **inputs: bool) -> Hardware:
    return Hardware(at=0.0, board="duo", inputs=inputs, readings=[
        Reading(name="board", unit="celsius", value=value, low=70.0)])


def hour(**counts: int) -> RecordingCheck:
    plain = {name: 0 for name in ("expected", "found", "missing", "orphans", "differing", "explained")}
    return RecordingCheck(began_at=0.0, checked_at=0.0, findings=[], **plain | counts)


SPOILT = counted([card("eth0", rx_errors=30)], "b1")
CALL = TrialCallConfig(trunk="telco", number="12117")
MADE = BackupInfo(kind="weekly", at=0.0, path="/media/usb/a.backup", verified=True)
FAST = DiskProbe((0.001,) * 25, 5e7)
UPDATE = UpdateState(at=0.0, version="1.4", slot="A", confirmed="A")


def called(**changes: Any) -> CallTested:
    good: dict[str, Any] = {"trunk": "telco", "number": "12117", "error": "", "answer_s": 1.25,
                            "level_dbm0": -13.0}
    return CallTested(**good | changes)


def worn(wear: Any, share: float | None = None, trouble: str = "") -> StorageState:
    return storage(devices=[StorageDevice(
        name="mmcblk0", kind="eMMC", wear=wear, used_share=share, trouble=trouble)])


@pytest.mark.parametrize(("found", "result", "said"), [
    (findings.programs(facts()), "good", "1/1"), (findings.programs(facts(down=True)), "failed", "acdd"),
    (findings.programs(facts(reasons=("warm",))), "attend", "warm"),
    (findings.programs(facts(reasons=("check-restore",))), "good", ""),          # an earlier round's
    (findings.programs(Facts(now=0.0)), "undone", ""),
    (findings.lines(facts()), "good", "telco"), (findings.lines(facts(up=False)), "failed", "telco"),
    (findings.lines(facts(ses=3)), "attend", "telco 3 s"), (findings.lines(Facts(now=0.0)), "undone", ""),
    (looked([card("eth0"), card("eth1", oper="down")]), "good", "eth0 1000 Mbit/s 0.000%"),
    (looked([card("eth0", oper="unknown", mbps=0)]), "good", "eth0 0.000%"),
    (looked([card("eth0", rx_errors=2), card("eth1", tx_errors=30)]), "attend", "at: eth1"),
    (looked([card("eth0", oper="down"), card("eth1", oper="lowerlayerdown")]), "failed", "eth1"),
    (looked([]), "undone", "no network card"),
    # A cable replaced at the last round; the same cable; a start, a driver, a card since then.
    (looked([card("eth0", rx_errors=30, rx_packets=90_000)], SPOILT), "good", "eth0 1000 Mbit/s 0.000%"),
    (looked([card("eth0", rx_errors=60, rx_packets=90_000)], SPOILT), "attend", "at: eth0"),
    (looked([card("eth0", rx_errors=30, rx_packets=90_000)], SPOILT, "b2"), "attend", "at: eth0"),
    (looked([card("eth0", rx_errors=30, rx_packets=90_000)], SPOILT, ""), "attend", "at: eth0"),
    (looked([card("eth0", rx_errors=29)], SPOILT), "attend", "at: eth0"),
    (looked([card("eth1", rx_errors=30)], SPOILT), "attend", "at: eth1"),
    (findings.clock(wall(error_s=0.01), 3.0), "good", "+3.0 ppm"), (findings.clock(None, None), "undone", ""),
    (findings.clock(wall("unknown"), None), "failed", "unknown"),
    (findings.clock(wall("rtc"), None), "attend", "rtc"),
    (findings.clock(wall(error_s=4.0), None), "attend", "NTP"),
    (findings.clock(wall(offset_s=-3.0), None), "attend", "-3000.0 ms"),
    (findings.clock(wall(), -400.0), "attend", "crystal"),
    (findings.clock(wall(rtc_offset_s=86.0), None), "attend", "RTC +86 s"),
    (findings.board(hardware()), "good", "board 50 °C"), (findings.board(hardware(71.0)), "attend", "board"),
    (findings.board(hardware(on_battery=True)), "attend", "on_battery"),
    (findings.board(hardware(on_battery=True, battery_low=True)), "failed", "battery_low"),
    (findings.board(Hardware(at=0.0, board="")), "undone", "no sensors"),
    (findings.board(None), "undone", ""),
    (findings.certificate(Served(tls=True, until=90 * DAY_S), 0.0), "good", "90 d"),
    (findings.certificate(Served(tls=True, until=29 * DAY_S), 0.0), "attend", "ends soon"),
    (findings.certificate(Served(tls=True, until=-DAY_S), 0.0), "failed", "over"),
    (findings.certificate(Served(tls=True, until=DAY_S, own=True), 0.0), "attend", "own"),
    (findings.certificate(Served(tls=False), 0.0), "undone", "without TLS"),
    (findings.certificate(Served(tls=True, error="no cipher"), 0.0), "failed", "no cipher"),
    (findings.certificate(Served(tls=True, error="refused", away=True), 0.0), "undone", "refused"),
    (findings.backup(backups(MADE), DAY_S), "good", "1.0 d"),
    (findings.backup(backups(), 0.0), "failed", "none"),
    (findings.backup(backups(path=""), 0.0), "attend", "backup.path"),
    (findings.backup(backups(MADE, overdue=True), 0.0), "failed", "overdue"),
    (findings.backup(backups(BackupInfo(kind="now", at=1.0, error="full"), MADE), 0.0), "failed", "full"),
    (findings.updates(UPDATE, []), "good", "1.4"),
    (findings.updates(UPDATE, ["b.raucb"]), "attend", "b.raucb"),
    (findings.updates(UpdateState(at=0.0, version="1.4"), []), "undone", "no slots"),
    (findings.updates(UpdateState(at=0.0, version="1", slot="A", unusable=["B"]), []), "attend", "B"),
    (findings.wear(worn("good", 0.2)), "good", "mmcblk0 20%"),
    (findings.wear(worn("worn", 0.9)), "attend", "90%"),
    (findings.wear(worn("urgent", 1.1)), "failed", "110%"),
    (findings.wear(worn("unknown", trouble="offline")), "failed", "offline"),
    (findings.wear(storage()), "undone", "not tell"), (findings.wear(None), "failed", ""),
    (findings.call(CALL, called()), "good", "1.2 s, -13 dBm0"), (findings.call(None, None), "undone", "set"),
    (findings.call(CALL, called(error="ended with cause 34", cause=34)), "undone", "spared"),
    (findings.call(CALL, called(error="was answered, but", cause=8)), "undone", "spared"),
    (findings.call(CALL, called(error="was not answered in 30 s", answer_s=None)), "failed", "not answered"),
    (findings.disk(storage(), FAST), "good", "fsync 1.0 ms"),
    (findings.disk(storage(), DiskProbe(error="Input/output error")), "failed", "Input/output"),
    (findings.disk(storage(read_only=True), FAST), "failed", "read-only"),
    (findings.disk(storage(errors=2), FAST), "attend", "2 errors"),
    (findings.disk(storage(free=5), FAST), "attend", "5%"),
    (findings.disk(storage(full_at=9 * DAY_S), FAST), "attend", "9 days"),
    (findings.disk(storage(), DiskProbe((0.2,) * 25, 1e6)), "attend", "fsync 200.0 ms"),
    (findings.disk(storage(), DiskProbe((0.001,) * 24 + (3.0,), 1e6)), "attend", "3000 ms"),
    (findings.disk(None, FAST), "failed", ""),
    (findings.recordings([hour(expected=3, found=3), hour(expected=2, found=2)]), "good", "5/5"),
    (findings.recordings([hour(expected=3, found=2, missing=1)]), "failed", "1 missing"),
    (findings.recordings([hour(expected=3, found=3, altered=1)]), "failed", "1 altered"),
    (findings.recordings([hour(expected=3, found=3, orphans=1)]), "attend", "1 that no contact"),
    (findings.chain(ChainChecked(entries=9, link="", broken_seq=None, why="", head_seq=9, head_at=0.0)),
     "good", "9"),
    (findings.chain(ChainChecked(entries=9, link="", broken_seq=7, why="x", head_seq=9, head_at=0.0)),
     "failed", "entry 7"),
    (findings.restore(None), "undone", "no backup"), (findings.restore(MADE), "good", "a.backup"),
    (findings.restore(BackupInfo(kind="now", at=0.0, path="/m/a", trial_error="bad")), "failed", "bad"),
    (findings.restore(BackupInfo(kind="now", at=0.0, path="/m/a", trial_error=(
        "/x: 3 MiB are free, the trial needs 9: free space"))), "undone", "no room"),
])
def test_what_figures_come_to(found: Found, result: str, said: str) -> None:
    told = checked("programs", found, 0.0, 0.0)
    assert told.result == result
    assert said in " ".join([told.figure, told.text["en"], told.next.get("en", "")])
    assert set(told.text) == {"en", "zh"} and "{" not in "".join(told.text.values())
    assert told.next or result in ("good", "undone")                 # what is not in order says what to do


def test_all_words_are_in_both_languages_with_the_same_blanks() -> None:
    for name, words in WORDS.items():
        assert words.zh and (not words.do[0]) == (not words.do[1]), name
        assert {part.split("}")[0] for part in words.en.split("{")[1:]} == {
            part.split("}")[0] for part in words.zh.split("{")[1:]}, name


@pytest.mark.parametrize(("why", "zh"), [
    ("was not answered in 30 s", "30 秒内无人应答"), ("VerifyChain: recordd is not there", "recordd 未运行"),
    ("the end was cut off: the box signed entry 9", "末尾被截断：设备曾签署第 9 条"),
    ("read-only", "只读"), ("Errno 5", "Errno 5")])
def test_why_it_is_so_is_said_in_chinese_too(why: str, zh: str) -> None:
    assert WORDS["away"].text(why=why) == {"en": f"it was not to be had: {why}", "zh": f"未能获得结果：{zh}"}


def test_a_failure_is_a_reason_of_the_box_until_a_later_look_is_right() -> None:
    def looked(**results: Any) -> list[SelfChecked]:
        return [SelfChecked(item=item, title={}, result=result) for item, result in results.items()]
    older, newer = looked(call="failed", restore="failed"), looked(call="undone", disk="good")
    assert routine.failed([newer, older]) == ["call", "restore"]     # what was not looked at proves nothing
    assert routine.failed([looked(call="good"), newer, older]) == ["restore"]
    assert {f"check-{item}" for item in REASONS} == {code for code in RULES if code.startswith("check-")}
    judge = Judge(0.0)
    judge.rounds(["call"], 1.0)
    assert "check-call" in [one.code for one in judge.verdict(1.0).reasons]
    judge.rounds([], 2.0)
    assert "check-call" not in [one.code for one in judge.verdict(2.0).reasons]
