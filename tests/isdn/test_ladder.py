"""Frames in words: what is wrong and where, what was said before, what is upkeep."""
import random

import pytest

from appliance.isdn.elements import Cause, ChannelId, KeypadFacility
from appliance.isdn.ladder import Fold, Frame, LinkWatch, Step, describe, ladder
from appliance.isdn.lapd import Frame as Lapd
from appliance.isdn.lapd import FrameKind, Side, encode
from appliance.isdn.q931 import Message, MessageType
from tests.isdn.captured import captured

T = MessageType
I_FRAME = "02 01 00 00 "                          # network command, N(S)=0 N(R)=0


def text_of(octets: str, sent: bool = True) -> str:
    return describe(bytes.fromhex(I_FRAME + octets), sent, sent).text


@pytest.mark.parametrize(("octets", "text"), [
    ("08 02 00 01 45 08 02 82 90", "cause 16 Normal call clearing"),
    ("08 02 00 01 7d 08 03 82 e4 18 14 01 0a",
     "cause 100 Invalid information element contents · state 10 active"),
    ("08 02 00 00 46 18 04 a9 83 01 82 79 01 80", "channel 1-2 exclusive · indicated channels"),
    ("08 02 00 00 7d 08 02 81 e1 14 01 3d",
     "cause 97 Message type non-existent or not implemented · state REST 1 restart request"),
    ("08 01 81 0f", ""),
    ("08 02 00 01 7b 2c 03 2a 32 31", "keypad *21"),
    ("08 02 00 01 7b 96 55 01 00", "Element 0x55 (codeset 6, local network)"),
    ("03 02 00 00 0f 01 01 c2 18 03 a9 83 83", "channel 3 exclusive · channel out of service"),
    # faults
    ("08 02 00 01 45", "5.8.6.1: Cause is missing"),
    ("08 02 00 01 5a 08 01 80", "Cause at octet 9: 5.8.6.2: octets too few"),
    ("08 02 00 01 5a 08 05 80 90", "Cause at octet 9: 5.8.6.2: runs past the end of the message"),
    ("08 02 00 01 33 08", "Cause at octet 9: 5.8.6.2: runs past the end of the message"),
    ("08 02 00 01 5a 08 02 80 90 18 03 a9 83 81 18 03 a9 83 82",
     "cause 16 Normal call clearing · channel 1 exclusive · channel 2 exclusive · "
     "Channel identification at octet 18: 5.8.5.2: is there once more, only the first one counts"),
    ("08 02 00 01 5a 05 01 00", "Element 0x05 at octet 9: 5.8.7.1: must be understood"),
    ("08 02 00 01 5a 33 01 00", "Element 0x33 at octet 9: 5.8.7.1: unknown, passed over"),
    ("08 02 00 01 00", "5.8.4: unknown message type at octet 8"),
    ("41 02 00 01 05", "5.8.1: protocol discriminator 0x41 at octet 4"),
    ("08 00 05", "5.8.3.1: a call reference without a value at octet 5"),
    ("08 02 00", "5.8.2: a message of 3 octets is too short"),
    ("", "5.8.2: a message of 0 octets is too short"),
])
def test_what_a_message_says_and_what_is_wrong_with_it(octets: str, text: str) -> None:
    assert text_of(octets) == text


@pytest.mark.parametrize(("octets", "sent", "ours"), [
    ("08 02 00 01 05", True, True), ("08 02 80 01 02", False, True),
    ("08 02 00 01 05", False, False), ("08 02 80 01 02", True, False), ("08 02 00 00 46", True, None)])
def test_whose_call_reference_it_is(octets: str, sent: bool, ours: bool | None) -> None:
    assert describe(bytes.fromhex(I_FRAME + octets), sent, sent).ours is ours


@pytest.mark.parametrize(("frame", "link"), [
    (Lapd(FrameKind.SABME, True, pf=True), "SABME command P=1"),
    (Lapd(FrameKind.RR, False, pf=True, nr=5), "RR response N(R)=5 F=1"),
    (Lapd(FrameKind.REJ, True, nr=7), "REJ command N(R)=7 P=0"),
    (Lapd(FrameKind.UI, True, sapi=63, tei=127), "UI command P=0 SAPI 63 TEI 127"),
])
@pytest.mark.parametrize("side", list(Side))
def test_layer_2_in_words(frame: Lapd, link: str, side: Side) -> None:
    for sent in (True, False):
        octets = encode(frame, side if sent else side.peer)
        assert describe(octets, sent, side is Side.NETWORK).link == link


def test_a_frame_reject_says_what_was_rejected() -> None:
    rung = describe(bytes.fromhex("00 01 87 6f 00 0a 0e 03"), False, False)
    assert rung.text == "undefined or unimplemented control field, information field not permitted"
    assert ("V(S)", "5") in rung.parts[0].details


def test_frames_that_are_none_say_why() -> None:
    assert describe(b"", True, True).text.startswith("Q.921 2.9: ")
    assert describe(bytes.fromhex("02 01 77"), True, True).text == "Q.921 3.6.11: control field 0x67"


def test_any_octets_can_be_described() -> None:
    chance = random.Random(7)
    whole = [octets for _, _, octets in captured(
        [(Side.NETWORK, Message(T.SETUP, 9, False, (ChannelId(3), KeypadFacility("12"), Cause(16))))],
        Side.NETWORK, 0.0)]
    for _ in range(20_000):
        octets = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        rung = describe(bytes(octets[:chance.randrange(len(octets) + 1)]), chance.random() < 0.5, True)
        assert rung.title and isinstance(rung.text, str)


# --- the link's course


def supervisory(kind: FrameKind, sent: bool, command: bool, nr: int, pf: bool = False) -> tuple[bool, bytes]:
    return sent, encode(Lapd(kind, command, pf, nr=nr), Side.USER if sent else Side.NETWORK)


def information(sent: bool, ns: int, nr: int = 0) -> tuple[bool, bytes]:
    return sent, encode(Lapd(FrameKind.INFORMATION, True, ns=ns, nr=nr, info=b"\x08"),
                        Side.USER if sent else Side.NETWORK)


def seen(*frames: tuple[bool, bytes]) -> list[tuple[bool, bool]]:
    watch = LinkWatch(network_side=False)
    return [watch.see(*frame) for frame in frames]


RR, REJ, RNR = FrameKind.RR, FrameKind.REJ, FrameKind.RNR
PLAIN, UPKEEP, AGAIN = (False, False), (False, True), (True, False)


def test_acknowledgements_and_polls_at_rest_are_upkeep() -> None:
    assert seen(information(True, 0), supervisory(RR, False, False, 1),
                supervisory(RR, True, True, 0, pf=True), supervisory(RR, False, False, 1, pf=True),
                supervisory(RR, False, True, 1, pf=True), supervisory(RR, True, False, 0, pf=True),
                ) == [PLAIN, UPKEEP, UPKEEP, UPKEEP, UPKEEP, UPKEEP]


def test_a_poll_for_what_is_not_acknowledged_and_what_follows_is_none() -> None:
    assert seen(information(True, 0), supervisory(RR, True, True, 0, pf=True),
                supervisory(RR, False, False, 0, pf=True), information(True, 0),
                supervisory(RR, False, False, 1), supervisory(REJ, False, False, 1),
                supervisory(RNR, False, False, 1)) == [PLAIN, PLAIN, PLAIN, AGAIN, UPKEEP, PLAIN, PLAIN]


def test_numbers_go_round_and_begin_anew() -> None:
    round_ = [information(False, ns % 128, 0) for ns in range(120, 140)]
    assert set(seen(*round_)) == {PLAIN}
    sabme = (False, encode(Lapd(FrameKind.SABME, True, pf=True), Side.NETWORK))
    assert seen(information(False, 0), information(False, 0), sabme, information(False, 0)) == [
        PLAIN, AGAIN, PLAIN, PLAIN]


def test_upkeep_is_folded_into_one_step() -> None:
    frames: list[Frame] = [(float(number), *frame) for number, frame in enumerate(
        [information(True, 0), supervisory(RR, False, False, 1), supervisory(RR, True, True, 0, pf=True),
         supervisory(RR, False, False, 1, pf=True), information(True, 1), supervisory(RR, False, False, 2)])]
    steps = list(ladder(frames, network_side=False))
    assert [type(step) for step in steps] == [Step, Fold, Step, Fold]
    assert steps[1] == Fold(1.0, 3.0, 3)
    assert all(isinstance(step, Step) for step in ladder(frames, network_side=False, upkeep=True))
