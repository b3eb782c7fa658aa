"""What settings a line wants: against a far end that keeps to Q.921 to the letter, in the line's own time."""

from random import Random

import numpy as np
import pytest

from e1_driver import BLOCK, BLOCK_S, Alarm, Block, Counters, LineStatus
from e1_driver.backends.virtual import pair
from e1_driver.framing.hdlc import Encoder
from e1_driver.soft import idle_block
from e1_driver.testing.d_channel import Side
from e1_driver.testing.detection import LONGEST_S, Detection, Finding, Phase
from e1_driver.testing.signs import Messages, speaker

TURN_BLOCKS = 10
C_R = 2
SETUP = bytes.fromhex("08 02 00 01 05 04 03 80 90 a3 18 03 a9 83 81 6c 06 00 83 31 33 38 30"
                      "70 05 81 35 30 30 31")
COMPLETE = bytes.fromhex("a1")
INFORMATION = bytes.fromhex("08 02 00 01 7b 70 02 81 32")
QSIG = bytes.fromhex("08 02 00 01 05 04 03 80 90 a3 1c 04 9f aa 06 80 70 03 89 38 31")
ROSE = bytes.fromhex("08 02 00 01 62 1c 05 91 a1 02 02 01")
CODESET_4 = bytes.fromhex("08 02 00 01 05 04 03 80 90 a3 9c 31 01 81 70 03 80 38 31")


class FarEnd:
    """`side` None: it says nothing. `asks`: it wants the link itself, each second. Commands with the wrong
    C/R bit it does not know (3.3.2); `sends` are messages, once the link is up."""

    def __init__(self, side: Side | None, asks: bool = False, refuses: bool = False,
                 sends: tuple[bytes, ...] = ()) -> None:
        self.side, self.asks, self.refuses, self.sends = side, asks, refuses, list(sends)
        self.up, self.acked, self.disc = False, 0, 0
        self._sent = 0

    def turn(self, tick: int, frames: list[bytes]) -> list[bytes]:
        if self.side is None:
            return []
        command, response = (C_R, 0) if self.side is Side.NETWORK else (0, C_R)
        send = []
        for frame in frames:
            c_r, control = frame[0] & ~0xFC & C_R, frame[2]
            if frame[0] >> 2:                     # another SAPI
                continue
            if control == 0x7F and c_r == response:
                self.up = not self.refuses
                send.append(bytes((response, 1, 0x1F if self.refuses else 0x73)))
            elif control == 0x53 and c_r == response:
                self.up, self.disc = False, self.disc + 1
                send.append(bytes((response, 1, 0x73)))
            elif control == 0x01 and c_r == response and self.up and frame[3] & 1:
                send.append(bytes((response, 1, 1, frame[3])))
            elif control == 0x01 and c_r == command:
                self.acked = frame[3] >> 1
            elif control == 0x73 and c_r == command:
                self.up = True
        if self.up and self.sends:
            send.append(bytes((command, 1, self._sent << 1, 0)) + self.sends.pop(0))
            self._sent += 1
        if self.asks and not self.up and tick % 10 == 0:
            send.append(bytes((command, 1, 0x7F)))
        return send


def look(far: FarEnd, options_far: str = "framing=g704&crc4=on", options: str = "framing=g704&crc4=auto",
         country: str = "", elsewhere: Encoder | None = None, ones: range = range(0)) -> tuple[
             dict[str, Finding], float, Detection]:
    """The findings by name, after how many seconds of the line, and the detection."""
    line = pair(options_far, options)
    detection = Detection(line.b.abilities, Random(1), country)
    received: list[bytes] = []
    for block in range(int((LONGEST_S + 1) / BLOCK_S)):
        now = block * BLOCK_S
        line.step()
        if line.a.read(now) is not None:
            line.a.write(what_far_sends(elsewhere, ones))
        came = line.b.read(now)
        if came is not None:
            detection.look(came)
            line.b.write(idle_block())
        received += line.a.receive_frames()
        if block % TURN_BLOCKS == 0:
            for frame in far.turn(block // TURN_BLOCKS, received):
                line.a.send_frame(frame)
            received = []
            for frame in detection.turn(now, line.b.receive_frames(), line.b.status(), line.b.counters()):
                line.b.send_frame(frame)
        if detection.phase is Phase.DONE:
            break
    line.close()
    return {one.what: one for one in detection.findings()}, now, detection


def what_far_sends(elsewhere: Encoder | None, ones: range) -> Block:
    block = idle_block()
    if elsewhere is not None:
        elsewhere.send(bytes((C_R, 1, 0x7F)))
        block[3] = np.frombuffer(elsewhere.pull(BLOCK), np.uint8)
    for timeslot in ones:
        block[timeslot] = 0xFF
    return block


def keys(finding: Finding) -> list[str]:
    return [one.key for one in finding.evidence]


@pytest.mark.need(15)
@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("side", [Side.USER, Side.NETWORK])
def test_the_side_is_asked_and_answered(side: Side, asks: bool) -> None:
    far = FarEnd(side, asks)
    found, took_s, _ = look(far)
    ours = "user" if side is Side.NETWORK else "network"
    assert (found["side"].value, found["side"].sure) == (ours, "tried")
    assert f"answers_{ours}" in keys(found["side"])
    assert (found["d_channel"].value, found["d_channel"].sure) == ("16", "seen")
    assert found["clock"].value == ("line" if ours == "user" else "own")
    assert far.disc == 1 and took_s < LONGEST_S   # the link is put down again: the box sets up its own


@pytest.mark.parametrize(("options", "value", "key"), [
    ("framing=g704&crc4=on", "on", "e_bits"), ("framing=g704&crc4=off", "off", "no_multiframes"),
    ("framing=blocks", "", "crc4_untold")])
def test_crc4_is_as_the_line_has_it(options: str, value: str, key: str) -> None:
    near = "framing=g704&crc4=auto" if "g704" in options else "framing=blocks"
    found, _, _ = look(FarEnd(Side.NETWORK), options, near)
    assert found["crc4"].value == value and key in keys(found["crc4"])
    assert found["side"].sure == "tried"          # the rest is found either way


def test_a_far_end_that_does_not_find_our_crc4_tells_so_by_its_e_bits() -> None:
    line = pair("framing=g704", "framing=g704")
    detection = Detection(line.b.abilities, Random(1))
    for turn in range(60):
        if (came := line.b.read(turn / 10)) is not None:
            detection.look(came)
        detection.turn(turn / 10, [], LineStatus(crc4=True), Counters(e_bits=turn * 100))
        line.step()
    found = {one.what: one for one in detection.findings()}
    assert keys(found["crc4"]) == ["multiframes", "e_bits_all"]
    assert 900 < found["crc4"].evidence[1].figures["per_s"] <= 1000           # type: ignore[operator]
    line.close()


@pytest.mark.parametrize(("fault", "alarm"), [("los", Alarm.LOS), ("ais", Alarm.AIS), ("lof", Alarm.LOF)])
def test_a_line_that_is_down_says_why_and_no_more(fault: str, alarm: Alarm) -> None:
    found, took_s, detection = look(FarEnd(Side.NETWORK), f"framing=g704&{fault}=on")
    assert list(found) == ["signal"] and found["signal"].value == alarm.value
    assert not detection.up and took_s < 4.0


def test_silence_a_refusal_and_a_loop_are_told_apart() -> None:
    found, _, _ = look(FarEnd(None))
    assert (found["side"].sure, found["d_channel"].value) == ("usual", "16")
    assert {"silent_user", "silent_network"} <= set(keys(found["side"]))
    found, _, _ = look(FarEnd(Side.NETWORK, refuses=True))
    assert (found["side"].value, found["side"].sure) == ("user", "seen")
    assert "refuses_user" in keys(found["side"])
    line = pair("framing=g704", "framing=g704")
    detection = Detection(line.b.abilities, Random(1))
    line.a.loop(next(loop for loop in line.a.abilities.loops if loop == "payload"))
    for block in range(600):
        now = block * BLOCK_S
        line.step()
        if line.a.read(now) is not None:
            line.a.write(idle_block())
        if (came := line.b.read(now)) is not None:
            detection.look(came)
            line.b.write(idle_block())
        if block % TURN_BLOCKS == 0:
            for frame in detection.turn(now, line.b.receive_frames(), line.b.status(), line.b.counters()):
                line.b.send_frame(frame)
    assert detection.looped and detection.findings()[3].value == "loop"
    line.close()


def test_a_d_channel_on_another_timeslot_and_channels_that_are_not_rented() -> None:
    found, _, _ = look(FarEnd(None), elsewhere=Encoder(), ones=range(17, 32))
    assert (found["d_channel"].value, keys(found["d_channel"])) == ("3", ["elsewhere"])
    [only] = found["channels"].evidence
    assert only.key == "only_ones" and only.figures["timeslots"] == list(range(17, 32))


@pytest.mark.parametrize(("sends", "country", "profile", "numbers"), [
    ((SETUP + COMPLETE,), "", ("etsi", "usual"), ("en-bloc", "seen")),
    ((SETUP, INFORMATION), "cn", ("china", "usual"), ("overlap", "seen")),
    ((SETUP,), "us", ("etsi", "usual"), ("en-bloc", "usual")),
    ((QSIG,), "cn", ("qsig", "seen"), ("en-bloc", "usual")),
    ((CODESET_4,), "cn", ("qsig", "seen"), ("en-bloc", "usual")),
    ((ROSE,), "cn", ("etsi", "seen"), ("en-bloc", "usual")),
    ((), "cn", ("china", "usual"), ("en-bloc", "usual")),
])
def test_only_messages_tell_whose_rules_it_follows_and_how_numbers_come(
        sends: tuple[bytes, ...], country: str, profile: tuple[str, str], numbers: tuple[str, str]) -> None:
    far = FarEnd(Side.NETWORK, sends=sends)
    found, _, _ = look(far, country=country)
    assert (found["profile"].value, found["profile"].sure) == profile
    assert (found["numbers"].value, found["numbers"].sure) == numbers
    assert far.acked == len(sends)                # it is not left to say it again and again


@pytest.mark.parametrize(("octets", "side"), [
    ("02017f", Side.NETWORK), ("00017f", Side.USER), ("000173", Side.NETWORK), ("020173", Side.USER),
    ("02010000", Side.NETWORK), ("00010102", None), ("80017f", None), ("00007f", None), ("0001", None),
    ("", None)])
def test_as_whom_a_frame_was_sent(octets: str, side: Side | None) -> None:
    assert speaker(bytes.fromhex(octets)) is side


def test_a_good_frame_by_chance_is_no_d_channel() -> None:
    for frames, found in ((2, "d_silent"), (3, "elsewhere")):
        detection = Detection(pair().b.abilities, Random(1))
        encoder = Encoder()
        detection.turn(0.0, [], LineStatus(), Counters())
        for _ in range(frames):
            encoder.send(bytes((C_R, 1, 0x7F)))
        for _ in range(3):
            block = idle_block()
            block[3] = np.frombuffer(encoder.pull(BLOCK), np.uint8)
            detection.look(block)
        assert keys(detection._d_channel()) == [found]


def test_a_link_that_is_up_when_the_time_is_over_is_put_down() -> None:
    """As of a far end that answers with the C/R bit of a command."""
    detection = Detection(pair().b.abilities, Random(1))
    status, sent, answers, now = LineStatus(crc4=True), list[bytes](), list[bytes](), 0.0
    detection._began_s, detection._started = -LONGEST_S + 5.0, True  # most of the time is over
    detection.look(idle_block())
    while detection.phase is not Phase.DONE:
        new = detection.turn(now, answers, status, Counters())
        answers = [bytes((one[0] ^ C_R, 1, 0x73)) for one in new if one[2] == 0x7F]
        sent, now = sent + new, now + 0.1
    assert sent[-1][2] == 0x53 and now < LONGEST_S


def test_any_octets_will_do() -> None:
    random, messages = Random(7), Messages()
    detection = Detection(pair().b.abilities, random)
    for _ in range(3000):
        frame = random.randbytes(random.randrange(0, 40))
        messages.take(frame)
        messages.take(bytes((2, 1, 0, 0)) + SETUP[:random.randrange(len(SETUP))] + frame)
        detection._take(frame)
    assert messages.seen > 0
