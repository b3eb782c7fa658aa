"""Q.931 by vector, both ways, and the error handling of 5.8 before any call state is asked."""
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import DecodeError
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
from appliance.isdn.octets import Octets
from appliance.isdn.q931 import MANDATORY, ElementFault, Message, MessageError, MessageType, decode, encode

T = MessageType

# Octets worked out by hand from the figures of 4.5 (and Q.951, Q.932), every field with two values.
ELEMENT_VECTORS = [
    ("a1", SendingComplete()),
    ("04 03 80 90 a3", BearerCapability()),
    ("04 03 90 90 a3", BearerCapability(BearerCapability.AUDIO_3K1)),
    ("04 02 88 90", BearerCapability(BearerCapability.UNRESTRICTED, layer1=None)),
    ("04 03 80 90 a2", BearerCapability(layer1=2)),
    ("04 02 88 c0", BearerCapability(BearerCapability.UNRESTRICTED, None, rate=0x40)),
    ("08 02 80 90", Cause(16)),
    ("08 02 82 91", Cause(17, location=2)),
    ("08 03 8a e4 18", Cause(100, location=10, diagnostic=b"\x18")),
    ("14 01 00", CallState(0)),
    ("14 01 0a", CallState(10)),
    ("14 01 3d", CallState(61)),
    ("18 03 a9 83 81", ChannelId(1)),
    ("18 03 a1 83 9f", ChannelId(31, exclusive=False)),
    ("18 01 ab", ChannelId(None, any_channel=True)),
    ("18 01 a3", ChannelId(None, exclusive=False, any_channel=True)),
    ("18 01 a8", ChannelId(None)),
    ("18 05 a9 83 01 0f 91", ChannelId(1, others=(15, 17))),
    ("18 06 a9 93 80 02 80 02", ChannelId(1, others=(15, 17, 31), slot_map=True)),
    ("18 04 e9 81 83 85", ChannelId(5, interface=1)),
    ("18 05 e9 01 80 83 85", ChannelId(5, interface=128)),
    ("18 02 e8 83", ChannelId(None, interface=3)),
    ("1c 05 91 a1 03 02 01", Facility(bytes.fromhex("91 a1 03 02 01"))),
    ("1c 01 9f", Facility(b"\x9f")),
    ("1e 02 80 81", ProgressIndicator(1)),
    ("1e 02 82 88", ProgressIndicator(8, location=2)),
    ("27 01 80", NotificationIndicator(0)),
    ("27 01 f9", NotificationIndicator(0x79)),
    ("28 05 41 6c 69 63 65", Display("Alice")),
    ("28 04 b1 4a f6 65", Display("J\u00f6e", charset=0xB1)),
    ("29 03 18 0c 1f", DateTime(24, 12, 31)),
    ("29 05 18 01 02 17 3b", DateTime(24, 1, 2, 23, 59)),
    ("29 06 18 01 02 17 3b 1e", DateTime(24, 1, 2, 23, 59, 30)),
    ("2c 03 2a 32 31", KeypadFacility("*21")),
    ("2c 01 23", KeypadFacility("#")),
    ("4c 06 21 83 35 35 30 31", ConnectedNumber("5501", type=2, screening=3)),
    ("4c 02 00 c3", ConnectedNumber("", plan=0, presentation=2, screening=3)),
    ("6c 05 81 35 30 30 31", CallingNumber("5001", screening=None)),
    ("6c 06 01 80 35 30 30 31", CallingNumber("5001")),
    ("6c 06 49 a1 36 30 30 32", CallingNumber("6002", type=4, plan=9, presentation=1, screening=1)),
    ("70 05 81 35 30 30 31", CalledNumber("5001")),
    ("70 03 c9 36 30", CalledNumber("60", type=4, plan=9)),
    ("70 01 80", CalledNumber("", plan=0)),
    ("74 05 01 00 80 31 32", RedirectingNumber("12")),
    ("74 04 29 21 8f 39", RedirectingNumber("9", 2, 9, presentation=1, screening=1, reason=15)),
    ("79 01 80", RestartIndicator(RestartIndicator.CHANNELS)),
    ("79 01 87", RestartIndicator(RestartIndicator.ALL_INTERFACES)),
    ("79 01 86", RestartIndicator(RestartIndicator.INTERFACE)),
    ("7c 03 80 90 a3", LowLayerCompatibility(b"\x80\x90\xa3")),
    ("7c 01 80", LowLayerCompatibility(b"\x80")),
    ("7d 02 91 81", HighLayerCompatibility()),
    ("7d 02 91 84", HighLayerCompatibility(4)),
    ("7d 03 91 5e 81", HighLayerCompatibility(0x5E, extended=1)),
    ("7e 03 04 68 69", UserUser(4, b"hi")),
    ("7e 01 00", UserUser(0, b"")),
]

# What other equipment may send and we write otherwise.
READ_ONLY_VECTORS = [
    ("08 03 02 80 90", Cause(16, location=2)),                          # octet 3a: recommendation Q.931
    ("08 02 e0 90", Cause(16)),                                         # another coding standard
    ("04 04 80 90 a3 c0", BearerCapability()),                          # a layer 2 protocol
    ("04 05 88 90 21 8f c6", BearerCapability(0x08, layer1=1)),         # V.110 with octet 5a
    ("04 04 88 90 c6 e6", BearerCapability(0x08, layer1=None)),         # layers 2 and 3
    ("04 03 88 90 e6", BearerCapability(0x08, layer1=None)),            # layer 3
    ("1e 02 a2 88", ProgressIndicator(8, location=2)),
    ("70 06 01 80 35 30 30 31", CalledNumber("5001")),                  # an octet 3a that should not be there
    ("74 03 81 31 32", RedirectingNumber("12")),
    ("74 04 01 a1 31 32", RedirectingNumber("12", presentation=1, screening=1)),
    ("18 03 ad 83 81", ChannelId(1)),                                   # D-channel indicator
]

MESSAGE_VECTORS = [
    ("08 02 00 01 45 08 02 82 90", Message(T.DISCONNECT, 1, False, (Cause(16, location=2),))),
    ("08 02 80 07 02 18 03 a1 83 91", Message(T.CALL_PROCEEDING, 7, True, (ChannelId(17, False),))),
    ("08 02 ff ff 02 18 03 a9 83 9f", Message(T.CALL_PROCEEDING, 0x7FFF, True, (ChannelId(31),))),
    ("08 02 00 00 46 18 03 a9 83 85 79 01 80",
     Message(T.RESTART, 0, False, (ChannelId(5), RestartIndicator()))),
    ("08 02 80 00 4e 79 01 87", Message(T.RESTART_ACKNOWLEDGE, 0, True, (RestartIndicator(7),))),
    ("08 02 12 34 7d 08 02 80 9e 14 01 0a", Message(T.STATUS, 0x1234, False, (Cause(30), CallState(10)))),
    ("08 02 92 34 75", Message(T.STATUS_ENQUIRY, 0x1234, True)),
    ("08 02 00 02 05 a1 04 03 80 90 a3 18 03 a9 83 82 6c 06 21 83 35 35 35 31 70 05 c1 35 30 30 31",
     Message(T.SETUP, 2, False, (
         SendingComplete(), BearerCapability(), ChannelId(2), CallingNumber("5551", type=2, screening=3),
         CalledNumber("5001", type=4)))),
    ("08 02 80 02 07 1e 02 82 88 1e 02 84 82",
     Message(T.CONNECT, 2, True, (ProgressIndicator(8, 2), ProgressIndicator(2, 4)))),
]

CONNECT = "08 02 00 01 07"


def octets_of(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(("octets", "element"), ELEMENT_VECTORS)
def test_element_both_ways(octets: str, element: Element) -> None:
    message = Message(T.CONNECT, 1, False, (element,))
    assert decode(octets_of(CONNECT + octets)) == message
    assert encode(message) == octets_of(CONNECT + octets)


@pytest.mark.parametrize(("octets", "element"), READ_ONLY_VECTORS)
def test_element_is_read(octets: str, element: Element) -> None:
    assert decode(octets_of(CONNECT + octets)) == Message(T.CONNECT, 1, False, (element,))


@pytest.mark.parametrize(("octets", "message"), MESSAGE_VECTORS)
def test_message_both_ways(octets: str, message: Message) -> None:
    assert decode(octets_of(octets)) == message
    assert encode(message) == octets_of(octets)


def test_every_element_class_has_two_vectors() -> None:
    kinds = [type(element) for _, element in ELEMENT_VECTORS]
    assert all(kinds.count(kind) >= 2 or kind is SendingComplete for kind in ELEMENTS.values())
    assert set(kinds) == set(ELEMENTS.values())


@pytest.mark.parametrize("type_", MessageType)
def test_every_message_type_is_read_by_its_octet(type_: MessageType) -> None:
    needed = {Cause: Cause(16), CallState: CallState(1), BearerCapability: BearerCapability(),
              ProgressIndicator: ProgressIndicator(8), NotificationIndicator: NotificationIndicator(0),
              RestartIndicator: RestartIndicator(), ChannelId: ChannelId(1), UserUser: UserUser(4, b"x")}
    elements = tuple(needed[kind] for kind in sorted(MANDATORY.get(type_, ()), key=list(needed).index))
    octets = encode(Message(type_, 1, False, elements))
    assert octets[4] == type_
    assert decode(octets).type is type_


@pytest.mark.parametrize(("octets", "reference", "to_originator"), [
    ("08 01 05 0f", 5, False), ("08 01 ff 0f", 127, True), ("08 01 80 0f", 0, True)])
def test_call_reference_of_one_octet_is_read(octets: str, reference: int, to_originator: bool) -> None:
    assert decode(octets_of(octets)) == Message(T.CONNECT_ACKNOWLEDGE, reference, to_originator)


def test_first_is_of_exactly_that_kind() -> None:
    message = decode(octets_of(CONNECT + "4c 03 01 80 31 6c 03 01 80 32"))
    assert message.first(CallingNumber) == CallingNumber("2")
    assert message.first(ConnectedNumber) == ConnectedNumber("1")
    assert message.first(Cause) is None


def test_order_of_elements_given_does_not_matter() -> None:
    elements = (CalledNumber("1"), Cause(16), ProgressIndicator(8), SendingComplete(), ProgressIndicator(1))
    octets = octets_of(CONNECT + "a1 08 02 80 90 1e 02 80 88 1e 02 80 81 70 02 81 31")
    assert encode(Message(T.CONNECT, 1, False, elements)) == octets


# --- 5.8: what is wrong with a message


@pytest.mark.parametrize("octets", [
    "", "08", "08 02", "08 02 00", "08 02 00 01",               # 5.8.2, too short
    "09 02 00 01 45 08 02 80 90", "00 02 00 01 07",             # 5.8.1, protocol discriminator
    "08 00 07", "08 03 00 00 01 07", "08 12 00 01 07",          # 5.8.3.1, call reference
])
def test_ignored(octets: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(octets_of(octets))
    assert raised.value.cause is None
    assert not isinstance(raised.value, MessageError)


@pytest.mark.parametrize(("octets", "cause", "clause", "diagnostic"), [
    ("55", 97, "5.8.4", "55"),
    ("00 45", 97, "5.8.4", "00"),                               # the escape to a national message type
    ("45", 96, "5.8.6.1", "08"),
    ("7d 14 01 0a", 96, "5.8.6.1", "08"),
    ("7d", 96, "5.8.6.1", "08 14"),
    ("45 08 00", 96, "5.8.6.1", "08"),                          # empty is absent
    ("45 08 01 80", 100, "5.8.6.2", "08"),
    ("45 08 05 82 90", 100, "5.8.6.2", "08"),                   # runs past the end
    ("45 08", 100, "5.8.6.2", "08"),
    ("05 04 01 80", 100, "5.8.6.2", "04"),
    ("05 04 03 e0 90 a3", 65, "5.8.6.2", "04"),                 # a national coding standard
    ("05 04 04 88 98 82 a3", 65, "5.8.6.2", "04"),              # multirate
    ("46 79 01 83", 100, "5.8.6.2", "79"),
    ("07 05 01 00", 96, "5.8.7.1", "05"),                       # unknown, comprehension required
    ("07 0f 00", 96, "5.8.7.1", "0f"),
])
def test_not_acted_on(octets: str, cause: int, clause: str, diagnostic: str) -> None:
    for head, reference, to_originator in (("08 02 01 02", 0x0102, False), ("08 02 80 03", 3, True)):
        with pytest.raises(MessageError) as raised:
            decode(octets_of(head + octets))
        error = raised.value
        assert (error.cause, error.clause, error.diagnostic) == (cause, clause, octets_of(diagnostic))
        assert (error.call_ref, error.to_originator, error.type) == (reference, to_originator,
                                                                    octets_of(octets)[0])


@pytest.mark.parametrize(("octets", "identifier", "cause"), [
    ("18 03 89 83 81", 0x18, 100),                              # basic rate
    ("18 03 a9 88 81", 0x18, 100),                              # H0 channels
    ("18 03 a9 a3 81", 0x18, 100),                              # another coding standard
    ("18 02 a9 83", 0x18, 100),                                 # no number
    ("18 03 a9 83 90", 0x18, 82),                               # timeslot 16
    ("18 03 a9 83 80", 0x18, 82),
    ("18 03 a9 83 a0", 0x18, 82),
    ("18 06 a9 93 00 01 00 00", 0x18, 82),
    ("18 04 a9 93 00 01", 0x18, 100),                           # half a slot map
    ("28 03 41 07 42", 0x28, 100),                              # a bell
    ("28 03 b1 41 1b", 0x28, 100),
    ("6c 03 01 35 36", 0x6C, 100),                              # its octet group has no end
    ("70 03 81 35 ff", 0x70, 100),
    ("29 02 18 01", 0x29, 100),
    ("1e 01 80", 0x1E, 100),
    ("70 7f 81 35", 0x70, 100),                                 # runs past the end
])
def test_faulty_element_is_left_out(octets: str, identifier: int, cause: int) -> None:
    message = decode(octets_of(CONNECT + "2c 01 31" + octets))
    assert message.elements == (KeypadFacility("1"),)
    assert message.faults == (ElementFault(identifier, cause),)


def test_unknown_elements_are_kept() -> None:
    message = decode(octets_of(CONNECT + "d1 08 02 80 90 71 03 80 50 31 20 00 b0"))
    assert message.elements == (Cause(16),)
    assert message.unread == ((0xD1, b""), (0x71, b"\x80\x50\x31"), (0x20, b""), (0xB0, b""))
    assert message.faults == ()


def test_codesets_are_shifted() -> None:
    shifted = "9e 08 01 aa 08 02 80 90 96 70 01 bb 95 28 01 cc 9f 00 01 dd 98 28 01 41"
    message = decode(octets_of(CONNECT + shifted))
    assert message.elements == (Cause(16), Display("A"))
    assert message.unread == ((0x608, b"\xaa"), (0x670, b"\xbb"), (0x628, b"\xcc"), (0x700, b"\xdd"))


def test_first_of_repeated_elements_counts() -> None:
    message = decode(octets_of(CONNECT + "28 01 41 08 02 80 90 08 02 80 91 08 01 80 28 01 42"))
    assert message.elements == (Display("A"), Cause(16), Display("B"))
    assert message.faults == ()
    assert decode(octets_of(CONNECT + "08 01 80 08 02 80 91")).faults == (ElementFault(0x08, 100),)


def test_elements_out_of_sequence_are_read() -> None:
    message = decode(octets_of("08 02 00 01 05 70 02 81 35 04 03 80 90 a3"))
    assert message.elements == (CalledNumber("5"), BearerCapability())


@pytest.mark.parametrize("octets", [octets for octets, _ in MESSAGE_VECTORS]
                                   + [CONNECT + octets for octets, _ in ELEMENT_VECTORS + READ_ONLY_VECTORS])
def test_every_cut_is_refused_or_read(octets: str) -> None:
    whole = octets_of(octets)
    for length in range(len(whole)):
        with contextlib.suppress(DecodeError):    # any other exception fails the test
            decode(whole[:length])


@pytest.mark.parametrize("element", [
    BearerCapability(32), BearerCapability(rate=128), Cause(128), Cause(16, location=16), CallState(64),
    ChannelId(128), ProgressIndicator(128), NotificationIndicator(-1), RestartIndicator(8),
    CalledNumber("\u5f20"), CalledNumber("1\n"), CalledNumber("1", type=8), CalledNumber("1", plan=16),
    CallingNumber("1", presentation=4), Display("\u5f20"), Display("\u5f20", charset=0xB1),
    UserUser(256, b"x"), UserUser(4, bytes(255)),
])
def test_field_out_of_range_is_not_sent(element: Element) -> None:
    with pytest.raises(ValueError):
        encode(Message(T.CONNECT, 1, False, (element,)))


def test_call_reference_out_of_range_is_not_sent() -> None:
    with pytest.raises(ValueError, match="32768"):
        encode(Message(T.CONNECT, 0x8000, False))


def test_octets_run_out_with_the_cause_given() -> None:
    octets = Octets(b"\x01\x02\x83\x04", cause=100, clause="4.5")
    assert (octets.take(), octets.take_group(), octets.take_bytes(0)) == (1, b"\x02\x83", b"")
    assert bool(octets)
    assert octets.rest() == b"\x04"
    assert not octets
    with pytest.raises(DecodeError, match=r"4\.5: 1 octets too few") as raised:
        octets.take()
    assert raised.value.cause == 100


contents = st.binary(max_size=12)
elements = st.builds(lambda identifier, content: bytes((identifier, len(content))) + content,
                     st.sampled_from([*ELEMENTS, 0x00, 0x7F, 0x91, 0x9E]), contents)
bodies = st.builds(lambda kind, parts, tail: bytes((8, 2, 0, 1, kind)) + b"".join(parts) + tail,
                   st.sampled_from(MessageType), st.lists(elements, max_size=6), contents)


@settings(max_examples=500)
@given(bodies | st.binary(max_size=40))
def test_anything_is_read_or_refused_and_what_is_read_can_be_written(octets: bytes) -> None:
    try:
        message = decode(octets)
    except DecodeError:
        return
    read = Message(message.type, message.call_ref, message.to_originator, message.elements)
    again = decode(encode(read))
    assert sorted(map(repr, again.elements)) == sorted(map(repr, read.elements))
