"""A span whose device goes and comes: LOS, back-off, and back by itself."""

import itertools
import select
import socket
import threading
import time
from pathlib import Path

import pytest

from e1_driver import Alarm, Loop
from e1_driver.backends.virtual import VirtualSpan
from e1_driver.kept import FIRST_RETRY_S, LAST_RETRY_S, KeptSpan
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.ends import End, run


def wait(kept: KeptSpan, within_s: float = 5.0) -> None:
    poll = select.poll()
    poll.register(kept.fileno(), select.POLLIN)
    assert poll.poll(within_s * 1000), "nothing happened"


def tries(kept: KeptSpan, start: float, step_s: float, until: float) -> list[float]:
    """The instants of a time that we tell at which a device was looked for."""
    at, now = [], start
    while now < until:
        before = kept._opener
        kept.read(now)
        if kept._opener is not None and kept._opener is not before:
            at.append(now)
            wait(kept)
            kept.read(now)
        now += step_s
    return at


def test_a_device_that_goes_is_los_at_once_and_comes_back_by_itself(tmp_path: Path) -> None:
    path, said = tmp_path / "line.sock", list[str]()
    with E1dServer(path):
        near, far = (KeptSpan(f"e1d:{path}?intf={intf}&line=0", said.append) for intf in (0, 1))
        ends = End(near, 1), End(far, 2)
        run(*ends, until=lambda: all(len(end.received) > 20 for end in ends))
        assert near.status().up
    run(*ends, until=lambda: near.away and far.away)
    assert near.status().alarms == {Alarm.LOS}
    counted, descriptor = near.counters().blocks_in, near.fileno()
    assert len(said) == 2 and str(path) in said[0]
    assert not near.send_frame(bytes(10)) and near.receive_frames() == []
    path.unlink(missing_ok=True)                  # a killed daemon leaves its socket
    with E1dServer(path):
        run(*ends, until=lambda: near.status().up and near.counters().blocks_in > counted)
        assert near.fileno() == descriptor
        assert near.trouble == ""
        near.loop(Loop.PAYLOAD)
        near.loop(Loop.NONE)
        near.close()
        far.close()


def test_tried_again_after_longer_and_longer_times(tmp_path: Path) -> None:
    said: list[str] = []
    kept = KeptSpan(f"e1d:{tmp_path}/none", said.append)
    assert kept.status().alarms == {Alarm.LOS} == kept.abilities.alarms
    with pytest.raises(ValueError, match="is away"):
        kept.loop(Loop.LOCAL)
    start = time.monotonic()
    at = tries(kept, start, FIRST_RETRY_S / 4, start + 60)
    gaps = [after - before for before, after in itertools.pairwise(at)]
    assert gaps[0] < 2.5 * FIRST_RETRY_S
    assert gaps == sorted(gaps)
    assert max(gaps) == pytest.approx(LAST_RETRY_S, abs=FIRST_RETRY_S)
    assert len(said) == 1, "the same reason is said once"
    assert "tried again" in said[0] and "no osmo-e1d" in kept.trouble
    kept.close()
    kept.close()


def rests(kept: KeptSpan) -> bool:
    """Whether its descriptor is not readable once what it had to say was taken."""
    poll = select.poll()
    poll.register(kept.fileno(), select.POLLIN)
    for _ in range(100):
        if not poll.poll(0):
            return True
        kept.read(time.monotonic())
    return False


def test_a_device_that_came_back_keeps_nobody_busy(tmp_path: Path) -> None:
    kept = KeptSpan(f"virtual:{tmp_path}/line/b")
    kept.lend("given away")
    assert rests(kept) and kept.trouble == "given away"
    long_ago = time.monotonic() - 2 * LAST_RETRY_S
    kept.take_back(long_ago)
    kept.read(long_ago)
    wait(kept)
    kept.read(long_ago)
    assert not kept.away and rests(kept)
    kept.close()


class Slow(VirtualSpan):
    """Its device takes until `may_close` to be closed."""

    may_close: threading.Event

    def close(self) -> None:
        assert self.may_close.wait(10.0)
        super().close()


def test_a_device_that_is_slow_to_close_keeps_nobody_waiting_but_who_opens_it_next(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Slow.may_close = threading.Event()
    monkeypatch.setattr("e1_driver.backends.virtual.VirtualSpan", Slow)
    kept = KeptSpan(f"virtual:{tmp_path}/line/b")
    kept.lend("given away")
    assert kept.away and not kept.released
    now = time.monotonic()
    kept.take_back(now)
    kept.read(now)
    assert kept.away and not kept.released        # waits for what is being closed
    Slow.may_close.set()
    wait(kept)
    kept.read(now)
    assert not kept.away and kept.released
    kept.close()


def broken_open(*_: object) -> None:
    raise KeyError("mode")


def test_whatever_goes_wrong_while_it_is_opened_is_told_and_tried_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    kept = KeptSpan(f"e1d:{tmp_path}/none", said.append)
    with monkeypatch.context() as broken:
        broken.setattr("e1_driver.backends.e1d.E1dSpan.__init__", broken_open)
        kept.read(time.monotonic() + LAST_RETRY_S)
        wait(kept)
        kept.read(time.monotonic() + LAST_RETRY_S)
    assert "KeyError('mode')" in kept.trouble and kept.trouble in said[-1]
    later = time.monotonic() + 3 * LAST_RETRY_S
    assert tries(kept, later, 1.0, later + 1)
    kept.close()


def test_another_line_under_the_same_span_is_opened_in_place_of_the_first(tmp_path: Path) -> None:
    urls = [f"virtual:{tmp_path}/{name}/line" for name in ("one", "two")]
    kept, fars = KeptSpan(f"{urls[0]}/b"), [KeptSpan(f"{url}/a") for url in urls]
    ends = End(kept, 1), End(fars[0], 2)
    run(*ends, until=lambda: all(len(end.received) > 5 for end in ends))
    counted, descriptor = kept.counters().blocks_in, kept.fileno()
    kept.move(f"{urls[1]}/b", time.monotonic())
    assert kept.away and "is being opened" in kept.trouble and kept.status().alarms == {Alarm.LOS}
    ends = End(kept, 1), End(fars[1], 2)
    run(*ends, until=lambda: all(len(end.received) > 5 for end in ends))
    assert kept.status().up and kept.trouble == "" and kept.fileno() == descriptor
    assert kept.counters().blocks_in > counted    # they go on
    kept.lend("given away")
    kept.move(f"{urls[0]}/b", time.monotonic())   # opened when it comes back, not before
    kept.read(time.monotonic())
    assert kept.away and kept._opener is None
    kept.take_back(time.monotonic())
    ends = End(kept, 1), End(fars[0], 2)
    run(*ends, until=lambda: kept.status().up)
    for span in (kept, *fars):
        span.close()


@pytest.mark.parametrize("opened_first", [True, False])
def test_given_away_while_it_is_being_opened(tmp_path: Path, opened_first: bool) -> None:
    path = str(tmp_path / "line.sock")
    kept = KeptSpan(f"e1d:{path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.bind(path)
        silent.listen()
        kept.read(time.monotonic() + LAST_RETRY_S)
        if not opened_first:
            kept.lend("given away")
    wait_for_openers()                            # the socket is closed: no answer will come
    if opened_first:
        kept.lend("given away")
    assert rests(kept)
    kept.close()


def wait_for_openers() -> None:
    for thread in threading.enumerate():
        if thread.name == "open span":
            thread.join(5.0)


def test_a_url_that_nobody_knows_is_the_operators_error() -> None:
    with pytest.raises(ValueError, match="line"):
        KeptSpan("e1d:/nowhere?intf=0&line=x")
