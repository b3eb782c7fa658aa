"""tshark, which is not our code, reads our trace files: LAPD and Q.931 as meant, and nothing malformed."""
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.isdn.elements import (
    ELEMENTS,
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    ConnectedNumber,
    DateTime,
    Display,
    Element,
    Facility,
    HighLayerCompatibility,
    KeypadFacility,
    LowLayerCompatibility,
    NotificationIndicator,
    ProgressIndicator,
    RedirectingNumber,
    RestartIndicator,
    SendingComplete,
    UserUser,
)
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Link
from appliance.isdn.q931 import Message, MessageType, encode
from e1_driver.watch import pcap

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

T, USER, NETWORK = MessageType, Side.USER, Side.NETWORK
START_UNIX_S = 1_700_000_000.0


def message(type_: MessageType, *elements: Element, call_ref: int = 5, answer: bool = False) -> Message:
    return Message(type_, call_ref, answer, elements)


def answer(type_: MessageType, *elements: Element, call_ref: int = 5) -> Message:
    return message(type_, *elements, call_ref=call_ref, answer=True)


CALL = [                                          # an incoming call with overlap receiving, to its clearing
    (NETWORK, message(T.RESTART, ChannelId(1, others=(2, 31)), RestartIndicator(), call_ref=0)),
    (USER, answer(T.RESTART_ACKNOWLEDGE, ChannelId(1, others=(2, 31)), RestartIndicator(), call_ref=0)),
    (NETWORK, message(T.SETUP, BearerCapability(), ChannelId(17), CallingNumber("2155501", 2, 1, 0, 3),
                      CalledNumber("50", 4), Display("Alice"), LowLayerCompatibility(b"\x80\x90\xa3"),
                      HighLayerCompatibility(), RedirectingNumber("4000", reason=15),
                      UserUser(4, b"hello"), DateTime(23, 11, 14, 22, 13), KeypadFacility("*21#"))),
    (USER, answer(T.SETUP_ACKNOWLEDGE, ChannelId(17))),
    (NETWORK, message(T.INFORMATION, CalledNumber("0"))),
    (NETWORK, message(T.INFORMATION, SendingComplete(), CalledNumber("1"))),
    (USER, answer(T.CALL_PROCEEDING)),
    (USER, answer(T.PROGRESS, ProgressIndicator(8, location=1))),
    (USER, answer(T.ALERTING)),
    (USER, answer(T.CONNECT, ConnectedNumber("5001", screening=1))),
    (NETWORK, message(T.CONNECT_ACKNOWLEDGE)),
    (NETWORK, message(T.NOTIFY, NotificationIndicator(0))),
    (NETWORK, message(T.FACILITY, Facility(bytes.fromhex("91 a2 03 02 01 05")))),
    (USER, answer(T.STATUS_ENQUIRY)),
    (NETWORK, message(T.STATUS, Cause(30, location=2), CallState(10))),
    (NETWORK, message(T.DISCONNECT, Cause(16, location=2))),
    (USER, answer(T.RELEASE)),
    (NETWORK, message(T.RELEASE_COMPLETE)),
    (USER, message(T.SETUP, SendingComplete(), BearerCapability(BearerCapability.AUDIO_3K1),
                   ChannelId(3, exclusive=False), CallingNumber("5001"), CalledNumber("1000"), call_ref=300)),
    (NETWORK, answer(T.RELEASE_COMPLETE, Cause(100, 2, b"\x18"), call_ref=300)),
]


def test_call_has_every_element() -> None:
    assert {type(element) for _, each in CALL for element in each.elements} == set(ELEMENTS.values())


def trace(network_side: bool) -> bytes:
    """The call between two links, every frame of it, as one end sees it."""
    links = {side: Link(side) for side in Side}
    frames: list[tuple[float, bool, bytes]] = []

    def carry() -> None:
        while taken := [(side, octets) for side, link in links.items() for octets in link.take_frames()]:
            for side, octets in taken:
                outgoing = (side is NETWORK) is network_side
                frames.append((START_UNIX_S + 0.01 * len(frames), outgoing, octets))
                links[side.peer].receive(octets, 0.0)

    links[USER].establish(0.0)
    carry()
    for side, each in CALL:
        links[side].send(encode(each), 0.0)
        carry()
    links[USER].release(0.0)
    carry()
    return pcap.write(frames, network_side)


def tshark(path: Path, *arguments: str) -> str:
    return subprocess.run(["tshark", "-n", "-r", str(path), *arguments], check=True, capture_output=True,
                          text=True, timeout=60).stdout


@pytest.fixture(scope="module", params=[True, False], ids=["network", "user"])
def packets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What tshark says of each frame: its layers, each field with the list of its values."""
    path = tmp_path_factory.mktemp("trace") / "d.pcap"
    path.write_bytes(trace(request.param))
    said = json.loads(tshark(path, "-T", "json", "--no-duplicate-keys"))
    return [packet["_source"]["layers"] for packet in said]


def fields(tree: Any, name: str) -> list[str]:
    """All values of one field, wherever it is in the tree."""
    if isinstance(tree, list):
        return [value for branch in tree for value in fields(branch, name)]
    if not isinstance(tree, dict):
        return []
    found = [value for key, branch in tree.items() if key != name for value in fields(branch, name)]
    here = tree.get(name, [])
    return found + (here if isinstance(here, list) else [here])


def test_nothing_is_malformed_and_no_expert_complains(packets: list[dict[str, Any]]) -> None:
    text = json.dumps(packets)
    assert "_ws.malformed" not in text
    assert "_ws.expert" not in text
    assert len(packets) > 2 * len(CALL)


def test_direction_and_address(packets: list[dict[str, Any]]) -> None:
    from_network = [fields(packet, "lapd.direction") for packet in packets if "q931" in packet]
    assert from_network == [["1" if side is NETWORK else "0"] for side, _ in CALL]
    assert {value for packet in packets for value in fields(packet, "lapd.tei")} == {"0"}


def messages(packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [packet["q931"] for packet in packets if "q931" in packet]


def test_messages(packets: list[dict[str, Any]]) -> None:
    heads = [[int(fields(each, f"q931.{name}")[0].replace(":", ""), 16)
              for name in ("message_type", "call_ref", "call_ref_flag")] for each in messages(packets)]
    assert heads == [[each.type, each.call_ref, each.to_originator] for _, each in CALL]


@pytest.mark.parametrize(("index", "name", "values"), [
    (0, "q931.channel.number", ["1", "2", "31"]),
    (0, "q931.restart_indicator", ["0x00"]),
    (2, "q931.information_transfer_capability", ["0x00", "0x00"]),      # bearer and low layer compatibility
    (2, "q931.information_transfer_rate", ["0x10", "0x10"]),
    (2, "q931.uil1", ["0x03", "0x03"]),
    (2, "q931.channel.number", ["17"]),
    (2, "q931.channel.exclusive", ["1"]),
    (2, "q931.channel.interface_type", ["1"]),
    (2, "q931.calling_party_number.digits", ["2155501"]),
    (2, "q931.called_party_number.digits", ["50"]),
    (2, "q931.redirecting_number.digits", ["4000"]),
    (2, "q931.number_type", ["0x02", "0x04", "0x00"]),
    (2, "q931.numbering_plan", ["0x01", "0x01", "0x01"]),
    (2, "q931.screening_ind", ["0x03", "0x00"]),
    (2, "q931.presentation_ind", ["0x00", "0x00"]),
    (2, "q931.extension.reason", ["0x0f"]),
    (2, "q931.display_information", ["Alice"]),
    (2, "q931.date_time", ["17:0b:0e:16:0d"]),
    (2, "q931.keypad_facility", ["*21#"]),
    (2, "q931.high_layer_characteristics", ["0x01"]),
    (2, "q931.user.string", ["hello"]),
    (4, "q931.called_party_number.digits", ["0"]),
    (5, "q931.called_party_number.digits", ["1"]),
    (5, "q931.sending_complete", [""]),
    (7, "q931.progress_indicator.description", ["0x08"]),
    (7, "q931.progress_indicator.location", ["0x01"]),
    (9, "q931.connected_number.digits", ["5001"]),
    (9, "q931.screening_ind", ["0x01"]),
    (11, "q932.nd", ["0x00"]),
    (12, "q932.ros.present", ["5"]),
    (14, "q931.cause_value", ["30"]),
    (14, "q931.cause_location", ["2"]),
    (14, "q931.call_state", ["0x0a"]),
    (15, "q931.cause_value", ["16"]),
    (18, "q931.information_transfer_capability", ["0x10"]),
    (18, "q931.channel.exclusive", ["0"]),
    (18, "q931.channel.number", ["3"]),
    (19, "q931.cause_value", ["100"]),
    (19, "q931.information_element", ["8", "24"]),                     # the diagnostic names channel id
])
def test_element(packets: list[dict[str, Any]], index: int, name: str, values: list[str]) -> None:
    assert fields(messages(packets)[index], name) == values
