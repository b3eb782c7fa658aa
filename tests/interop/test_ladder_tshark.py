"""tshark, which is not our code, names the same frames, messages, causes and values as our ladder does."""
import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    ConnectedNumber,
    Display,
    Element,
    NotificationIndicator,
    ProgressIndicator,
    RedirectingNumber,
    RestartIndicator,
    SendingComplete,
)
from appliance.isdn.ladder import CAUSES, Frame, Rung, describe
from appliance.isdn.ladder.names import LOCATIONS, PROGRESS
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import MANDATORY, Message, MessageType
from e1_driver.watch import pcap
from tests.isdn.captured import captured

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

T, USER, NETWORK = MessageType, Side.USER, Side.NETWORK
REQUIRED: dict[type[Element], Element] = {
    BearerCapability: BearerCapability(), Cause: Cause(16), CallState: CallState(10), ChannelId: ChannelId(1),
    ProgressIndicator: ProgressIndicator(8), NotificationIndicator: NotificationIndicator(0),
    RestartIndicator: RestartIndicator(),
}
# Where tshark has words of other editions or countries: those of Q.931 of 1988, ANSI and AT&T.
OTHER_CAUSES = {8, 9, 14, 23, 25, 28, 39, 40, 47, 49, 83, 87, 90, 91, 99, 127}
OTHER_PROGRESS = {1, 5}


def shown(frames: list[Frame], path: Path) -> list[dict[str, list[str]]]:
    """Of each packet: field name -> what tshark shows of it."""
    path.write_bytes(pcap.write(frames, network_side=True))
    said = subprocess.run(["tshark", "-n", "-r", str(path), "-T", "pdml"], check=True, capture_output=True,
                          text=True, timeout=60).stdout
    packets = []
    for packet in said.split("<packet>")[1:]:
        fields: dict[str, list[str]] = {}
        for name, text in re.findall(r'<field name="([^"]*)"(?: showname="([^"]*)")?', packet):
            fields.setdefault(name, []).append(html.unescape(text))
        packets.append(fields)
    return packets


def pairs(messages: list[Message], folder: Path) -> list[tuple[Rung, dict[str, list[str]]]]:
    """Our rung and tshark's packet of each frame; the network sends the messages."""
    frames = captured([(NETWORK, message) for message in messages], NETWORK, 1_700_000_000.0)
    rungs = [describe(octets, sent, True) for _, sent, octets in frames]
    return list(zip(rungs, shown(frames, folder / "d.pcap"), strict=True))


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def value(packet: dict[str, list[str]], name: str, brackets: int = 1) -> str:
    """The words of a field shown as "Cause value: User busy (17)", without the last `brackets`."""
    [shown] = packet[name]
    return words(re.sub(rf"(?: \([^()]*\)){{{brackets}}}$", "", shown.partition(": ")[2]))


def test_every_message_and_frame_has_the_same_name(tmp_path: Path) -> None:
    kinds = [kind for kind in T if kind < 0x100 and kind not in (T.SEGMENT, T.USER_INFORMATION)]
    found = pairs([Message(kind, 5, False, tuple(REQUIRED[one] for one in MANDATORY.get(kind, ())))
                   for kind in kinds], tmp_path)
    names = [kind.name.replace("_", " ") for kind in kinds]
    assert [rung.message for rung, _ in found if rung.message] == names
    assert {"SABME", "UA", "I", "RR"} == {rung.kind for rung, _ in found}
    for rung, packet in found:
        assert rung.wrong == ()
        if rung.message:
            assert words(rung.message) == value(packet, "q931.message_type")
        theirs = [text.rpartition(" ")[2] for name in ("lapd.control.n_s", "lapd.control.n_r")
                  for text in packet.get(name, [])]
        assert re.findall(r"N\([SR]\)=(\d+)", rung.link) == theirs


def test_causes_have_the_same_words(tmp_path: Path) -> None:
    sent = [Message(T.DISCONNECT, 5, False, (Cause(number, location=3),)) for number in CAUSES]
    found = [(rung, packet) for rung, packet in pairs(sent, tmp_path) if rung.message]
    assert len(found) == len(CAUSES)
    different = {rung.causes[0] for rung, packet in found
                 if words(rung.text) != f"cause {rung.causes[0]} {value(packet, 'q931.cause_value')}"}
    assert different == OTHER_CAUSES


def test_locations_and_progress_have_the_same_words(tmp_path: Path) -> None:
    sent = [Message(T.PROGRESS, 5, False, (ProgressIndicator(8, location),)) for location in LOCATIONS]
    sent += [Message(T.PROGRESS, 5, False, (ProgressIndicator(number),)) for number in PROGRESS]
    found = [(rung, packet) for rung, packet in pairs(sent, tmp_path) if rung.message]
    assert len(found) == len(LOCATIONS) + len(PROGRESS)
    different = set()
    for rung, packet in found:
        [part] = rung.parts
        assert words(dict(part.details)["location"]) == value(
            packet, "q931.progress_indicator.location", brackets=2)
        number, _, text = part.short.removeprefix("progress ").partition(" ")
        if words(text) != value(packet, "q931.progress_indicator.description"):
            different.add(int(number))
    assert different == OTHER_PROGRESS


def test_a_setup_has_the_same_values(tmp_path: Path) -> None:
    setup = Message(T.SETUP, 0x1234, False, (
        BearerCapability(BearerCapability.AUDIO_3K1), ChannelId(17, exclusive=False),
        CallingNumber("2155501", 2, 1, 1, 3), CalledNumber("5001", 4), Display("Alice"),
        RedirectingNumber("4000", reason=15), SendingComplete()))
    connect = Message(T.CONNECT, 0x1234, False, (ConnectedNumber("8001", screening=1),))
    [(rung, packet), (answer, second)] = [
        pair for pair in pairs([setup, connect], tmp_path) if pair[0].message]
    assert (rung.call_ref, rung.ours) == (0x1234, True)
    details = {(part.name, what): words(text) for part in rung.parts for what, text in part.details}
    for part, what, name in [
            ("Bearer capability", "information transfer capability", "q931.information_transfer_capability"),
            ("Bearer capability", "layer 1 protocol", "q931.uil1")]:
        assert details[part, what].replace("law", "") in value(packet, name).replace("law", "")
    shown = [words(one.partition(": ")[2]) for one in packet["q931.number_type"]]
    for part, text in zip(("Calling", "Called"), shown, strict=False):
        assert details[f"{part} party number", "type of number"] in text
    text = rung.text
    for name, ours in [
            ("q931.calling_party_number.digits", "calling {} (restricted)"),
            ("q931.called_party_number.digits", "called {}"),
            ("q931.redirecting_number.digits", "redirecting {}"),
            ("q931.display_information", "display '{}'"), ("q931.channel.number", "channel {} preferred")]:
        theirs = packet[name][0].rpartition(": ")[2].strip("'")
        assert ours.format(theirs) in text, (name, theirs, text)
    assert "sending complete" in text
    assert second["q931.connected_number.digits"][0].rpartition(": ")[2].strip("'") in answer.text


def test_what_tshark_finds_malformed_is_told_with_its_place(tmp_path: Path) -> None:
    cut = bytes.fromhex("02 01 00 00 08 02 00 01 05 04 03 80 90")        # of the bearer capability
    [packet] = shown([(1.0, True, cut)], tmp_path / "cut.pcap")
    assert any(name.startswith("_ws.malformed") or name == "_ws.expert" for name in packet)
    assert "Bearer capability at octet 9: 5.8.6.2: runs past the end" in describe(cut, True, True).text
