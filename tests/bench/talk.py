"""Thirty callers talk to thirty agents, recorded: CPU, memory, the tick and the delay of the audio."""

import statistics
import time
from typing import Any

import numpy as np

from appliance.bus.messages import Heartbeat
from e1_driver import BLOCK
from hil_tests.instruments import audio, speech
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.voice import Voice
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import AGENTS, CALLED, QUEUE_FLOW, BenchError, config
from tests.bench.processes import MEGA, NAMES, Meter, memory
from tests.e2e.rig import Rig

SETTLE_S = 3.0                                    # what starting left to do
IDLE_S = 8.0
TALK_S = 20.0
SET_UP_S = 15.0


class StampedVoice(Voice):
    """Says octets that are nowhere twice; keeps when each block was said and heard, in time.monotonic()."""

    def __init__(self, seed: int) -> None:
        super().__init__(keep_s=1.0)
        self.play(audio.sequence(seed, TALK_S), repeat=False)
        self.spoken: list[tuple[float, bytes]] = []
        self.received: list[tuple[float, bytes]] = []

    def speak(self, out: audio.Octets) -> None:
        super().speak(out)
        self.spoken.append((time.monotonic(), out.tobytes()))

    def hear(self, octets: audio.Octets) -> None:
        self.received.append((time.monotonic(), octets.tobytes()))


def delays_s(near: StampedVoice, far: StampedVoice) -> list[float]:
    """Of the first octet of each block that `far` received: from when `near` handed it over."""
    said = b"".join(octets for _, octets in near.spoken)
    delays, at = [], 0
    for received_at, octets in list(far.received):
        found = said.find(octets, at)
        if found >= 0 and len(set(octets)) > 1:   # silence before and after is everywhere
            at = found
            delays.append(received_at - near.spoken[found // BLOCK][0])
    return delays


def once(say: Say) -> dict[str, float]:
    words = np.concatenate([speech.said(text) for text in speech.texts("caller")])
    with Rig(config(), QUEUE_FLOW) as rig:
        time.sleep(SETTLE_S)
        say(f"  idle for {IDLE_S:g} s")
        meter = Meter(rig)
        time.sleep(IDLE_S)
        idle, idle_s = meter.read()
        figures = {f"RSS, idle: {name}": memory(rig.pid(name)).rss_octets / MEGA for name in NAMES}
        figures["CPU, idle box"] = 100 * sum(idle.values()) / idle_s
        callers, agents = _connect(rig, words)
        say(f"  {AGENTS} calls talk for {TALK_S:g} s")
        figures |= _talk(rig, callers[0], agents[callers[0].calling], sum(idle.values()) / idle_s)
        rig.telco.hang_up_all()
    return figures


def _connect(rig: Rig, words: audio.Octets) -> tuple[list[Call], dict[str, Call]]:
    """All callers, and who talks to each by the caller's number. Everybody speaks, each at another place."""
    rig.pbx.answering(Answering(says=words))
    callers = [rig.telco.place_call(CALLED, calling=f"13800138{number:03}") for number in range(AGENTS)]
    for number, call in enumerate(callers):
        call.answered(SET_UP_S)
        call.play(np.roll(words, number * len(words) // AGENTS), repeat=True)
    rig.bus.wait_event(
        Heartbeat, lambda beat: beat.daemon == "spand" and beat.facts.get("recordings") == AGENTS
        and beat.facts.get("bridges") == AGENTS, SET_UP_S)
    return callers, {call.calling: call for call in rig.pbx.calls}


def _talk(rig: Rig, caller: Call, agent: Call, idle_cpu: float) -> dict[str, float]:
    """`idle_cpu`: CPU seconds a second that the box needs without calls."""
    stamped = StampedVoice(1), StampedVoice(2)
    _give(rig.telco, caller, stamped[0])
    _give(rig.pbx, agent, stamped[1])
    mark, slips, meter = rig.bus.mark(), _spand_facts(rig, rig.bus.mark() - 1)[-1]["slips"], Meter(rig)
    time.sleep(TALK_S)
    spent, seconds = meter.read()
    facts = _spand_facts(rig, mark)
    total = sum(spent.values())
    if len(rig.telco.calls) != AGENTS:
        raise BenchError(f"only {len(rig.telco.calls)} of {AGENTS} calls lasted")
    ways_ms = [1000 * np.array(delays_s(*voices)) for voices in (stamped, stamped[::-1])]
    if min(map(len, ways_ms)) < TALK_S * 50:
        raise BenchError(f"of {TALK_S:g} s only {min(map(len, ways_ms))} blocks arrived at the other end")
    ways_ms.sort(key=lambda way: float(np.median(way)))
    used = {name: memory(rig.pid(name)) for name in NAMES}
    call_ms = 1000 / (AGENTS * seconds)
    return {
        "CPU of 30 recorded calls": total * call_ms,
        **{f"CPU of 30 recorded calls: {name}": spent[name] * call_ms for name in NAMES},
        "CPU of 30 recorded calls, above idle": (total - idle_cpu * seconds) * call_ms,
        "CPU, box with 30 recorded calls": 100 * total / seconds,
        "spand's tick, mean": statistics.mean(one["tick_us_mean"] for one in facts),
        "spand's tick, p99": statistics.median(one["tick_us_max"] for one in facts),
        "spand's tick, max": max(one["tick_us_max"] for one in facts),
        "blocks slipped": facts[-1]["slips"] - slips,
        "audio delay E1 to E1, quicker way, p50": float(np.median(ways_ms[0])),
        "audio delay E1 to E1, slower way, p50": float(np.median(ways_ms[1])),
        "audio delay E1 to E1, slower way, p99": float(np.percentile(ways_ms[1], 99)),
        "audio delay E1 to E1, slower way, max": float(max(ways_ms[1])),
        **{f"RSS, 30 calls: {name}": used[name].rss_octets / MEGA for name in NAMES},
        "memory of the box, 30 calls": sum(one.pss_octets for one in used.values()) / MEGA,
    }


def _give(exchange: SoftwareExchange, call: Call, voice: StampedVoice) -> None:
    with exchange.audio_condition:
        call.voice = voice


def _spand_facts(rig: Rig, since: int) -> list[dict[str, Any]]:
    return [beat.facts for beat in rig.bus.said(Heartbeat, since) if beat.daemon == "spand"]


def _kinds() -> tuple[Kind, ...]:
    call_second = "CPU-ms/call-s"
    return (
        Kind("CPU of 30 recorded calls", call_second),
        *(Kind(f"CPU of 30 recorded calls: {name}", call_second) for name in NAMES),
        Kind("CPU of 30 recorded calls, above idle", call_second),
        Kind("CPU, box with 30 recorded calls", "% of a core"),
        Kind("CPU, idle box", "% of a core"),
        Kind("spand's tick, mean", "us", "10,000 is all there is"),
        Kind("spand's tick, p99", "us"),
        Kind("spand's tick, max", "us"),
        Kind("blocks slipped", "blocks", "0"),
        Kind("audio delay E1 to E1, quicker way, p50", "ms", "at most 25"),
        Kind("audio delay E1 to E1, slower way, p50", "ms", "at most 25"),
        Kind("audio delay E1 to E1, slower way, p99", "ms", "at most 25"),
        Kind("audio delay E1 to E1, slower way, max", "ms"),
        *(Kind(f"RSS, idle: {name}", "MB") for name in NAMES),
        *(Kind(f"RSS, 30 calls: {name}", "MB") for name in NAMES),
        Kind("memory of the box, 30 calls", "MB", "at most 400"))


TALK = Theme(
    "talk", f"30 callers on one span talk to 30 agents on the other for {TALK_S:g} s; both speak, both are "
    "recorded, DTMF is listened for on all 60 channels. A call-second is one second of one such call. The "
    f"idle box is the same box before the calls, for {IDLE_S:g} s. The tick's p99 is the median of the worst "
    "tick of each second. The delay is that of octets from the moment one exchange hands them over to the "
    "moment the other reads them; the two ways together take two blocks, and the way toward the line whose "
    "block comes first is the slower one. RSS counts shared pages, the record ring among them, in each "
    "daemon; the memory of the box counts them once.",
    _kinds(), once)
