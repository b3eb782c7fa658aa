"""The card's host side against cards that do what a good one does not; tests/firmware has the good ones."""

import os
import re
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from e1_driver import Alarm, LineError, Loop
from e1_driver.backends.card import CardSpan
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


@pytest.mark.parametrize("rest", ["", "?span=0", "/dev/x?span=first", "/dev/x?clock=mine", "/dev/x?crc4=2",
                                  "/dev/x?code=HDB3", "/dev/x?haul=far", "/dev/x?ohms=100", "/dev/x?ohms="])
def test_url_that_nobody_understands(rest: str) -> None:
    with pytest.raises(ValueError, match=re.escape(
            f"card:{rest}: write card:DEVICE?span=0, clock=line|own, crc4=auto|on|off, code=hdb3|ami, "
            "haul=short|long, ohms=120|75")):
        CardSpan(rest)


def test_no_card_no_right_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(LineError, match=r"cannot open /dev/absent \(No such file.*: plug the line card in"):
        CardSpan("/dev/absent")
    with pytest.raises(LineError, match="is it the serial port of a line card"):
        CardSpan("/dev/null")


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


def test_an_older_card_tells_nothing_of_its_line_interface_and_is_not_asked_to_set_it(tmp_path: Path) -> None:
    with Cards(tmp_path / "card", "--old") as cards:
        span = CardSpan(f"{cards.paths[0]}?code=hdb3&haul=short&ohms=120")
        status = span.status()
        assert (status.crc4, status.level_db, status.liu_faults, status.sa_bits) == (True, None, None, None)
        assert "framer_repairs" not in span.abilities.counters
        span.close()
        for options, named in (("code=ami", "code=ami"), ("haul=long&ohms=75", "haul=long, ohms=75")):
            with pytest.raises(LineError, match=f"line card's firmware is too old for {named}: update it"):
                CardSpan(f"{cards.paths[0]}?{options}")


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


def test_noise_and_lost_packets_are_slips(cards: Cards, ends: Ends) -> None:
    a, b = ends
    slips = a.span.counters().slips
    cards.do("lose 0 3")
    run(a, b, until=lambda: a.span.counters().slips >= slips + 3)
    cards.do("noise 0 5000")
    before = len(a.received)
    run(a, b, until=lambda: len(a.received) > before + 50)
    assert a.span.status().up


def test_silence_is_los_and_then_an_error(cards: Cards, ends: Ends) -> None:
    a, b = ends
    cards.do("mute 0")
    run(a, b, until=lambda: a.span.status().alarms == {Alarm.LOS})
    with pytest.raises(LineError, match="says nothing for 3 s"):
        run(a, b, until=lambda: False)
