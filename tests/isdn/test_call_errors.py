"""What a call does about messages and elements that cannot be: 5.8.3 to 5.8.7, and SUSPEND, 5.6."""
import pytest

from appliance.isdn.call.states import NUMBERS, State
from appliance.isdn.elements import (
    BearerCapability,
    CallState,
    Cause,
    ChannelId,
    ProgressIndicator,
    RestartIndicator,
    UserUser,
)
from appliance.isdn.events import By, Incoming, Released, Told
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType
from tests.isdn.heard import cause, complaint, kinds, say, short
from tests.isdn.line import Bench, reach

M, S = MessageType, State
U, N = Side.USER, Side.NETWORK


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


# --- 5.8.3: call references


def test_messages_of_unknown_calls() -> None:
    bench = Bench(U)
    elements = (Cause(16), CallState(10), ProgressIndicator(8))
    for kind, expected in [
            (M.ALERTING, [(M.RELEASE_COMPLETE, 81)]), (M.CONNECT, [(M.RELEASE_COMPLETE, 81)]),
            (M.DISCONNECT, [(M.RELEASE_COMPLETE, 81)]), (M.RELEASE, [(M.RELEASE_COMPLETE, 81)]),
            (M.RELEASE_COMPLETE, []), (M.STATUS, [(M.RELEASE_COMPLETE, 101)]),
            (M.RESUME, [(M.RELEASE_COMPLETE, 81)])]:
        assert short(bench.send(kind, *elements, call_ref=77, to_originator=True)) == expected, kind
    assert bench.send(M.STATUS, Cause(30), CallState(0), call_ref=77, to_originator=True) == []
    [status] = bench.send(M.STATUS_ENQUIRY, call_ref=77, to_originator=True)
    assert (cause(status), status.first(CallState)) == (30, CallState(0))
    assert bench.send(M.SETUP, BearerCapability(), call_ref=77, to_originator=True) == []      # 5.8.3.2 d)
    [status] = bench.send(M.ALERTING, call_ref=0, to_originator=True)
    assert (status.type, cause(status), status.call_ref) == (M.STATUS, 81, 0)
    assert len(bench.ours) == 0


# --- 5.8.4: messages


@pytest.mark.parametrize(("side", "state", "kind", "expected"), [
    (U, S.ACTIVE, M.ALERTING, 101), (N, S.INITIATED, M.PROGRESS, 101), (U, S.INITIATED, M.INFORMATION, 101),
    (N, S.PRESENT, M.INFORMATION, 101), (U, S.PRESENT, M.CONNECT_ACKNOWLEDGE, 101),
    (U, S.DISCONNECTING, M.CONNECT, 101), (N, S.RELEASING, M.ALERTING, 101),
    (U, S.DISCONNECTED, M.ALERTING, 101), (U, S.ACTIVE, M.SUSPEND_ACKNOWLEDGE, 97),
    (N, S.ACTIVE, M.RETRIEVE, 97), (N, S.ACTIVE, M.RESTART, 97)])
def test_a_message_that_cannot_be_is_answered_with_status_and_changes_nothing(
        side: Side, state: State, kind: MessageType, expected: int) -> None:
    bench, ours = reach(side, state)
    [status] = say(bench, kind, ours, Cause(31), ProgressIndicator(8), RestartIndicator())
    assert complaint(status) == (M.STATUS, expected, bytes((kind,)), NUMBERS[state][side])
    assert bench.ours.take_events() == []


def test_a_message_type_that_nobody_knows_is_answered_with_its_octet() -> None:
    bench, _ = reach(U, S.ACTIVE)
    [status] = bench.send_octets(octets("08 02 80 01 3f"))
    assert complaint(status) == (M.STATUS, 97, b"\x3f", 10)


def test_a_second_setup_of_the_same_call_is_ignored_and_what_the_first_one_said_is_kept() -> None:
    """SETUP comes again when our first response took more than T303 (5.8.3.2 e)."""
    bench = Bench(U, auto_proceed=False)
    setup = (BearerCapability(), ChannelId(1), UserUser(4, b"order 17"))
    assert say(bench, M.SETUP, False, *setup) == say(bench, M.SETUP, False, *setup) == []
    [incoming] = bench.events(Incoming)
    assert UserUser(4, b"order 17") in incoming.elements
    bench.ours.answer("k1", bench.now)
    assert kinds(bench.hear()) == [M.CONNECT]


# --- 5.8.6: mandatory elements


@pytest.mark.parametrize(("text", "expected"), [
    ("08 02 80 01 6e", (M.STATUS, 96, b"\x27", 10)),                   # NOTIFY without its indicator
    ("08 02 80 01 03 1e 01 88", (M.STATUS, 100, b"\x1e", 10)),         # PROGRESS with half an indicator
    ("08 02 80 01 62 02 00", (M.STATUS, 96, b"\x02", 10)),             # 5.8.7.1: to be understood, unknown
], ids=["missing", "contents", "comprehension required"])
def test_a_message_without_what_it_must_have_is_not_acted_on(
        text: str, expected: tuple[MessageType, int, bytes, int]) -> None:
    bench, _ = reach(U, S.ACTIVE)
    [status] = bench.send_octets(octets(text))
    assert complaint(status) == expected
    assert bench.ours.take_events() == []


def test_a_faulty_status_is_answered_once_in_a_state_and_never_for_ever() -> None:
    bench, ours = reach(U, S.PROCEEDING_OUT)
    [status] = say(bench, M.STATUS, ours)
    assert complaint(status) == (M.STATUS, 96, b"\x08\x14", 3)
    assert say(bench, M.STATUS, ours) == []
    say(bench, M.ALERTING, ours)
    [status] = bench.send_octets(octets("08 02 80 01 7d 08 01 82 14 01 0a"))
    assert complaint(status) == (M.STATUS, 100, b"\x08", 4)
    assert bench.send(M.STATUS, call_ref=9, to_originator=True) == []


def test_what_cannot_be_in_a_state_is_told_that_before_what_it_lacks() -> None:
    for text, state, expected in (
            ("08 02 80 01 03", S.INITIATED, 101), ("08 02 80 01 01 02 00", S.ACTIVE, 101),
            ("08 02 80 01 22", S.ACTIVE, 97), ("08 02 80 01 03", S.DELIVERED, 96)):
        bench, _ = reach(U, state)
        assert short(bench.send_octets(octets(text))) == [(M.STATUS, expected)], text
    bench, _ = reach(U, S.RELEASING)
    assert bench.send_octets(octets("08 02 80 01 6e")) == []          # a NOTIFY that crossed


@pytest.mark.parametrize(("text", "expected", "diagnostic"), [
    ("08 02 00 09 05 18 03 a9 83 81 70 05 81 35 30 30 31", 96, b"\x04"),             # no bearer capability
    ("08 02 00 09 05 04 01 80 18 03 a9 83 81", 100, b"\x04"),                        # half a one
    ("08 02 00 09 05 04 02 88 90 18 03 a9 83 81", 65, b""),                          # unrestricted digital
    ("08 02 00 09 05 04 03 80 90 a3 18 03 a9 83 90", 82, b""),                       # timeslot 16
    ("08 02 00 09 05 04 03 80 90 a3 18 01 89", 100, b""),                            # a basic-rate channel
    ("08 02 00 09 05 04 03 80 90 a3 18 03 a9 83 81 06 01 80", 96, b"\x06"),          # 5.8.7.1
    ("08 02 00 09 05 04 03 80 90 a3", 96, b"\x18"),                                  # a network's, table 3-15
], ids=["bearer missing", "bearer contents", "bearer", "channel", "channel contents", "not comprehended",
        "channel missing"])
def test_a_setup_that_cannot_be_served_is_refused_with_release_complete(
        text: str, expected: int, diagnostic: bytes) -> None:
    bench = Bench(U)
    [answer] = bench.send_octets(octets(text))
    assert (answer.call_ref, answer.to_originator) == (9, True)
    assert complaint(answer) == (M.RELEASE_COMPLETE, expected, diagnostic, None)
    assert (bench.ours.take_events(), len(bench.ours)) == ([], 0)


@pytest.mark.parametrize(("text", "expected"), [
    ("08 02 80 01 45", (96, b"\x08")), ("08 02 80 01 45 08 01 82", (100, b"\x08")),
    ("08 02 80 01 45 08 02 82 91 1e 01 88", (100, b"\x1e")),          # 5.8.7.2
    ("08 02 80 01 45 08 02 82 91 2f 01 00 35 01 00", (99, b"\x2f\x35")),     # 5.8.7.1 a)
    ("08 02 80 01 45 08 02 82 91 96 35 01 00", None),                 # a network's own, of codeset 6
    ("08 02 80 01 45 08 02 82 91", None),
], ids=["no cause", "half a cause", "half another element", "unknown elements", "codeset 6", "good"])
def test_our_answer_to_a_clearing_message_says_what_was_wrong_with_it(
        text: str, expected: tuple[int, bytes] | None) -> None:
    for kind, first, answer in ((M.DISCONNECT, "45", M.RELEASE), (M.RELEASE, "4d", M.RELEASE_COMPLETE)):
        bench, _ = reach(U, S.ACTIVE)
        [message] = bench.send_octets(octets(text.replace("80 01 45", "80 01 " + first)))
        element = message.first(Cause)
        assert message.type is answer, kind
        assert (element and (element.value, element.diagnostic)) == expected, kind
    bench, _ = reach(U, S.ACTIVE)
    assert bench.send_octets(octets(text.replace("80 01 45", "80 01 5a"))) == []     # RELEASE COMPLETE
    value = 31 if "08 02 82 91" not in text else 17
    assert bench.events(Released) == [Released("k1", value, By.FAR)]


@pytest.mark.parametrize(("state", "expected"), [(S.ACTIVE, 96), (S.DISCONNECTING, None)])
def test_only_a_release_that_comes_first_must_have_a_cause(state: State, expected: int | None) -> None:
    bench, _ = reach(U, state)
    assert short(bench.send_octets(octets("08 02 80 01 4d"))) == [(M.RELEASE_COMPLETE, expected)]


# --- 5.8.7: other elements


def test_a_message_with_a_bad_optional_element_is_acted_on_and_status_says_so() -> None:
    bench, _ = reach(N, S.PROCEEDING_OUT)
    [status] = bench.send_octets(octets("08 02 80 01 01 1e 01 88 28 00 34 01 ff"))
    assert complaint(status) == (M.STATUS, 100, b"\x1e", 7)           # the state that the message led to
    assert len(bench.ours.take_events()) == 1
    bench, _ = reach(N, S.PROCEEDING_OUT)
    assert bench.send_octets(octets("08 02 80 01 01 2f 01 00")) == []     # unknown: may be left unsaid


def test_too_much_access_information_is_discarded_with_a_cause_of_its_own() -> None:
    bench = Bench(U)
    setup = "08 02 00 01 05 04 03 80 90 a3 18 03 a9 83 81 70 05 81 35 30 30 31"
    proceeding, status = bench.send_octets(octets(setup + "7e 86 04") + bytes(0x85))
    assert proceeding.type is M.CALL_PROCEEDING
    assert complaint(status) == (M.STATUS, 43, b"\x7e", 9)
    [incoming] = bench.events(Incoming)
    assert incoming.called == "5001"


def test_a_first_response_whose_channel_cannot_be_read_is_cleared() -> None:
    """To take our own channel instead would connect the wrong people."""
    bench, _ = reach(U, S.INITIATED)
    [release] = bench.send_octets(octets("08 02 80 01 02 18 03 a9 83 90"))
    assert (release.type, cause(release)) == (M.RELEASE, 82)
    bench.send(M.RELEASE_COMPLETE, call_ref=1, to_originator=True)
    assert bench.events(Released) == [Released("k1", 6, By.LINE, channel_refused=True)]


# --- 5.6, and messages that only some neighbours have


def test_a_network_rejects_suspend_and_resume_and_a_user_does_not_know_them() -> None:
    bench, ours = reach(N, S.ACTIVE)
    assert short(say(bench, M.SUSPEND, ours)) == [(M.SUSPEND_REJECT, 50)]
    assert short(bench.send(M.RESUME, call_ref=9, to_originator=False)) == [(M.RESUME_REJECT, 85)]
    assert bench.send(M.RESUME, call_ref=9, to_originator=True) == []                # 5.8.3.2 d)
    assert short(say(bench, M.RESUME, ours)) == [(M.STATUS, 101)]
    assert (bench.ours.take_events(), bench.ours.channels.idle()) == ([], 29)
    bench, ours = reach(N, S.DELIVERED)
    assert short(say(bench, M.SUSPEND, ours)) == [(M.STATUS, 101)]
    for side, profile in ((U, "etsi"), (N, "qsig")):
        bench, ours = reach(side, S.ACTIVE, profile=PROFILES[profile])
        assert short(say(bench, M.SUSPEND, ours)) == [(M.STATUS, 97)]
        assert short(bench.send(M.RESUME, call_ref=9, to_originator=False)) == [(M.RELEASE_COMPLETE, 81)]


def test_what_changes_no_state_is_told_and_never_answered() -> None:
    for state in (S.PRESENT, S.OVERLAP_SENDING, S.DELIVERED, S.RECEIVED, S.ACTIVE, S.DISCONNECTED):
        bench, ours = reach(U, state)
        text = UserUser(4, b"17")
        for kind in (M.FACILITY, M.USER_INFORMATION):
            assert say(bench, kind, ours, text) == []
            assert [told.elements for told in bench.events(Told) if told.type is kind] == [(text,)]
    bench, ours = reach(U, S.ACTIVE, profile=PROFILES["qsig"])
    assert short(say(bench, M.USER_INFORMATION, ours, UserUser(4, b"17"))) == [(M.STATUS, 97)]
    bench, ours = reach(U, S.DISCONNECTING)       # it crossed our DISCONNECT
    assert say(bench, M.FACILITY, ours) == say(bench, M.INFORMATION, ours) == []


def test_a_message_in_segments_is_acted_on_and_a_stray_segment_is_not() -> None:
    bench, ours = reach(U, S.ACTIVE)
    first, last = "08 02 80 01 60 00 02 81 45 08 02", "08 02 80 01 60 00 02 00 45 82 91"
    assert short(bench.send_octets(octets(last))) == [(M.STATUS, 97)]
    assert bench.send_octets(octets(first)) == []
    assert short(bench.send_octets(octets(last))) == [(M.RELEASE, None)]
    say(bench, M.RELEASE_COMPLETE, ours)
    assert bench.events(Released) == [Released("k1", 17, By.FAR)]


def test_what_we_say_that_is_too_long_for_a_frame_comes_in_segments() -> None:
    bench, _ = reach(U, S.ACTIVE)
    bench.ours.tell("k1", M.FACILITY, [UserUser(4, bytes(120))] * 1, bench.now)
    assert kinds(bench.hear()) == [M.FACILITY]
    many = [ProgressIndicator(number) for number in range(100)]
    bench.ours.tell("k1", M.FACILITY, many, bench.now)
    assert kinds(bench.hear()) == [M.SEGMENT, M.SEGMENT]
    bench.ours.tell("k1", M.FACILITY, many * 30, bench.now)           # no segments can hold it
    assert (bench.hear(), bench.ours.counts["messages_dropped"]) == ([], 1)


def test_messages_are_kept_apart_by_the_flag_of_their_call_reference() -> None:
    bench, _ = reach(U, S.ACTIVE)                 # ours, of call reference 1
    bench.offer(1, 2)
    assert short(bench.send(M.DISCONNECT, Cause(16), call_ref=1, to_originator=False)) == [(M.RELEASE, None)]
    released: list[Message] = bench.send(M.RELEASE_COMPLETE, call_ref=1, to_originator=False)
    assert (released, len(bench.ours)) == ([], 1)
