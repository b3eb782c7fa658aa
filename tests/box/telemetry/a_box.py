"""A box of four spans at work, as boxd hears it."""

from appliance.box.network_cards import COUNTS, ETHERNET, NetworkCard
from appliance.box.telemetry.machine import Machine
from appliance.box.telemetry.seen import OwnCounts, Performance, Seen
from appliance.bus.messages import (
    DAEMONS,
    AgentInfo,
    Board,
    CallAnswered,
    CallIncoming,
    CallReleased,
    CardState,
    ChannelInfo,
    ChannelStates,
    ClockState,
    ContactInfo,
    DaemonHealth,
    Fitness,
    FitnessReason,
    Hardware,
    Health,
    LineFailure,
    QueueInfo,
    Reading,
    RecorderChanged,
    RecorderState,
    RecorderWarning,
    RecordingFinished,
    RecordingInfo,
    SpanState,
    StorageDevice,
    StorageState,
    WallClock,
)
from appliance.bus.messages.card import CardRelay
from e1_driver import BEARERS, Counters
from e1_driver.watch.bins import Bin, End

AT = 1_795_000_000.0
FACTS = {
    "spand": {"ticks": 360_000.0, "late_ticks": 2.0, "tick_ms_p999": 3.1, "stalled_s": 0.0, "underruns": 1.0,
              "failures": 0.0, "legs": 60.0, "rtp_legs": 12.0, "rtp_lost": 5.0, "rtp_concealed_ms": 100.0,
              "rtp_jitter_ms_max": 4.5},
    "trunkd": {"calls": 60.0},
    "acdd": {"log_seq": 123_456.0, "faults": 0.0},
    "recordd": {"open_recordings": 60.0, "unfinished": 3.0, "lost_s": 0.0, "gap_s": 0.5, "failing": 0.0,
                "lag_ticks": 12.0, "journal_octets": 1e9},
}


def counters(grown: int) -> dict[str, int]:
    return {name: grown for name in Counters.__slots__}


def a_box(spans: int = 4, queues: int = 6, agents: int = 60, turn: int = 0) -> Seen:
    """After so many turns of 30 s: figures grow."""
    at = AT + 30 * turn
    seen = Seen(version="1.0", at=at)
    seen.hear(Health(at=at, daemons=[DaemonHealth(
        daemon=name, state="up", pid=100, started_at=AT - 3600, starts=1, rss_octets=40 << 20,
        cpu_s=10.0 + turn, facts=FACTS.get(name, {})) for name in DAEMONS]))
    for number in range(1, spans + 1):
        name = f"telco{number}"
        seen.hear(SpanState(span=name, up=True, alarms=["rai"] if number == 1 else [], at=at, level_db=-2,
                            counters=counters(1000 * number + turn), clock="line"))
        seen.hear(ChannelStates(span=name, trunk="telco", link_up=True, channels=[
            ChannelInfo(timeslot=slot, state="busy" if slot % 2 else "idle") for slot in BEARERS]))
        seen.hear(LineFailure(span=name, alarm="rai", declared=number == 1, since=at - 60, at=at))
    quarter = Bin(at=0, length_s=900, near=End(900, 1, 2, 3, 4, 5), far=End(900, 0, 0, 0, 0, 0))
    seen.performance = {f"telco{number}": Performance(quarter, quarter) for number in range(1, spans + 1)}
    seen.hear(ClockState(source="telco1", why="", at=at))
    seen.hear(CallIncoming(leg="l", trunk="telco", called="1", calling="2", calling_name="", complete=True,
                           at=at))
    seen.hear(CallAnswered(leg="l", at=at))
    seen.hear(CallReleased(leg="l", cause=16, by="far", at=at))
    seen.hear(RecordingFinished(info=RecordingInfo(recording="r", known=True)))
    seen.hear(Board(at=at, contacts=[
        ContactInfo(contact=f"c{n}", direction="in", calling="1", called="2", state="talking", began_at=at)
        for n in range(60)],
        queues=[QueueInfo(name=f"queue{n}", waiting=["c1", "c2"], oldest_since=at - 12, callbacks=1)
                for n in range(queues)],
        agents=[AgentInfo(name=f"a{n}", extension=str(n), state="talking", since=at) for n in range(agents)]))
    seen.queues = {f"queue{n}": {"offered": 100.0, "answered": 90.0, "abandoned": 5.0, "service_level": 0.83}
                   for n in range(queues)}
    seen.hear(RecorderChanged(state=RecorderState(warnings=[
        RecorderWarning(kind="low-space", text="x", since=at)])))
    seen.hear(Hardware(at=at, board="duo", inputs={"power_fail": False, "on_battery": False}, readings=[
        Reading(name="board", unit="celsius", value=41.5), Reading(name="fan", unit="rpm", value=2100.0)]))
    for card in ("card1", "card2"):
        seen.hear(CardState(
            at=at, card=card, device="/dev/linecard", temperature_celsius=38.0, supplies_mv={"3v3": 3301},
            relay=CardRelay(energised=True, sense="box", why="", lease_s=3.0, operations=4)))
    seen.hear(Fitness(at=at, state="degraded", since=at, fit=True, reasons=[
        FitnessReason(code="disk-low", about="", state="degraded", since=at)]))
    seen.hear(WallClock(at=at, source="ntp", since=at, error_s=0.002, offset_s=0.0001))
    seen.storage = StorageState(
        at=at, total=8 << 30, free=3 << 30, uses={"recordings": 4 << 30, "events": 1 << 20}, read_only=False,
        trouble="", errors=0, written_octets=9 << 30, growth_octets_day=1e6, days=9, full_at=at + 86_400,
        devices=[StorageDevice(name="mmcblk0", kind="eMMC", used_share=0.1)])
    seen.network = (NetworkCard(
        "eth0", 2, ETHERNET, 0x1003, "up", 1500, "02:00:00:00:00:07", 1000, True,
        {name: 1000 * number + turn for number, name in enumerate(COUNTS)}),)
    seen.machine = Machine(memory_octets=1 << 30, available_octets=600 << 20, busy_s=50.0 + turn)
    seen.own = OwnCounts()
    return seen
