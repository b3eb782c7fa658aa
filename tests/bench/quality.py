"""What caller and agent hear: PESQ and delay of a call through the box, beside a peer on the same packets."""

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from appliance.bus.messages import (
    GetMedia,
    JoinConference,
    MaskDigits,
    Media,
    PauseRecording,
    ResumeRecording,
    RtpSettings,
    SetAgc,
    SetEcho,
    SetGain,
    StartRecording,
    StopRecording,
)
from e1_driver import BLOCK
from hil_tests.instruments import audio
from tests.bench.figures import Kind, Say, Theme
from tests.bench.hearing import SECONDS, Spoken, mos, place, unlike, voices
from tests.bench.quality_box import Box, channels, differing, recorded, running
from tests.bench.quality_peers import spandsp, speexdsp
from tests.media.echo.annexes import PATHS
from tests.span.far import Channel
from tests.span.telephones import PACKET_OCTETS, Telephone, Wire

CASES = ("bridge", "recorded bridge", "conference of 3", "gain of -6 dB", "digits masked", "AGC")
LOSSES = (0.0, 0.01, 0.03, 0.05)
MOST_DELAY_S = 0.04                               # ± 20 ms
OURS, PEER = "RTP to E1", "spandsp"
SETTLE_S = 3.0                                    # before the talk: jitter buffers look at the network
REST_S = 1.0                                      # after it
PAUSE_S = 2.0                                     # of the recordings, amid the talk
ERL_DB, ECHO_DELAY_S = 10.0, 0.02
PAIRS = 4                                         # of talkers with echo

Judge = Callable[[], dict[str, float]]


def once(say: Say) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return asyncio.run(_measure(Path(folder), say))


async def _measure(folder: Path, say: Say) -> dict[str, float]:
    """First all that is in real time, then what is to be thought about."""
    judges: list[Judge] = []
    async with running(folder) as box:
        before = await box.bus.ask(GetMedia())
        for what, part in (("E1 to E1", _lines), ("E1, RTP, E1", _packets), ("echo", _echo)):
            say(f"  {what}")
            judges.append(await part(box))
        figures = _punctuality(before, await box.bus.ask(GetMedia()))
    say("  what was heard")
    for judge in judges:
        figures |= judge()
    return figures


# --- E1 to E1 -------------------------------------------------------------------------------------------


async def _lines(box: Box) -> Judge:
    people = voices("caller", "agent")
    seats = [(case, spoken) for case in CASES for spoken in people]
    callers, agents = channels("telco"), channels("pbx")
    for number, (case, _) in enumerate(seats):
        await box.bind(f"caller{number}", callers[number])
        await box.bind(f"agent{number}", agents[number])
        await _connect(box, case, number)
    thirds = [number for number, (case, _) in enumerate(seats) if case == "conference of 3"]
    for number, channel in zip(thirds, callers[len(seats):], strict=False):
        await box.bind(f"third{number}", channel)
        await box.bus.ask(JoinConference(conference=f"room{number}", leg=f"third{number}"))
    taped = [number for number, (case, _) in enumerate(seats) if case == "recorded bridge"]
    talk = {callers[number]: spoken.octets for number, (_, spoken) in enumerate(seats)}
    answers = {agents[number]: np.roll(seats[number][1].octets, 12_345) for number in taped}
    await asyncio.sleep(REST_S)
    begun = box.talkers.say(talk | answers)
    pauses = await _pause(box, taped)
    await asyncio.sleep(SECONDS - PAUSE_S)
    for number in taped:
        await box.bus.ask(StopRecording(recording=f"{number + 1:032x}"))
    await asyncio.sleep(2 * REST_S)               # recordd writes once a second
    taken = {number: await recorded(box, f"{number + 1:032x}") for number in taped}

    def judge() -> dict[str, float]:
        wrong = sum(
            differing(taken[number], pauses[number], talk[callers[number]], answers[agents[number]])
            for number in taped)
        return {"octets of recordings unlike the call": wrong,
                **_case_figures(box, seats, callers, agents, begun)}
    return judge


async def _connect(box: Box, case: str, number: int) -> None:
    caller, agent, ask = f"caller{number}", f"agent{number}", box.bus.ask
    if case == "conference of 3":
        for leg in (caller, agent):
            await ask(JoinConference(conference=f"room{number}", leg=leg))
        return
    await box.bridge(caller, agent)
    match case:
        case "recorded bridge":
            await ask(StartRecording(recording=f"{number + 1:032x}", caller_leg=caller, agent_leg=agent))
        case "gain of -6 dB":
            await ask(SetGain(leg=caller, received_db=-6.0))
        case "digits masked":
            await ask(MaskDigits(leg=caller, on=True))
        case "AGC":
            await ask(SetAgc(leg=caller, on=True))


async def _pause(box: Box, numbers: list[int]) -> dict[int, range]:
    """Pause these recordings for about PAUSE_S: which ticks of each that is."""
    names = {number: f"{number + 1:032x}" for number in numbers}
    await asyncio.sleep(PAUSE_S)
    begun = {number: await box.bus.ask(PauseRecording(recording=name)) for number, name in names.items()}
    await asyncio.sleep(PAUSE_S)
    ended = {number: await box.bus.ask(ResumeRecording(recording=name)) for number, name in names.items()}
    return {number: range(begun[number].tick, ended[number].tick) for number in numbers}


def _case_figures(
    box: Box, seats: list[tuple[str, Spoken]], callers: list[Channel], agents: list[Channel],
    begun: dict[str, int],
) -> dict[str, float]:
    figures: dict[str, float] = {"octets changed, bridge": 0}
    for case in CASES:
        scores, of_linear, delays_ms = [], [], []
        for number in [number for number, (one, _) in enumerate(seats) if one == case]:
            spoken, heard = seats[number][1], box.talkers.heard(agents[number])
            said, samples = audio.expand(spoken.octets), audio.expand(heard)
            scores.append(mos(said, samples))
            of_linear.append(mos(spoken.linear, samples))
            said_at = box.talkers.at[callers[number][0]][begun[callers[number][0]]:][:len(said) // BLOCK]
            heard_at = box.talkers.at[agents[number][0]][place(said, samples) // BLOCK:]
            delays_ms += [1000 * (there - here) for here, there in zip(said_at, heard_at, strict=False)]
            if case == "bridge":
                figures["octets changed, bridge"] += unlike(spoken.octets, heard)
        figures |= {f"PESQ, {case}": statistics.median(scores),
                    f"PESQ, {case}, of 16 bits": statistics.median(of_linear),
                    f"delay, {case}, p50": statistics.median(delays_ms)}
    return figures


# --- RTP ------------------------------------------------------------------------------------------------


async def _packets(box: Box) -> Judge:
    """Each voice once for each loss: E1 to RTP, over a wire, RTP to E1."""
    people = voices("caller", "agent")
    froms, tos = channels("telco")[:len(people)], channels("pbx")[:len(people)]
    wires = []
    for number in range(len(people)):
        await box.bind(f"from{number}", froms[number])
        await box.bind(f"to{number}", tos[number])
        hears = await box.open(f"hears{number}", RtpSettings(direction="recvonly"))
        wires.append(box.network.wire([hears], MOST_DELAY_S, number))
        await box.open(f"sends{number}", RtpSettings(
            remote=wires[-1].address, direction="sendonly", latch=False))
        await box.bridge(f"from{number}", f"sends{number}")
        await box.bridge(f"hears{number}", f"to{number}")
    await asyncio.sleep(SETTLE_S)
    begun = box.talkers.say({one: np.tile(spoken.octets, len(LOSSES))
                             for one, spoken in zip(froms, people, strict=True)})
    for loss in LOSSES:
        for wire in wires:
            wire.loss = loss
        await asyncio.sleep(SECONDS)
    await asyncio.sleep(REST_S)
    return partial(_packet_figures, box, people, froms, tos, wires, begun)


def _packet_figures(
    box: Box, people: list[Spoken], froms: list[Channel], tos: list[Channel], wires: list[Wire],
    begun: dict[str, int],
) -> dict[str, float]:
    scores: dict[str, list[float]] = {}
    delays_ms: dict[str, list[float]] = {}
    wrong = 0
    size = len(people[0].octets)
    for spoken, one, other, wire in zip(people, froms, tos, wires, strict=True):
        said, heard = audio.expand(spoken.octets), audio.expand(box.talkers.heard(other))
        said_at, heard_at = box.talkers.at[one[0]][begun[one[0]]:], box.talkers.at[other[0]]
        sent, sent_at = wire.heard()
        wrong += unlike(np.tile(spoken.octets, len(LOSSES)), sent)
        begin = place(audio.expand(np.tile(spoken.octets, len(LOSSES))), audio.expand(sent))
        lost = {wire.number(packet) for packet in wire.lost}
        listeners = {OURS: heard, PEER: spandsp(sent, lost)}
        for number, loss in enumerate(LOSSES):
            at = number * size
            packets = range((begin + at) // PACKET_OCTETS + 1, (begin + at + size) // PACKET_OCTETS)
            delays_ms.setdefault("E1 to RTP", []).extend(
                1000 * (sent_at[packet] - said_at[(packet * PACKET_OCTETS - begin) // BLOCK])
                for packet in packets)
            came = _near(said, heard, number)
            delays_ms.setdefault(_name(OURS, loss), []).extend(
                1000 * (heard_at[(came + packet * PACKET_OCTETS - begin - at) // BLOCK] - sent_at[packet])
                for packet in packets)
            for who, samples in listeners.items():
                scores.setdefault(_name(who, loss), []).append(_part_mos(said, samples, number))
    return {"octets changed, E1 to RTP": wrong,
            **{f"PESQ, {name}": statistics.median(values) for name, values in scores.items()},
            **{f"delay, {name}, p50": statistics.median(values) for name, values in delays_ms.items()}}


def _part(said: audio.Samples, heard: audio.Samples, number: int) -> int:
    """Where the `number`th of the repetitions of `said` may be at the earliest."""
    return max(0, place(np.tile(said, len(LOSSES)), heard) + number * len(said) - audio.RATE_HZ)


def _near(said: audio.Samples, heard: audio.Samples, number: int) -> int:
    begin = _part(said, heard, number)
    return begin + place(said, heard[begin:begin + len(said) + 2 * audio.RATE_HZ])


def _part_mos(said: audio.Samples, heard: audio.Samples, number: int) -> float:
    begin = _part(said, heard, number)
    return mos(said, heard[begin:begin + len(said) + 2 * audio.RATE_HZ])


def _name(what: str, loss: float) -> str:
    return f"{what}, {100 * loss:g} % lost"


# --- echo -----------------------------------------------------------------------------------------------


async def _echo(box: Box) -> Judge:
    """A telephone talks to a line with a hybrid; then both talk. Each pair with the canceller and without."""
    far, near = voices("caller")[:PAIRS], voices("agent", "answerer")[:PAIRS]
    factor, model = PATHS[1]
    path = np.concatenate([np.zeros(round(ECHO_DELAY_S * audio.RATE_HZ)),
                           10 ** (-ERL_DB / 20) * factor * np.array(model)])
    lines, telephones = channels("pbx")[30:30 + 2 * PAIRS], []
    for number, line in enumerate(lines):
        await box.bind(f"line{number}", line)
        box.talkers.echo(line, path)
        address = await box.open(f"telephone{number}", RtpSettings())
        telephones.append(box.network.telephone(address))
        await box.bridge(f"telephone{number}", f"line{number}")
        await box.bus.ask(SetEcho(leg=f"line{number}", on=number < PAIRS))
    await asyncio.sleep(REST_S)
    for number, telephone in enumerate(telephones):
        telephone.say(np.tile(far[number % PAIRS].octets, 2))
    await asyncio.sleep(SECONDS / 2)
    alone_from = [telephone.octets for telephone in telephones]
    await asyncio.sleep(SECONDS / 2)
    alone_to = [telephone.octets for telephone in telephones]
    box.talkers.say({line: near[number % PAIRS].octets for number, line in enumerate(lines)})
    await asyncio.sleep(SECONDS + REST_S)
    return partial(_echo_figures, box, lines, telephones, near, list(zip(alone_from, alone_to, strict=True)))


def _echo_figures(
    box: Box, lines: list[Channel], telephones: list[Telephone], near: list[Spoken],
    alone: list[tuple[int, int]],
) -> dict[str, float]:
    """`alone`: from and to which octet of what a telephone heard only it was talking."""
    heard = [audio.expand(telephone.heard()[0]) for telephone in telephones]
    theirs = speexdsp([box.talkers.heard(line) for line in lines[PAIRS:]],
                      [box.talkers.returned(line) for line in lines[PAIRS:]])
    whose = {"cancelled": heard[:PAIRS], "not cancelled": heard[PAIRS:], "speexdsp": theirs}
    figures: dict[str, float] = {}
    for number, (state, rows) in enumerate(whose.items()):
        levels, scores = [], []
        for row, samples in enumerate(rows):
            said, (begin, end) = audio.expand(near[row].octets), alone[row + PAIRS * (number > 0)]
            levels.append(audio.level_dbm0(audio.compress(samples[begin:end])))
            scores.append(mos(said, samples[end:]))
        figures |= {f"echo at the telephone, {state}": statistics.median(levels),
                    f"PESQ, both talk, {state}": statistics.median(scores)}
    return figures


# --- the table ------------------------------------------------------------------------------------------


def _punctuality(before: Media, after: Media) -> dict[str, float]:
    slips = [sum(span["slips"] for span in media.spans.values()) for media in (before, after)]
    return {"blocks slipped meanwhile": slips[1] - slips[0],
            "ticks over 10 ms late meanwhile": after.box["late_ticks"] - before.box["late_ticks"],
            "stalls meanwhile": after.box["stalls"] - before.box["stalls"]}


def _kinds() -> tuple[Kind, ...]:
    scale = "MOS-LQO"
    kinds = [Kind("octets changed, bridge", "octets", "0")]
    for case in CASES:
        kinds += [Kind(f"PESQ, {case}", scale, "4.55 is unchanged"), Kind(f"PESQ, {case}, of 16 bits", scale),
                  Kind(f"delay, {case}, p50", "ms", "20 more" if case == "digits masked" else "at most 25")]
    kinds += [Kind("octets of recordings unlike the call", "octets", "0"),
              Kind("octets changed, E1 to RTP", "octets", "0"), Kind("delay, E1 to RTP, p50", "ms")]
    for loss in LOSSES:
        kinds += [*(Kind(f"PESQ, {_name(who, loss)}", scale) for who in (OURS, PEER)),
                  Kind(f"delay, {_name(OURS, loss)}, p50", "ms")]
    kinds += [Kind(f"{what}, {state}", unit)
              for what, unit in (("echo at the telephone", "dBm0"), ("PESQ, both talk", scale))
              for state in ("cancelled", "not cancelled", "speexdsp")]
    kinds += [Kind("blocks slipped meanwhile", "blocks", "0"),
              Kind("ticks over 10 ms late meanwhile", "ticks", "0"), Kind("stalls meanwhile", "", "0")]
    return tuple(kinds)


QUALITY = Theme(
    "quality", "What is heard of eight voices, five Chinese and three English, through spand: PESQ (P.862, "
    "narrow band, as MOS-LQO of P.862.1) against the A-law that was said, or against the 16 bits from which "
    "that was made, the median of the voices. RTP: packets of 20 ms over a wire that loses so many of them "
    "at random and delays each by 0 to 40 ms, so that they overtake each other; spandsp's concealment gets "
    "the same packets from an ideal jitter buffer, which calls none of them late. Delays count from when the "
    "first octet was handed over; of RTP to E1 from when the telephone sent the packet, the wire's included. "
    f"Echo: a hybrid gives a telephone's words back {ERL_DB:g} dB weaker, {1000 * ECHO_DELAY_S:g} ms later "
    "(G.168, path 1); its level while the telephone alone talks, then how well the near end is heard while "
    "both do. libspeexdsp's canceller and preprocessor get what uncancelled lines were sent and gave back.",
    _kinds(), once)
