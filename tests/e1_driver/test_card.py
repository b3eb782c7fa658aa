"""The card's host side against two joined cards on pseudo-terminals: refusals, alarms, loops, unplugging."""

import os
import re
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from e1_driver import IDLE, Alarm, LineError, Loop
from e1_driver.backends.card import CATCH_UP_BLOCKS, CardSpan
from tests.e1_driver.ends import End, check_carried, run

ROOT = Path(__file__).resolve().parents[2]

Ends = tuple[End, End]


class Cards:
    """The program of card_peer.py with its two cards at PATH.a and PATH.b. Context manager."""

    def __init__(self, path: Path, *options: str) -> None:
        self.paths = [f"{path}.{end}" for end in "ab"]
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.e1_driver.card_peer", *self.paths, *options], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._expect("ready")

    def __enter__(self) -> "Cards":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.unplug()

    def do(self, command: str) -> None:
        assert self._program.stdin
        self._program.stdin.write(f"{command}\n")
        self._program.stdin.flush()
        self._expect("done")

    def unplug(self) -> None:
        if self._program.stdin and not self._program.stdin.closed:
            self._program.communicate(timeout=10)
            assert self._program.returncode == 0

    def _expect(self, word: str) -> None:
        assert self._program.stdout
        assert self._program.stdout.readline() == f"{word}\n"


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[Cards]:
    with Cards(tmp_path / "card") as running:
        yield running


@pytest.fixture
def ends(cards: Cards) -> Iterator[Ends]:
    spans = [CardSpan(f"{path}?span=0") for path in cards.paths]
    pair = End(spans[0], 0), End(spans[1], 1)
    run(*pair, until=lambda: all(end.span.status().up and len(end.received) > 5 for end in pair))
    yield pair
    for span in spans:
        span.close()


@pytest.mark.parametrize("rest", ["", "?span=0", "/dev/x?span=first", "/dev/x?clock=mine", "/dev/x?crc4=2"])
def test_url_that_nobody_understands(rest: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"card:{rest}: write card:DEVICE?span=0, clock=line|own")):
        CardSpan(rest)


def test_no_card_no_right_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(LineError, match=r"cannot open /dev/absent \(No such file.*: plug the line card in"):
        CardSpan("/dev/absent")
    with pytest.raises(LineError, match="is it the serial port of a line card"):
        CardSpan("/dev/null")


def test_card_in_use_is_refused_and_free_after_close(cards: Cards, ends: Ends) -> None:
    with pytest.raises(LineError, match="another program uses it: stop that"):
        CardSpan(cards.paths[0])
    ends[0].span.close()
    CardSpan(cards.paths[0]).close()


def test_another_device_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e1_driver.backends.card.ANSWER_S", 0.1)
    monkeypatch.setattr("e1_driver.backends.card.ASK_AGAIN_S", 0.02)
    master, device = os.openpty()
    tty.setraw(device)
    path = os.ttyname(device)
    os.close(device)
    os.write(master, b"modem ready\r\n\0ok\0")
    with pytest.raises(LineError, match=f"no line card answers at {path} within 0.1 s: is it another device"):
        CardSpan(path)
    os.close(master)


def test_card_of_another_version(tmp_path: Path) -> None:
    with Cards(tmp_path / "card", "--version", "0") as cards, pytest.raises(
            LineError, match=r"\(test card A\) does not speak version 1 of the protocol: update"):
        CardSpan(cards.paths[0])


def test_span_that_the_card_has_not(cards: Cards) -> None:
    with pytest.raises(LineError, match=r"the line card \(test card B\) has 1 spans, the first is span=0"):
        CardSpan(f"{cards.paths[1]}?span=1")


def test_alarms_and_counters_are_the_cards(cards: Cards, ends: Ends) -> None:
    a, b = ends
    for bit, alarm in enumerate((Alarm.LOS, Alarm.LOF, Alarm.LOMF, Alarm.AIS, Alarm.RAI)):
        cards.do(f"alarms 0 {1 << bit}")
        run(a, b, until=lambda alarm=alarm: a.span.status().alarms == {alarm})          # type: ignore[misc]
        assert not b.span.status().alarms
    slips = a.span.counters().slips
    for number in range(5):
        cards.do(f"count 0 {number} {number + 1}")
    run(a, b, until=lambda: a.span.counters().slips == slips + 5)
    counters = a.span.counters()
    assert (counters.code_violations, counters.fas_errors) == (1, 2)
    assert (counters.crc_errors, counters.e_bits) == (3, 4)
    assert a.span.status().crc4 is True
    assert b.span.counters().crc_errors == 0


def test_timeslot_0_is_what_was_on_the_line(ends: Ends) -> None:
    assert ends[0].received[-1][0].tobytes() == b"\x9b\xdf" * 40


@pytest.mark.parametrize("loop", [Loop.LINE, Loop.PAYLOAD])
def test_loop_to_the_far_end(ends: Ends, loop: Loop) -> None:
    a, b = ends
    a.span.loop(loop)
    assert not a.span.send_frame(b"\x00\x01\x7f")
    start = len(b.sent) + 10
    run(a, b, until=lambda: len(b.sent) > start + 40)
    assert a.span.status().loop is loop
    check_carried(b.sent[start:start + 20], b.received)
    a.span.loop(Loop.NONE)
    start = len(a.sent) + 10
    run(a, b, until=lambda: len(a.sent) > start + 40)
    check_carried(a.sent[start:start + 20], b.received)


def test_a_lost_order_is_given_again_and_until_then_the_cards_own_loop_is_told(
        cards: Cards, ends: Ends) -> None:
    a, b = ends
    cards.do("deaf 0 2")
    a.span.loop(Loop.PAYLOAD)
    run(a, b, until=lambda: a.span.status().loop is Loop.NONE)
    assert not a.span.send_frame(b"\x00\x01\x7f")        # it may be looped at any moment
    run(a, b, until=lambda: a.span.status().loop is Loop.PAYLOAD)
    start = len(b.sent) + 10
    run(a, b, until=lambda: len(b.sent) > start + 40)
    check_carried(b.sent[start:start + 20], b.received)


def test_loop_to_ourselves_carries_frames_too(ends: Ends) -> None:
    a, b = ends
    a.span.loop(Loop.LOCAL)
    run(a, b, until=lambda: (b.received[-1][5] == IDLE).all())
    assert a.span.send_frame(b"\x02\x01\x7f")
    start = len(a.sent)
    run(a, b, until=lambda: len(a.sent) > start + 40 and bool(a.frames))
    assert a.frames == [b"\x02\x01\x7f"]
    check_carried(a.sent[start:start + 20], a.received)


def test_noise_and_lost_packets_are_slips(cards: Cards, ends: Ends) -> None:
    a, b = ends
    slips = a.span.counters().slips
    cards.do("lose 0 3")
    run(a, b, until=lambda: a.span.counters().slips >= slips + 3)
    cards.do("noise 0 5000")
    before = len(a.received)
    run(a, b, until=lambda: len(a.received) > before + 50)
    assert a.span.status().up


def test_stall_of_ours_delivers_ten_blocks_at_most(ends: Ends) -> None:
    a, b = ends
    a.span.loop(Loop.PAYLOAD)                     # the line does not wait for us
    before = len(a.received)
    blocks = len(b.received)
    run(b, until=lambda: len(b.received) > blocks + 40)
    while a.turn(time.monotonic()):
        pass
    assert len(a.received) - before <= CATCH_UP_BLOCKS + 1


def test_silence_is_los_and_then_an_error(cards: Cards, ends: Ends) -> None:
    a, b = ends
    cards.do("mute 0")
    run(a, b, until=lambda: a.span.status().alarms == {Alarm.LOS})
    with pytest.raises(LineError, match="says nothing for 3 s"):
        run(a, b, until=lambda: False)


def test_unplugged_card(cards: Cards, ends: Ends) -> None:
    cards.unplug()
    for end in ends:
        with pytest.raises(LineError, match="is gone: plug it in again"):
            run(end, until=lambda: False)
        end.span.close()
