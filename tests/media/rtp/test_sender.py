import numpy as np
import pytest

from appliance.media import g711
from appliance.media.rtp.sender import Senders
from appliance.media.rtp.settings import Codec, Direction, LegSettings
from e1_driver import BLOCK
from tests.media.rtp.network import HEADER

Packet = tuple[int, int, int, int, bytes]         # second octet, sequence, timestamp, SSRC, payload


def run(senders: Senders, blocks: int, first: int = 0) -> dict[int, list[Packet]]:
    """Feeds every row with blocks of their number; what each sent."""
    said: dict[int, list[Packet]] = {}
    rows = len(senders.packets)
    for block in range(first, first + blocks):
        for row, size in zip(*senders.take(np.full((rows, BLOCK), block % 200, np.uint8)), strict=True):
            data = senders.packets[row, :size].tobytes()
            first_octet, *fields = HEADER.unpack_from(data)
            assert first_octet == 0x80
            said.setdefault(row, []).append((*fields, data[HEADER.size:]))
    return said


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40])
def test_every_sample_is_sent_once_in_its_place(ptime_ms: int) -> None:
    senders, samples = Senders(1, []), 8 * ptime_ms
    senders.open(0, LegSettings(ptime_ms=ptime_ms), 0xCAFE, 65_534, 2 ** 32 - 100)
    said = run(senders, 120)[0]
    assert len(said) == 1200 // ptime_ms
    spoken = np.repeat(np.arange(120, dtype=np.uint8), BLOCK)
    assert b"".join(payload for *_, payload in said) == spoken.tobytes()
    assert [second for second, *_ in said] == [0x88] + [0x08] * (len(said) - 1)
    assert [sequence for _, sequence, *_ in said] == [(65_534 + at) % 65536 for at in range(len(said))]
    stamps = [(2 ** 32 - 100 + samples * at) % 2 ** 32 for at in range(len(said))]
    assert [at for _, _, at, *_ in said] == stamps
    assert {ssrc for _, _, _, ssrc, _ in said} == {0xCAFE}


def test_a_hold_is_a_hole_in_time_but_not_in_sequence_and_ends_with_a_marker() -> None:
    senders = Senders(1, [])
    senders.open(0, LegSettings(), 1, 100, 0)
    before = run(senders, 20)[0]
    senders.change(0, LegSettings(direction=Direction.RECVONLY))
    assert not run(senders, 50)
    senders.change(0, LegSettings())
    after = run(senders, 20)[0]
    assert after[0][0] == 0x88
    assert after[0][1] == before[-1][1] + 1
    assert after[0][2] == before[-1][2] + 160 + 50 * BLOCK


def test_mu_law_and_a_change_of_both_at_once() -> None:
    senders = Senders(1, [])
    senders.open(0, LegSettings(codec=Codec.PCMU), 1, 1, 0)
    said = run(senders, 4)[0]
    assert said[0][0] == 0x80
    assert said[1][4] == bytes(g711.mu_law(np.repeat(np.array([2, 3], np.uint8), BLOCK)))
    senders.change(0, LegSettings(ptime_ms=40))
    changed = run(senders, 4, first=4)[0]
    assert (changed[0][0], len(changed[0][4])) == (0x08, 320)
    assert changed[0][2] == said[-1][2] + 160


def test_legs_take_turns() -> None:
    senders = Senders(8, [])
    for row in range(8):
        senders.open(row, LegSettings(), row, 1, 0)
    silence = np.zeros((8, BLOCK), np.uint8)
    turns = [senders.take(silence)[0] for _ in range(4)]
    assert [len(turn) for turn in turns] == [4, 4, 4, 4]
    senders.close(3)
    assert 3 not in senders.take(silence)[0] + senders.take(silence)[0]
