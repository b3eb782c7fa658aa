"""What e1ctl status says of timeslot 16: a far end by hand puts it there, in G.704 frames over SAToP."""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from e1_driver import BLOCK, D_TIMESLOT, Loop
from e1_driver.backends.dahdi import abilities_of
from e1_driver.backends.dahdi_wire import SpanInfo
from e1_driver.backends.e1d import E1dSpan
from e1_driver.ctl.timeslot_16 import LOOKED_AT_BLOCKS, Content, Timeslot16
from e1_driver.framing.cas import frames
from e1_driver.framing.g704 import Framer
from e1_driver.framing.hdlc import Encoder
from e1_driver.soft import idle_block
from tests.e1_driver.circuits import FarEnd
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.test_pwe3 import WARM, Near, Sender

FRAME = bytes.fromhex("02 01 7f")                 # SABME
R2_IDLE = [0b1001] * 30


class Rig:
    """A near end that is looked at; `row` is what the far end has in timeslot 16, over and over."""

    def __init__(self, stack: ExitStack) -> None:
        far = stack.enter_context(FarEnd("satop", ""))
        self.near = Near(far.url)
        stack.callback(self.near.span.close)
        self.row = b"\xff"
        self._sent, self._framer = b"", Framer()
        self._sender = Sender(far, self.near, self._frames)
        self.timeslot = Timeslot16(self.near.span)

    def _frames(self) -> bytes:
        while len(self._sent) < BLOCK:
            self._sent += self.row
        block, now = idle_block(), self._sent[:BLOCK]
        self._sent = self._sent[BLOCK:]
        block[D_TIMESLOT] = np.frombuffer(now, np.uint8)
        return self._framer.send(block).tobytes()

    def run(self, blocks: int = LOOKED_AT_BLOCKS + WARM) -> Content | None:
        for _ in range(blocks):
            received = self._sender.tick()
            self.timeslot.block(self.near.now, received, self.near.block)
        return self.timeslot.content


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


def d_channel(octets: int, *sent: bytes) -> bytes:
    encoder = Encoder()
    for each in sent:
        encoder.send(each)
    return encoder.pull(octets)


@pytest.mark.parametrize(("row", "content"), [
    (frames(R2_IDLE, 5).tobytes(), Content.CAS),
    (b"\x7e", Content.HDLC), (b"\x3f", Content.HDLC),                 # flags in any place
    (b"\x7e\xfd\xfb\xf7\xef\xdf\xbf", Content.HDLC),                  # ... that share their zeros
    (d_channel(BLOCK, FRAME), Content.HDLC),
    (b"\xff" * 40 + d_channel(BLOCK // 2, FRAME), Content.HDLC),      # ones between frames
    (b"\xff", Content.ONES), (b"\xd5", Content.ELSE), (b"\x00", Content.ELSE),
    (np.random.default_rng(1).bytes(8_000), Content.ELSE),
])
def test_what_the_timeslot_carries(rig: Rig, row: bytes, content: Content) -> None:
    rig.row = row
    assert rig.run() is content


def test_it_follows_the_last_second(rig: Rig) -> None:
    assert rig.run(LOOKED_AT_BLOCKS - 1) is None
    assert rig.run(2 * WARM) is Content.ONES
    rig.row = frames(R2_IDLE, 5).tobytes()
    assert rig.run() is Content.CAS
    rig.row = b"\x7e"
    assert rig.run() is Content.HDLC
    rig.row = b"\xff"
    assert rig.run() is Content.ONES


def test_our_own_octets_say_nothing(rig: Rig) -> None:
    assert rig.run() is Content.ONES
    rig.near.span.loop(Loop.LOCAL)
    assert rig.run() is None


def test_some_interfaces_cannot_tell(tmp_path_factory: pytest.TempPathFactory) -> None:
    with E1dServer(tmp_path_factory.mktemp("e1d") / "e1d") as server:
        span = E1dSpan(f"{server.path}?intf=0")
        assert not span.abilities.timeslot_16
        span.close()
    card = SpanInfo(1, "WCT1/0", "", 0, 0, 0, 0, 0, 1, 31, 0, "E1")
    assert not abilities_of(card, maintenance=True).timeslot_16
