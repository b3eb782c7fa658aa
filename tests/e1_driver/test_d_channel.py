"""D-channel frames by name, and the test of who answers: each kind of far end, by octets."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver.testing.d_channel import Side, SignallingTest, frame_name

NAMES = [                                         # Q.921 table 5, Q.931 table 4-2
    ("02017f", "SABME"), ("00017f", "SABME"), ("000173", "UA"), ("02011f", "DM"), ("020153", "DISC"),
    ("00010102", "RR"), ("02010501", "RNR"), ("00010900", "REJ"), ("0201af", "XID"), ("0001870000", "FRMR"),
    ("02ff03", "UI"),
    ("00010000080200010504038090a3", "I SETUP"),
    ("020104020802800102", "I CALL PROCEEDING"),
    ("00010000", "I"), ("0001000008", "I"), ("00010000080f01", "I"), ("000100004302", "I"),
    ("", "?"), ("0001", "?"), ("01017f", "?"), ("00007f", "?"), ("000101", "?"), ("0001ff", "?"),
    ("00010d00", "?"),
]


@pytest.mark.parametrize(("octets", "name"), NAMES)
def test_name(octets: str, name: str) -> None:
    assert frame_name(bytes.fromhex(octets)) == name


@given(st.binary(max_size=300))
def test_any_frame_has_a_name(frame: bytes) -> None:
    assert frame_name(frame)


class FarEnd:
    """Octets that come back a turn later, by what kind of far end it is."""

    def __init__(self, side: Side) -> None:
        self.test = SignallingTest(side, Random(3))
        self.sent: list[bytes] = []
        self._back: list[bytes] = []

    def run(self, answer: dict[str, str], each_second: str = "", seconds: int = 5) -> None:
        """`answer` by hex of a frame of ours; `*`: any of ours comes back as it is."""
        for tick in range(seconds * 10):
            received, self._back = self._back, []
            if each_second and tick % 10 == 5:
                received.append(bytes.fromhex(each_second))
            for frame in self.test.turn(tick / 10, received):
                self.sent.append(frame)
                if "*" in answer:
                    self._back.append(frame)
                elif back := answer.get(frame.hex()):
                    self._back.append(bytes.fromhex(back))


OURS = {Side.USER: "00017f", Side.NETWORK: "02017f"}
THEIRS = {Side.USER: "02017f", Side.NETWORK: "00017f"}
UA_TO_US = {Side.USER: "000173", Side.NETWORK: "020173"}             # Q.921 table 1
UA_OF_US = {Side.USER: "020173", Side.NETWORK: "000173"}


@pytest.mark.parametrize("side", Side)
def test_an_exchange_that_answers(side: Side) -> None:
    far = FarEnd(side)
    far.run({OURS[side]: UA_TO_US[side]})
    result = far.test.result()
    assert (result.answered, result.looped, result.sabme_sent, result.ua) == (True, False, 1, 1)


@pytest.mark.parametrize("side", Side)
def test_an_exchange_that_asks_is_answered(side: Side) -> None:
    far = FarEnd(side)
    far.run({}, each_second=THEIRS[side])
    result = far.test.result()
    assert (result.sabme, result.sabme_same_side, result.answered) == (5, 0, False)
    assert far.sent.count(bytes.fromhex(UA_OF_US[side])) == 5


@pytest.mark.parametrize("side", Side)
def test_both_ends_of_the_same_side(side: Side) -> None:
    far = FarEnd(side)
    far.run({}, each_second=OURS[side])
    result = far.test.result()
    assert (result.sabme, result.sabme_same_side, result.looped) == (0, 5, False)
    assert all(frame.hex() not in (UA_OF_US[side], UA_TO_US[side]) for frame in far.sent)


@pytest.mark.parametrize("side", Side)
def test_a_loop_is_not_taken_for_the_same_side(side: Side) -> None:
    far = FarEnd(side)
    far.run({"*": ""})
    result = far.test.result()
    assert result.looped and not result.answered and result.signed_back == result.signed_sent == 3


def test_a_refusal_and_silence() -> None:
    far = FarEnd(Side.USER)
    far.run({OURS[Side.USER]: "00011f"})
    assert (far.test.result().dm, far.test.result().answered) == (5, False)
    far.run({}, each_second="020153")
    assert far.test.result().disc == 5
    silent = FarEnd(Side.USER)
    silent.run({})
    assert (silent.test.result().received, silent.test.result().sabme_sent) == (0, 5)


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_anything_may_come(data: bytes) -> None:
    fuzz(data)


def fuzz(data: bytes) -> None:
    """A far end that says anything."""
    test = SignallingTest(Side.USER, Random(1))
    for at in range(0, len(data), 7):
        frame_name(data[at:])
        test.turn(at / 10, [data[at:at + 7], data[at:]])
