"""The real firmware in two cards with a cable between them: alarms, loops, and what goes wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from e1_driver import WEAK_DB, Alarm, LineError, LiuFault, Loop
from e1_driver.backends.card import CATCH_UP_BLOCKS, CardSpan
from firmware.linecard.framer import CHIPS
from hil_tests.instruments.card import ROOT, Card, joined
from tests.e1_driver.contract import FAS, FAS_MASK
from tests.e1_driver.ends import End, check_carried, run

Cards = tuple[Card, Card]
Ends = tuple[End, End]

FUZZ_OCTETS = 200_000
AWAY_BLOCKS = 30                                  # what comes in while we look, and the machine is away


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[Cards]:
    with joined(tmp_path / "a", tmp_path / "b") as both:
        yield both


def plugged(card: Card, seed: int, options: str = "") -> End:
    return End(CardSpan(f"{card.path}?span=0{options}"), seed)


def run_up(*ends: End) -> None:
    run(*ends, until=lambda: all(end.span.status().up and len(end.received) > 5 for end in ends))


def run_blocks(*ends: End, blocks: int) -> None:
    until = [len(end.received) + blocks for end in ends]
    run(*ends, until=lambda: all(len(end.received) >= last for end, last in zip(ends, until, strict=True)))


@pytest.fixture
def ends(cards: Cards) -> Iterator[Ends]:
    a, b = plugged(cards[0], 0), plugged(cards[1], 1)
    run_up(a, b)
    yield a, b
    for end in (a, b):
        end.span.close()


def check_both_ways(a: End, b: End) -> None:
    start = len(a.sent) + 10
    other = len(b.sent) + 10
    run_blocks(a, b, blocks=60)
    check_carried(a.sent[start:start + 20], b.received)
    check_carried(b.sent[other:other + 20], a.received)


def test_a_card_has_one_host_and_so_many_spans(cards: Cards, ends: Ends) -> None:
    with pytest.raises(LineError, match="another program uses it: stop that"):
        CardSpan(str(cards[0].path))
    ends[0].span.close()
    with pytest.raises(LineError, match=r"the line card \(Branchline E1 card, simulated\) has 1 spans"):
        CardSpan(f"{cards[0].path}?span=1")
    CardSpan(str(cards[0].path)).close()


def test_faults_of_the_line_are_alarms_and_counts_at_the_end_that_sees_them(cards: Cards, ends: Ends) -> None:
    a, b = ends
    for fault, near, far in (("cut", Alarm.LOS, Alarm.RAI), ("ais", Alarm.AIS, Alarm.RAI),
                             ("lof", Alarm.LOF, Alarm.RAI)):
        cards[0].fault(fault, 1)
        run(a, b, until=lambda near=near, far=far: (                                    # type: ignore[misc]
            a.span.status().alarms == {near} and b.span.status().alarms == {far}))
        cards[0].fault(fault, 0)
        run_up(a, b)
    before = a.span.counters().code_violations
    cards[0].fault("code_violations", 3)
    run(a, b, until=lambda: a.span.counters().code_violations > before + 20)
    cards[0].fault("code_violations", 0)
    before, slips = a.span.counters().crc_errors, a.span.counters().slips
    cards[0].fault("bit_error_every", 40_000)
    run(a, b, until=lambda: a.span.counters().crc_errors > before + 3)
    run(a, b, until=lambda: b.span.counters().e_bits > 3)             # the other end is told
    assert a.span.counters().slips == slips
    assert b.span.counters().crc_errors == 0


def test_level_and_pairs_are_told_by_the_chip_of_either_end(tmp_path: Path) -> None:
    with joined(tmp_path / "a", tmp_path / "b", (CHIPS[0], CHIPS[1])) as cards:
        a, b = plugged(cards[0], 0), plugged(cards[1], 1)
        run_up(a, b)
        run(a, b, until=lambda: a.span.status().level_db == b.span.status().level_db == 0)
        assert a.span.status().sa_bits == 31
        for near, card, far in ((a, cards[0], b), (b, cards[1], a)):
            assert near.span.status().liu_faults == frozenset()
            card.fault("attenuation_db", 9)
            run(a, b, until=lambda near=near: -12 < (near.span.status().level_db or 0) < -4)      # type: ignore[misc]
            card.fault("attenuation_db", 0)
            for fault in LiuFault:
                card.fault(fault, 1)
                run(a, b, until=lambda near=near, far=far, fault=fault: (                        # type: ignore[misc]
                    near.span.status().liu_faults == {fault}
                    and far.span.status().alarms == {Alarm.LOS} and far.span.status().level_db is None))
                card.fault(fault, 0)
                run(a, b, until=lambda near=near: near.span.status().liu_faults == frozenset())  # type: ignore[misc]
                run_up(a, b)
        for end in (a, b):
            assert end.span.counters().framer_repairs == 0
            end.span.close()


@pytest.mark.parametrize("chip", CHIPS)
def test_long_haul_hears_what_short_haul_does_not(tmp_path: Path, chip: str) -> None:
    with joined(tmp_path / "a", tmp_path / "b", (chip, CHIPS[0])) as cards:
        cards[0].fault("attenuation_db", 34)
        near, far = plugged(cards[0], 0), plugged(cards[1], 1)
        run(near, far, until=lambda: near.span.status().alarms == {Alarm.LOS})
        assert near.span.status().level_db is None
        near.span.close()
        near = plugged(cards[0], 0, "&haul=long&code=hdb3&ohms=75")
        run_up(near, far)
        run(near, far, until=lambda: (near.span.status().level_db or 0) < WEAK_DB)
        check_both_ways(near, far)
        for end in (near, far):
            end.span.close()


def e1ctl(*words: str) -> tuple[int, dict[str, object]]:
    ran = subprocess.run([sys.executable, "-m", "e1_driver.ctl", *words, "--json"], cwd=ROOT, check=False,
                         capture_output=True, text=True)
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.need(12)
def test_an_installer_is_told_of_a_pair_that_is_no_good(cards: Cards) -> None:
    url = f"card:{cards[0].path}"
    cards[0].fault("short", 1)
    cards[0].fault("attenuation_db", 20)
    code, said = e1ctl("status", url, "--for", "1")
    assert (code, said["liu_faults"], said["level_db"]) == (1, ["short"], -18)
    cards[0].fault("short", 0)
    cards[0].fault("open", 1)
    code, said = e1ctl("verdict", url, "--for", "1", "--no-plug", "--no-signalling")
    assert (code, said["finding"], said["fault"]) == (1, "open", "cable")


def test_the_clock_is_the_lines_until_it_is_lost_and_then_held(cards: Cards) -> None:
    a, b = plugged(cards[0], 0, "&clock=own"), plugged(cards[1], 1, "&clock=line")
    run_up(a, b)
    run(a, b, until=lambda: [card.reference for card in cards] == [-1, 0])
    cards[1].cable(plugged=False)
    run(a, b, until=lambda: cards[1].reference == -2)
    cards[1].cable(plugged=True)
    run_up(a, b)
    assert cards[1].reference == -2               # not yet
    for end in (a, b):
        end.span.close()


def test_timeslot_0_is_what_was_on_the_line(ends: Ends) -> None:
    is_fas = ends[0].received[-1][0] & FAS_MASK == FAS
    assert is_fas[::2].all() != is_fas[1::2].all()


@pytest.mark.parametrize("loop", [Loop.LINE, Loop.PAYLOAD])
def test_loop_to_the_far_end(ends: Ends, loop: Loop) -> None:
    a, b = ends
    a.span.loop(loop)
    assert not a.span.send_frame(b"\x00\x01\x7f")
    run_up(a, b)
    start = len(b.sent) + 10
    run_blocks(a, b, blocks=60)
    assert a.span.status().loop is loop
    check_carried(b.sent[start:start + 20], b.received)
    a.span.loop(Loop.NONE)
    run_up(a, b)
    check_both_ways(a, b)


def test_loop_to_ourselves_tells_the_far_end(ends: Ends) -> None:
    a, b = ends
    a.span.loop(Loop.LOCAL)
    run(a, b, until=lambda: b.span.status().alarms == {Alarm.AIS})
    assert a.span.send_frame(b"\x02\x01\x7f")
    start = len(a.sent) + 10
    run(a, b, until=lambda: len(a.sent) > start + 60 and bool(a.frames))
    assert a.frames == [b"\x02\x01\x7f"]
    check_carried(a.sent[start:start + 20], a.received)


def test_stall_of_ours_delivers_ten_blocks_at_most(ends: Ends) -> None:
    a, b = ends
    a.span.loop(Loop.PAYLOAD)                     # the line does not wait for us
    run_up(a, b)
    before, blocks = len(a.received), len(b.received)
    run(b, until=lambda: len(b.received) > blocks + 100)
    while a.turn(time.monotonic()):
        pass
    assert len(a.received) - before <= CATCH_UP_BLOCKS + 1 + AWAY_BLOCKS


def test_a_host_that_goes_is_ais_at_the_far_end_until_it_is_back(cards: Cards, ends: Ends) -> None:
    a, b = ends
    for _ in range(2):
        b.span.close()
        run(a, until=lambda: a.span.status().alarms == {Alarm.AIS})
        b = plugged(cards[1], 2)
        run_up(a, b)
        check_both_ways(a, b)
    b.span.close()


def test_a_card_that_dies_is_gone_for_its_host_and_comes_back(cards: Cards, ends: Ends) -> None:
    a, b = ends
    cards[1].kill()
    with pytest.raises(LineError, match="is gone: plug it in again"):
        run(b, until=lambda: False)
    b.span.close()
    run(a, until=lambda: a.span.status().alarms == {Alarm.LOS})
    cards[1].plug_in()
    b = plugged(cards[1], 3)
    run_up(a, b)
    check_both_ways(a, b)
    b.span.close()


@pytest.mark.parametrize("seed", range(2))
def test_no_octets_on_any_port_end_a_card(cards: Cards, seed: int) -> None:
    random = Random(seed)
    for path in (cards[0].path, cards[0].control):
        port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        unsent = b"".join(random.choice((random.randbytes(random.randrange(1, 300)), b"\0", b"\x01\xff" * 40))
                          for _ in range(FUZZ_OCTETS // 120))
        until = time.monotonic() + 30
        while unsent and time.monotonic() < until:
            try:
                unsent = unsent[os.write(port, unsent[:4096]):]
            except BlockingIOError:
                time.sleep(0)
        os.close(port)
        assert not unsent
    a, b = plugged(cards[0], 0), plugged(cards[1], 1)
    run_up(a, b)
    check_both_ways(a, b)
    assert cards[0].alive
    assert cards[0].resets == []
    for end in (a, b):
        end.span.close()
