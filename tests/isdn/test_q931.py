"""Q.931 by vector, both ways, and the error handling of 5.8 before any call state is asked."""
import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import DecodeError
from appliance.isdn.elements import (
    MAINTENANCE_ELEMENTS,
    BearerCapability,
    CalledNumber,
    CalledSubaddress,
    CallIdentity,
    CallingNumber,
    CallState,
    Cause,
    ChangeStatus,
    ChannelId,
    CongestionLevel,
    ConnectedNumber,
    DateTime,
    Display,
    Element,
    Facility,
    HighLayerCompatibility,
    KeypadFacility,
    LowLayerCompatibility,
    MoreData,
    NetworkSpecificFacilities,
    NotificationIndicator,
    PartyCategory,
    ProgressIndicator,
    RedirectingNumber,
    RepeatIndicator,
    RestartIndicator,
    SegmentedMessage,
    SendingComplete,
    TransitCounter,
    TransitNetworkSelection,
    Unread,
    UserUser,
)
from appliance.isdn.q931 import MANDATORY, ElementFault, Message, MessageError, MessageType, decode, encode
from tests.isdn import q931_vectors
from tests.isdn.q931_vectors import BOTH_WAYS, CONNECT, READ_ONLY, UNREAD

T = MessageType
NEEDED: dict[type[Element], Element] = {          # one of each that is mandatory somewhere
    type(element): element for element in (
        Cause(16), CallState(1), BearerCapability(), ProgressIndicator(8), NotificationIndicator(0),
        RestartIndicator(), ChannelId(1), UserUser(4, b"x"), SegmentedMessage(0, T.SETUP), ChangeStatus(0))}


def octets_of(text: str) -> bytes:
    return bytes.fromhex(text)


def needed(type_: MessageType) -> tuple[Element, ...]:
    return tuple(NEEDED[kind] for kind in NEEDED if kind in MANDATORY.get(type_, ()))


@pytest.mark.parametrize(("octets", "message"), BOTH_WAYS)
def test_vector_both_ways(octets: str, message: Message) -> None:
    assert decode(octets_of(octets)) == message
    assert encode(message) == octets_of(octets)


@pytest.mark.parametrize(("octets", "message"), READ_ONLY)
def test_vector_is_read(octets: str, message: Message) -> None:
    assert decode(octets_of(octets)) == message


def test_every_element_class_has_two_vectors() -> None:
    kinds = [type(element) for _, element in q931_vectors.ELEMENTS + q931_vectors.MAINTENANCE_ELEMENTS]
    single = {SendingComplete, MoreData}
    assert all(kinds.count(kind) >= 2 or kind in single for kind in MAINTENANCE_ELEMENTS.values())
    assert set(kinds) == set(MAINTENANCE_ELEMENTS.values())


@pytest.mark.parametrize("type_", MessageType)
def test_every_message_type_is_read_by_its_octet(type_: MessageType) -> None:
    octets = encode(Message(type_, 1, False, needed(type_)))
    assert (octets[0], octets[4]) == (type_.protocol, type_ & 0xFF)
    assert decode(octets).type is type_
    assert type_.protocol == (0x08 if type_ < 0x80 else type_ >> 8)


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


def test_a_repeat_indicator_stays_with_what_it_is_about() -> None:
    elements = (CalledNumber("1"), RepeatIndicator(), LowLayerCompatibility(b"\x91"),
                LowLayerCompatibility(b"\x80"), RepeatIndicator(), BearerCapability(), SendingComplete())
    assert encode(Message(T.CONNECT, 1, False, elements)) == octets_of(
        CONNECT + "a1 d2 04 03 80 90 a3 70 02 81 31 d2 7c 01 91 7c 01 80")
    assert encode(Message(T.CONNECT, 1, False, (RepeatIndicator(), ))) == octets_of(CONNECT + "d2")


@pytest.mark.parametrize("octets", [
    "", "08", "08 02", "08 02 00", "08 02 00 01",               # 5.8.2, too short
    "09 02 00 01 45 08 02 80 90", "00 02 00 01 07",             # 5.8.1, protocol discriminator
    "03 02 00 00 05", "43 02 00 00 46 79 01 80",                # maintenance has two messages only
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
    ("05 04 02 88 98", 100, "5.8.6.2", "04"),                   # multirate, and no octet 4.1
    ("05 04 0b 80 90 a3 c0 e0 80 80 80 80 80 80", 100, "5.8.6.2", "04"),        # longer than table 4-3 has it
    ("60 00 01 81", 100, "5.8.6.2", "00"),
    ("60", 96, "5.8.6.1", "00"),
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
    ("08 01 80", 0x08, 100),
    ("08 01 00", 0x08, 100),
    ("20 02 02 a1", 0x20, 100),                                 # network identification longer than that
    ("1e 03 80 81 80", 0x1E, 100),                              # longer than table 4-3 has it
    ("28 51" + 81 * " 41", 0x28, 100),
    ("71 16 80" + 21 * " 50", 0x71, 43),                        # access information
    ("7e 82 04" + 129 * " 41", 0x7E, 43),
    ("70 7f 81 35", 0x70, 100),                                 # runs past the end
])
def test_faulty_element_is_left_out(octets: str, identifier: int, cause: int) -> None:
    message = decode(octets_of(CONNECT + "2c 01 31" + octets))
    assert message.elements == (KeypadFacility("1"),)
    assert message.faults == (ElementFault(identifier, cause),)


def test_elements_of_no_class_are_kept() -> None:
    message = decode(octets_of(CONNECT + "e1 08 02 80 90 73 03 80 50 31 40 00 f0 44 05 01"))
    assert message.elements == (Cause(16),)
    assert message.unread == (Unread(0xE1), Unread(0x73, b"\x80\x50\x31"), Unread(0x40), Unread(0xF0),
                              Unread(0x44))
    assert message.faults == ()


@pytest.mark.parametrize(("octets", "unread"), UNREAD)
def test_elements_of_no_class_can_be_sent_on(octets: str, unread: Unread) -> None:
    message = decode(octets_of(CONNECT + octets))
    assert (message.elements, message.unread) == ((), (unread,))
    assert encode(replace(message, elements=message.unread)) == octets_of(CONNECT + octets)


def test_codesets_are_shifted() -> None:
    shifted = "9e 08 01 aa 08 02 80 90 96 70 01 bb 95 28 01 cc 9f 00 01 dd 98 28 01 41"
    message = decode(octets_of(CONNECT + shifted))
    assert message.elements == (Cause(16), Display("A"))
    assert message.unread == (Unread(0x608, b"\xaa"), Unread(0x670, b"\xbb"), Unread(0x628, b"\xcc"),
                              Unread(0x700, b"\xdd"))


def test_elements_of_other_codesets_are_written_last_after_one_shift_for_each() -> None:
    elements = (Unread(0x670, b"\xbb"), PartyCategory(1), Unread(0x6A0), SendingComplete(), TransitCounter(2),
                Unread(0x608, b"\xaa"), CalledNumber("1"))
    octets = encode(Message(T.CONNECT, 1, False, elements))
    assert octets == octets_of(CONNECT + "a1 70 02 81 31 94 31 01 82 95 32 01 81 96 08 01 aa 70 01 bb a0")
    read = decode(octets)
    assert read.elements == (SendingComplete(), CalledNumber("1"), TransitCounter(2), PartyCategory(1))
    assert read.unread == (Unread(0x608, b"\xaa"), Unread(0x670, b"\xbb"), Unread(0x6A0))


def test_first_of_repeated_elements_counts() -> None:
    message = decode(octets_of(CONNECT + "28 01 41 70 02 81 31 70 02 81 32 70 01 00 28 01 42"))
    assert message.elements == (Display("A"), CalledNumber("1"), Display("B"))
    assert message.faults == ()
    assert decode(octets_of(CONNECT + "70 01 00 70 02 81 31")).faults == (ElementFault(0x70, 100),)


def test_elements_are_repeated_only_after_a_repeat_indicator_of_their_own() -> None:
    twice = "04 03 80 90 a3 04 02 88 90"
    both = (BearerCapability(), BearerCapability(BearerCapability.UNRESTRICTED, None))
    setup = "08 02 00 01 05"
    assert decode(octets_of(setup + twice)).elements == both[:1]
    assert decode(octets_of(setup + "d2" + twice)).elements == (RepeatIndicator(), *both)
    assert decode(octets_of(setup + "d2 7d 02 91 81" + twice)).elements == (
        RepeatIndicator(), HighLayerCompatibility(), both[0])


def test_what_could_be_read_of_a_message_not_to_be_acted_on() -> None:
    for octets in ("45 08 02 82 91 0d 01 91 1e 02 82 88", "07 08 02 82 91 00 01 80 1e 02 82 88 01 00"):
        with pytest.raises(MessageError) as raised:
            decode(octets_of("08 02 00 01" + octets))
        assert raised.value.elements == (Cause(17, 2), ProgressIndicator(8, 2))


def test_maintenance_knows_the_elements_of_call_control_too() -> None:
    message = decode(octets_of("03 02 80 00 07 01 01 c2 18 03 a9 83 83 28 01 41"))
    assert message.elements == (ChangeStatus(2), ChannelId(3), Display("A"))
    with pytest.raises(MessageError, match="0x01 must be understood"):
        decode(octets_of(CONNECT + "01 01 c2"))


def test_elements_out_of_sequence_are_read() -> None:
    message = decode(octets_of("08 02 00 01 05 70 02 81 35 04 03 80 90 a3"))
    assert message.elements == (CalledNumber("5"), BearerCapability())


@pytest.mark.parametrize("octets", [octets for octets, _ in BOTH_WAYS + READ_ONLY])
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
    UserUser(256, b"x"), UserUser(4, bytes(129)), CongestionLevel(16), RepeatIndicator(-1),
    TransitCounter(32), CallIdentity(bytes(9)), CalledSubaddress(bytes(21)), KeypadFacility(33 * "1"),
    Display(81 * "a"), DateTime(24, 1, 256), BearerCapability(multiplier=128), ChangeStatus(8),
    SegmentedMessage(128, T.SETUP), RedirectingNumber("1", reason=16), TransitNetworkSelection("\x7f"),
    NetworkSpecificFacilities(b"", "\x00"), Facility(bytes(256)), Unread(0x840), Unread(0x93),
    Unread(0xE0, b"x"),
])
def test_field_out_of_range_is_not_sent(element: Element) -> None:
    with pytest.raises(ValueError):
        encode(Message(T.CONNECT, 1, False, (element,)))


def test_call_reference_out_of_range_is_not_sent() -> None:
    with pytest.raises(ValueError, match="32768"):
        encode(Message(T.CONNECT, 0x8000, False))


# --- any message, any octets

small, octet, digits = st.integers(0, 7), st.integers(0, 127), st.text("0123456789*#", max_size=15)
plans = st.integers(0, 15)
numbers = {"digits": digits, "type": small, "plan": plans, "presentation": st.integers(0, 3)}
made = st.one_of(
    st.builds(Cause, octet, plans, st.binary(max_size=27), st.none() | octet),
    st.builds(ChannelId, st.sampled_from([*range(1, 16), *range(17, 32)]), st.booleans(),
              interface=st.none() | st.integers(0, 1 << 21)),
    st.builds(BearerCapability, st.integers(0, 31), st.none() | st.integers(0, 31),
              st.sampled_from([0x10, 0x40]), layers=st.sampled_from([b"", b"\xc2", b"\x42\x83\xe6"])),
    st.builds(CalledNumber, digits, small, plans),
    st.builds(CallingNumber, **numbers, screening=st.integers(0, 3)),
    st.builds(RedirectingNumber, **numbers, screening=st.integers(0, 3), reason=plans),
    st.builds(CalledSubaddress, st.binary(max_size=20), small, st.booleans()),
    st.builds(NetworkSpecificFacilities, st.binary(max_size=5), digits, small, plans),
    st.builds(Display, st.text(st.characters(codec="latin-1", categories=["L", "N"]), max_size=79),
              charset=st.integers(0x80, 0xFF)),
    st.builds(UserUser, st.integers(0, 255), st.binary(max_size=128)),
    st.builds(Unread, st.sampled_from([0x40, 0x73, 0xE0, 0x501, 0x67E, 0x7A1]), st.binary(max_size=0)),
    st.sampled_from([element for _, element in q931_vectors.ELEMENTS
                     if not isinstance(element, RepeatIndicator | SegmentedMessage)]))


@settings(max_examples=300)
@given(st.sampled_from([type_ for type_ in T if type_.protocol == 8 and type_ is not T.SEGMENT]),
       st.integers(0, 0x7FFF), st.booleans(), st.lists(made, max_size=10, unique_by=type))
def test_any_message_is_read_as_it_was_written(
        type_: MessageType, call_ref: int, to_originator: bool, some: list[Element]) -> None:
    elements = {type(element): element for element in (*needed(type_), *some)}.values()
    octets = encode(Message(type_, call_ref, to_originator, tuple(elements)))
    message = decode(octets)
    assert (message.type, message.call_ref, message.to_originator) == (type_, call_ref, to_originator)
    assert sorted(map(repr, message.elements + message.unread)) == sorted(map(repr, elements))
    assert encode(replace(message, elements=message.elements + message.unread)) == octets


contents = st.binary(max_size=12)
parts = st.builds(
    lambda identifier, content: bytes((identifier & 0xFF, len(content))) + content,
    st.sampled_from([*MAINTENANCE_ELEMENTS, 0x7F, 0x91, 0x94, 0x9E]), contents)
bodies = st.builds(
    lambda type_, parts, tail: bytes((type_.protocol, 2, 0, 1, type_ & 0xFF)) + b"".join(parts) + tail,
    st.sampled_from(MessageType), st.lists(parts, max_size=6), contents)


@settings(max_examples=500)
@given(bodies | st.binary(max_size=40))
def test_anything_is_read_or_refused_and_what_is_read_can_be_written(octets: bytes) -> None:
    try:
        message = decode(octets)
    except DecodeError:
        return
    said = message.elements + message.unread
    again = decode(encode(replace(message, elements=said)))
    assert sorted(map(repr, again.elements + again.unread)) == sorted(map(repr, said))
