"""The engine, tick by tick: bridges, players, recordings, detection, plans and their ticks."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.media import g711, levels, tones
from appliance.media.detect import DETECTORS
from appliance.media.echo import EchoCanceller
from appliance.media.engine import LISTEN_TICKS, Engine, Heard, Sound, Tick
from appliance.media.g711 import Linear, Octets
from appliance.media.graph import Graph
from appliance.media.guarded import AWAY_TICKS
from appliance.media.masking import LATE
from appliance.media.players import FADE
from e1_driver import BLOCK, IDLE

PORTS = 64
ONE = bytes(range(1, 17))
TONE = tones.dtmf("5", on_ms=1000, off_ms=0)


class Bench:
    """A graph and its engine, with every port saying its own number."""

    def __init__(self, ports: int = PORTS) -> None:
        self.graph, self.engine = Graph(ports), Engine(ports)
        self.rx = self.engine.blank()
        self.rx[:] = np.arange(ports)[:, None]

    def tick(self) -> Tick:
        plan = self.graph.take_plan()
        if plan is not None:
            self.engine.change(plan)
        return self.engine.tick(self.rx)

    def hears(self, port: int, ticks: int) -> bytes:
        return b"".join(self.tick().tx[port].tobytes() for _ in range(ticks))

    def play(self, port: int, sound: Sound, tag: int = 1) -> int:
        row = self.graph.play(sound, tag)
        self.graph.hear(port, row)
        return row


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ramp(length: int) -> Octets:
    return np.arange(length, dtype=np.uint8)


def test_an_unconnected_port_hears_silence(bench: Bench) -> None:
    assert (bench.tick().tx == IDLE).all()


def test_a_bridge_is_octet_for_octet_and_nobody_else_hears_it(bench: Bench) -> None:
    bench.rx[:] = np.random.default_rng(1).integers(0, 256, (PORTS, BLOCK))
    bench.graph.hear(3, 40)
    bench.graph.hear(40, 3)
    tx = bench.tick().tx
    assert (tx[3] == bench.rx[40]).all()
    assert (tx[40] == bench.rx[3]).all()
    assert (np.delete(tx, [3, 40], axis=0) == IDLE).all()


def test_what_came_in_is_left_alone(bench: Bench) -> None:
    bench.graph.set_gain(3, received_db=6.0)
    before = bench.rx.copy()
    for _ in range(10):
        bench.tick()
    assert (bench.rx == before).all()


# Players

def test_a_sound_is_played_once_to_its_last_octet_and_its_end_is_said_once(bench: Bench) -> None:
    bench.play(5, Sound(ramp(200)), tag=7)
    ticks = [(tick.tx[5].tobytes(), tick.ended) for tick in (bench.tick() for _ in range(5))]
    assert b"".join(heard for heard, _ in ticks) == ramp(200).tobytes() + bytes([IDLE]) * 200
    assert [ended for _, ended in ticks] == [[], [], [7], [], []]


def test_a_sound_of_whole_blocks_ends_with_its_last_block(bench: Bench) -> None:
    bench.play(5, Sound(np.zeros(160, np.uint8)), tag=7)
    assert [bench.tick().ended for _ in range(3)] == [[], [7], []]


@pytest.mark.parametrize("length", [1, 7, 79, 80, 81, 160, 333])
def test_a_repeated_sound_has_no_seam(bench: Bench, length: int) -> None:
    bench.play(2, Sound(ramp(length), repeat=True))
    assert bench.hears(2, 20) == np.resize(ramp(length), 1600).tobytes()


def test_a_sound_goes_on_through_other_changes(bench: Bench) -> None:
    bench.play(2, Sound(ramp(240)))
    bench.tick()
    bench.graph.hear(9, 10)
    assert bench.hears(2, 1) == bytes(range(80, 160))


def test_one_player_may_be_heard_by_many_and_one_sound_played_by_many_players(bench: Bench) -> None:
    sound = Sound(ramp(160), repeat=True)
    row = bench.play(2, sound)
    bench.graph.hear(4, row)
    bench.tick()
    bench.play(3, sound, tag=2)
    tx = bench.tick().tx
    assert (tx[2, 0], tx[4, 0], tx[3, 0]) == (80, 80, 0)


def test_a_held_player_stands_still_and_swells_again(bench: Bench) -> None:
    row = bench.play(2, Sound(ramp(240)))
    bench.tick()
    bench.graph.hold_player(row, True)
    bench.tick()
    assert bench.hears(2, 3) == bytes([IDLE]) * 240
    bench.graph.hold_player(row, False)
    heard = np.frombuffer(bench.hears(2, 1), np.uint8)
    assert (heard[FADE:] == np.arange(80 + FADE, 160)).all()
    swelling = np.abs(g711.decode(heard[:FADE]) / g711.decode(ramp(240)[80:80 + FADE]))
    assert swelling[0] < 0.1 and swelling[-1] > 0.9


def test_a_sound_that_is_cut_dies_away_over_what_comes_next(bench: Bench) -> None:
    loud = g711.encode(np.full(400, 8000, np.int16))
    row = bench.play(2, Sound(loud))
    bench.tick()
    bench.graph.end_player(row)
    bench.graph.hear(2, 40)
    heard = g711.decode(bench.tick().tx[2]).astype(int) - int(g711.decode(bench.rx[40, :1])[0])
    assert 7500 < heard[0] < 8200 and (np.diff(heard[:FADE]) <= 0).all() and heard[FADE - 1] < 500
    assert (heard[FADE:] == 0).all()


def test_a_sound_that_is_cut_dies_away_for_who_hears_it_in_a_mix(bench: Bench) -> None:
    """A supervisor, a party of a conference, and a leg whose mix loses the sound that others still hear."""
    graph, loud = bench.graph, Sound(g711.encode(np.full(400, 8000, np.int16)))
    cut, on = graph.play(loud, 1), graph.play(loud, 2)
    conference = graph.open_conference()
    for row in (40, cut):
        graph.join(conference, row)
    mixes = [graph.mix(terms=[(40, 0.0), (cut, 20 * np.log10(0.5))]), graph.mix(conference),
             graph.mix(terms=[(40, 0.0), (on, 0.0)])]
    for port, row in enumerate([*mixes, on], start=2):
        graph.hear(port, row)
    bench.tick()
    graph.end_player(cut)
    graph.change_mix(mixes[2], terms=[(40, 0.0)])
    tx = bench.tick().tx
    beside = int(g711.decode(bench.rx[40, :1])[0])
    for port, begins in ((2, 4000), (3, 8000), (4, 8000)):
        heard = g711.decode(tx[port]).astype(int) - beside
        assert 0.93 * begins < heard[0] < 1.03 * begins, port
        assert (np.diff(heard[:FADE]) <= 0).all() and heard[FADE - 1] < begins / 16, port
        assert (heard[FADE:] == 0).all(), port
    assert (tx[5] == loud.octets[:BLOCK]).all()


def test_a_sound_that_goes_on_in_a_mix_or_out_of_it_is_not_ended(bench: Bench) -> None:
    row = bench.play(2, Sound(g711.encode(np.full(800, 8000, np.int16))))
    mix = bench.graph.mix(terms=[(row, 0.0), (41, 0.0)])
    bench.rx[41] = IDLE
    first = bench.tick().tx[2].copy()
    for heard in (mix, row, mix):
        bench.graph.hear(2, heard)
        assert np.abs(g711.decode(bench.tick().tx[2]).astype(int) - g711.decode(first)).max() <= 8


def test_a_sound_that_has_ended_or_never_sounded_leaves_no_trace(bench: Bench) -> None:
    row = bench.play(2, Sound(ramp(80)))
    bench.tick()
    bench.graph.end_player(row)
    unheard = bench.graph.play(Sound(ramp(80)), 2)
    bench.graph.hear(3, unheard)
    plan = bench.graph.take_plan()
    assert plan is not None
    bench.engine.change(plan)                     # and another one before the next tick
    bench.graph.end_player(unheard)
    assert (bench.tick().tx[[2, 3]] == IDLE).all()


def test_a_port_that_comes_back_before_the_next_tick_never_was_away(bench: Bench) -> None:
    row = bench.play(2, Sound(ramp(240)))
    bench.tick()
    for heard in (40, row):
        bench.graph.hear(2, heard)
        plan = bench.graph.take_plan()
        assert plan is not None
        bench.engine.change(plan)
    assert bench.hears(2, 1) == bytes(range(80, 160))


def test_a_sound_has_octets() -> None:
    with pytest.raises(ValueError, match="without octets"):
        Sound(ramp(0), repeat=True)
    with pytest.raises(ValueError, match=r"a sound of uint8\[2, 80\]: octets in a row are one"):
        Sound(ramp(160).reshape(2, 80))


@pytest.mark.parametrize("repeat", [False, True])
def test_a_sound_may_be_any_part_of_an_array_or_a_file(bench: Bench, tmp_path: Path, repeat: bool) -> None:
    path = tmp_path / "sound.al"
    path.write_bytes(bytes(range(240)))
    bench.play(2, Sound(ramp(240)[::-3], repeat))
    bench.play(3, Sound(np.memmap(path, np.uint8, "r"), repeat))
    assert bench.hears(2, 1) == bytes(range(239, 0, -3))
    assert bench.hears(3, 1) == bytes(range(80, 160))


# Taps

def test_a_recording_has_its_sides_left_and_right_and_silence_for_none(bench: Bench) -> None:
    bench.graph.tap(ONE, 3, 40)
    bench.graph.tap(ONE[::-1], 4, None)
    tick = bench.tick()
    assert tick.audio[:, :, 0].tolist() == [[3, 40], [4, IDLE]]
    assert [name.tobytes() for name in tick.recordings] == [ONE, ONE[::-1]]


def test_a_recording_keeps_its_row_and_a_free_row_has_no_name(bench: Bench) -> None:
    bench.graph.tap(ONE, 3, 40)
    bench.graph.tap(ONE[::-1], 4, 41)
    bench.graph.end_tap(ONE)
    tick = bench.tick()
    assert [name.tobytes() for name in tick.recordings] == [bytes(16), ONE[::-1]]
    assert tick.audio[:, :, 0].tolist() == [[IDLE, IDLE], [4, 41]]


def test_a_paused_recording_goes_on_in_silence(bench: Bench) -> None:
    bench.graph.tap(ONE, 3, 40)
    bench.tick()
    bench.graph.pause_tap(ONE, True)
    assert (bench.tick().audio == IDLE).all()
    bench.graph.pause_tap(ONE, False)
    assert bench.tick().audio[0, :, 0].tolist() == [3, 40]


def test_a_tap_of_what_a_port_is_sent_follows_it(bench: Bench) -> None:
    bench.graph.tap(ONE, 3, bench.graph.sent(3), live=True)
    bench.play(3, Sound(ramp(80), repeat=True))
    tick = bench.tick()
    assert (tick.live[0, 1] == ramp(80)).all() and (tick.live[0, 0] == 3).all()
    assert len(tick.audio) == 0
    bench.graph.hear(3, 9)
    assert (bench.tick().live[0, 1] == 9).all()


# Detection and masking

def say(bench: Bench, line: dict[int, Octets], ticks: int) -> list[Tick]:
    """What the ports say from now on, and copies of the ticks."""
    said = []
    for number in range(ticks):
        for port, signal in line.items():
            block = signal[number * BLOCK:(number + 1) * BLOCK]
            bench.rx[port] = IDLE
            bench.rx[port, :len(block)] = block
        tick = bench.tick()
        tick.tx, tick.audio = tick.tx.copy(), tick.audio.copy()
        said.append(tick)
    return said


def test_digits_carry_the_tag_of_who_listens(bench: Bench) -> None:
    bench.graph.detect(3, "dtmf", "a")
    bench.graph.detect(40, "dtmf", "b")
    ticks = say(bench, {3: tones.dtmf("12"), 40: tones.dtmf("9#")}, 28)
    heard = sorted(one for tick in ticks for one in tick.heard)
    assert heard == [Heard("dtmf", "a", "1"), Heard("dtmf", "a", "2"), Heard("dtmf", "b", "#"),
                     Heard("dtmf", "b", "9")]


def test_a_new_listener_hears_a_digit_that_sounds_on(bench: Bench) -> None:
    bench.graph.detect(3, "dtmf", "old")
    first = say(bench, {3: TONE}, 10)
    bench.graph.detect(3, "dtmf", "new")
    second = say(bench, {3: TONE[10 * BLOCK:]}, 10)
    assert [one.tag for tick in first + second for one in tick.heard] == ["old", "new"]


def test_each_digit_is_its_own_ports_however_listeners_come_and_go(bench: Bench) -> None:
    rng, ports = np.random.default_rng(1), range(16)
    for port in ports:
        sounds = np.resize(tones.dtmf(tones.DIGITS[port], on_ms=60, off_ms=60), 8000 * 4)
        bench.play(port, Sound(np.roll(sounds, 131 * port)))
    heard: list[Heard] = []
    for _ in range(300):
        port = int(rng.integers(16))
        listens = rng.random() < 0.7
        bench.graph.detect(20 + port, "dtmf", tones.DIGITS[port] if listens else None)
        bench.graph.mask_digits(20 + port, bool(rng.random() < 0.3))
        tick = bench.tick()
        heard += tick.heard
        bench.rx[20:36] = tick.tx[:16]            # a far end that gives back what it hears
    assert len(heard) > 100
    assert {one.tag for one in heard} == set(tones.DIGITS)
    assert all(one.tag == one.what for one in heard)


class Diary:
    """A detector that says the first sample of each block."""

    def __init__(self, rows: int) -> None:
        self.suspects = np.zeros(rows, np.bool_)

    def reset(self, row: int) -> None: ...

    def feed(self, samples: Linear) -> list[tuple[int, str]]:
        return [(row, str(block[0])) for row, block in enumerate(samples)]


def delays(bench: Bench, kind: str, change: Callable[[int], None]) -> list[int]:
    """After how many ticks each block of port 3 was said. `change`: what happens before each tick."""
    bench.engine = Engine(PORTS, detectors={**DETECTORS, kind: Diary})
    bench.graph.detect(3, kind, "a")
    values = g711.decode(np.arange(200, dtype=np.uint8))
    said: list[tuple[str, int]] = []
    for number in range(len(values)):
        change(number)
        bench.rx[3] = number
        said += [(one.what, number) for one in bench.tick().heard if one.tag == "a"]
    assert [what for what, _ in said] == [str(value) for value in values[:len(said)]]   # each once, in order
    return [number - at for at, (_, number) in enumerate(said)]


def test_what_is_heard_is_said_within_a_few_ticks_and_nothing_is_left_out(bench: Bench) -> None:
    rng = np.random.default_rng(3)

    def others_come_and_go(number: int) -> None:
        if rng.random() < 0.2:
            bench.graph.detect(int(rng.integers(10, 20)), "dtmf", "b" if rng.random() < 0.5 else None)

    late = delays(bench, "dtmf", others_come_and_go)
    assert set(late) == set(range(LISTEN_TICKS))
    assert len(late) > 200 - LISTEN_TICKS


def test_a_signal_that_is_waited_for_and_a_digit_to_mask_are_known_at_once(bench: Bench) -> None:
    assert set(delays(bench, "r2-forward", lambda _: None)) == {0}
    late = delays(Bench(), "dtmf", lambda _: None)
    assert max(late) == LISTEN_TICKS - 1
    masked = Bench()
    masked.graph.mask_digits(4, True)
    assert set(delays(masked, "dtmf", lambda _: None)) == {0}


def test_who_listens_no_more_is_told_nothing(bench: Bench) -> None:
    bench.graph.detect(3, "dtmf", "a")
    bench.tick()
    bench.graph.detect(3, "dtmf", None)
    assert not any(tick.heard for tick in say(bench, {3: TONE}, 10))


@pytest.mark.parametrize("offset", range(0, BLOCK, 10))
def test_nothing_of_a_masked_digit_is_heard_or_recorded(bench: Bench, offset: int) -> None:
    """Wherever in a block it begins; and what was said before it is heard."""
    digit = g711.decode(tones.dtmf("7", on_ms=65, off_ms=0)).astype(int)
    words = (1000 * np.sin(np.arange(4000) / 3)).astype(int)
    words[1000:3000] = 0
    said = words.copy()
    begin = 1600 + offset
    said[begin:begin + len(digit)] += digit
    bench.graph.mask_digits(3, True)
    bench.graph.detect(3, "dtmf", "a")
    bench.graph.hear(40, 3)
    bench.graph.tap(ONE, 3, None)
    ticks = say(bench, {3: g711.encode(said.astype(np.int16))}, 50)
    assert [one.what for tick in ticks for one in tick.heard] == ["7"]
    heard = g711.decode(np.concatenate([tick.tx[40] for tick in ticks]))
    recorded = g711.decode(np.concatenate([tick.audio[0, 0] for tick in ticks]))
    assert (heard == recorded).all()
    late = LATE * BLOCK
    assert np.abs(heard[1000 + late:3000]).max() <= 8
    assert (heard[late:1000 + late] == g711.decode(g711.encode(words[:1000].astype(np.int16)))).all()


def test_masking_needs_no_listener_and_ends(bench: Bench) -> None:
    bench.graph.mask_digits(3, True)
    bench.graph.hear(40, 3)
    ticks = say(bench, {3: TONE}, 20)
    assert not any(tick.heard for tick in ticks)
    assert all((tick.tx[40] == IDLE).all() for tick in ticks)
    bench.graph.mask_digits(3, False)
    assert (say(bench, {3: TONE}, 1)[0].tx[40] == TONE[:BLOCK]).all()


def test_what_nothing_detects_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="nothing detects 'smoke', there are dtmf"):
        bench.graph.detect(3, "smoke", "a")


# Levels and echo

def test_a_received_gain_is_reached_and_heard_by_all(bench: Bench) -> None:
    bench.rx[3] = g711.encode(np.full(BLOCK, 1000, np.int16))
    bench.graph.hear(40, 3)
    bench.graph.tap(ONE, 3, None)
    bench.graph.set_gain(3, received_db=6.0)
    levels = [int(g711.decode(bench.tick().tx[40, :1])[0]) for _ in range(8)]
    assert levels == sorted(levels)
    assert levels[-1] == levels[5] == g711.decode(bench.engine.tick(bench.rx).audio[0, 0, :1])[0]
    assert levels[-1] == pytest.approx(1000 * 10 ** (6 / 20), rel=0.04)


def test_a_sent_gain_is_for_that_ear_alone(bench: Bench) -> None:
    bench.rx[3] = g711.encode(np.full(BLOCK, 8000, np.int16))
    bench.graph.hear(40, 3)
    bench.graph.hear(41, 3)
    bench.graph.set_gain(40, sent_db=-12.0)
    for _ in range(13):
        tx = bench.tick().tx
    assert (tx[41] == bench.rx[3]).all()
    assert g711.decode(tx[40])[0] == pytest.approx(8000 * 10 ** (-12 / 20), rel=0.04)


def test_a_meter_says_rms_and_peak_of_each_stretch(bench: Bench) -> None:
    samples = g711.PEAK_0DBM0 * 10 ** (-10 / 20) * np.sin(np.arange(BLOCK) * 2 * np.pi / 8)
    bench.rx[3] = g711.encode(samples.astype(np.int16))
    bench.graph.hear(40, 3)
    bench.graph.meter("received", 3, 10)
    bench.graph.meter("sent", bench.graph.sent(40), 20)
    ticks = [[level.tag for level in bench.tick().levels] for _ in range(19)]
    assert [tags for tags in ticks if tags] == [["received"]]
    last = bench.tick().levels
    assert [level.tag for level in last] == ["received", "sent"]
    for level in last:
        assert level[1:] == pytest.approx((-10, -10), abs=0.2)
    bench.graph.end_meter("sent")
    assert [level.tag for _ in range(40) for level in bench.tick().levels] == ["received"] * 4


def test_agc_brings_a_quiet_talker_up(bench: Bench) -> None:
    words = np.random.default_rng(1).normal(0, 600, 8000 * 5).astype(np.int16)
    words = (words * (np.arange(len(words)) // 4000 % 2)).astype(np.int16)       # half a second each
    bench.graph.hear(40, 3)
    bench.graph.set_agc(3, -18.0)
    ticks = say(bench, {3: g711.encode(words)}, 500)
    heard = g711.decode(np.concatenate([tick.tx[40] for tick in ticks[350:400]])).astype(float)
    power = 10 * np.log10((heard ** 2).mean() / (g711.PEAK_0DBM0 ** 2 / 2))
    assert power == pytest.approx(-18, abs=2)


def test_echo_of_what_a_port_is_sent_is_cancelled_on_that_port_only(bench: Bench) -> None:
    """A hybrid gives back half of what it is sent, a tick later: the far end soon hears nothing of itself."""
    words = g711.encode(np.random.default_rng(1).normal(0, 2000, (300, BLOCK)).astype(np.int16))
    for port in (3, 4):
        bench.graph.hear(port, 40)
        bench.graph.hear(40 + port, port)
    bench.graph.set_echo(3, True)
    returned = np.full((2, BLOCK), IDLE, np.uint8)
    power = np.zeros((300, 2))
    for number, block in enumerate(words):
        bench.rx[40], bench.rx[3:5] = block, returned
        tx = bench.tick().tx
        returned = g711.encode(g711.decode(tx[3:5]) // 2)
        power[number] = (g711.decode(tx[[43, 44]]).astype(float) ** 2).mean(axis=1)
    cancelled, left = power[-50:].mean(axis=0)
    assert left > 500_000 and cancelled < left / 1000


# What fails

class Frail:
    """A detector of digits that hears one in every block, and raises when port 3 says 99."""

    made = 0

    def __init__(self, rows: int) -> None:
        self.suspects = np.zeros(rows, np.bool_)
        type(self).made += 1

    def reset(self, row: int) -> None:
        self.suspects[row] = False

    def feed(self, samples: Linear) -> list[tuple[int, str]]:
        if (samples == g711.decode(np.array(99, np.uint8))).all(axis=1).any():
            raise FloatingPointError("99 is too much")
        return [(row, "5") for row in range(len(samples))]


def test_a_detector_that_raises_is_said_and_away_for_a_second_and_nothing_else_is(bench: Bench) -> None:
    bench.engine = Engine(PORTS, detectors={**DETECTORS, "dtmf": Frail})
    bench.graph.detect(3, "dtmf", "a")
    bench.graph.mask_digits(4, True)
    bench.graph.hear(40, 4)
    bench.graph.hear(4, 40)
    made = Frail.made
    ticks, sent = [], []
    for number in range(300):
        bench.rx[3] = 99 if number == 150 else 3
        ticks.append(bench.tick())
        sent.append(ticks[-1].tx[[4, 40]])
    assert [number for number, tick in enumerate(ticks) if tick.failed] == [150]
    (part, error), = ticks[150].failed
    assert (part, str(error), Frail.made) == ("dtmf", "99 is too much", made + 1)
    assert [number for number, tick in enumerate(ticks) if not tick.heard] == [*range(150, 150 + AWAY_TICKS)]
    silent = [number for number in range(LATE, 300) if (sent[number][1] == IDLE).all()]
    assert silent == [*range(150, 151 + AWAY_TICKS + LATE)]                      # nobody knows of its digits
    assert all((to_4 == 40).all() for to_4, _ in sent)                           # a bridge knows of nothing


@pytest.mark.parametrize(("part", "of", "wish"), [
    ("echo", EchoCanceller, lambda graph: graph.set_echo(3, True)),
    ("agc", levels.Agc, lambda graph: graph.set_agc(3, -18.0)),
    ("meter", levels.Meters, lambda graph: graph.meter("a", 3, 1)),
])
def test_without_what_raises_the_audio_is_as_it_came(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str, of: type, wish: Callable[[Graph], None],
) -> None:
    wish(bench.graph)
    bench.graph.hear(40, 3)
    bench.tick()

    def fail(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(of, "feed", fail)
    ticks = [bench.tick() for _ in range(2 * AWAY_TICKS)]
    assert [number for number, tick in enumerate(ticks) if tick.failed] == [0, AWAY_TICKS]
    assert [one.part for one in ticks[0].failed] == [part]
    monkeypatch.undo()
    assert (bench.tick().tx[40] == 3).all()


# Plans

def test_plans_hold_from_their_tick_in_order(bench: Bench) -> None:
    engine, graph = bench.engine, bench.graph
    for row, at_tick in ((10, 2), (11, 0), (12, 4)):
        graph.hear(3, row)
        plan = graph.take_plan(at_tick)
        assert plan is not None
        engine.change(plan)                       # the second waits for the first, or its end would be undone
    assert [int(engine.tick(bench.rx).tx[3, 0]) for _ in range(6)] == [IDLE, IDLE, 11, 11, 12, 12]
    assert engine.number == 6


def test_no_wish_is_no_plan(bench: Bench) -> None:
    assert bench.graph.take_plan() is None
    bench.graph.hear(3, None)
    bench.graph.set_gain(3)
    bench.graph.clear(3)
    assert bench.graph.take_plan() is None
    bench.graph.hear(3, 40)
    assert bench.graph.take_plan() is not None
    assert bench.graph.take_plan() is None


def test_nothing_that_a_tick_makes_is_kept(bench: Bench) -> None:
    graph, conference = bench.graph, bench.graph.open_conference()
    for port in range(32):
        graph.detect(port, "dtmf", "a")
        graph.set_agc(port, -18.0)
        graph.set_echo(port, True)
        graph.mask_digits(port, True)
        graph.meter(str(port), port, 3)
        graph.tap(bytes([port + 1]) * 16, port, graph.sent(port))
        graph.join(conference, port)
        graph.hear(port, graph.mix(conference, without=port))
        bench.play(32 + port, Sound(ramp(100), repeat=True))
    line = np.random.default_rng(1).integers(0, 256, (20, PORTS, BLOCK), dtype=np.uint8)
    for bench.rx in line:
        bench.tick()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for bench.rx in line:
            bench.tick()
        assert tracemalloc.get_traced_memory()[0] - before < 20_000              # the last tick's own lists
    finally:
        tracemalloc.stop()
