"""Tones and announcements in the channel (5.1.6, 5.3.4.1, 5.4), the timers that they stop, T306."""
import pytest

from appliance.isdn.call.states import NUMBERS, State
from appliance.isdn.elements import CallState, Cause, Element, ProgressIndicator, UserUser
from appliance.isdn.events import (
    Alerting,
    By,
    ChannelChanged,
    ChannelChosen,
    Disconnecting,
    Event,
    Proceeding,
    Progress,
    Released,
    Told,
)
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from tests.isdn.heard import cause, kinds, say, short
from tests.isdn.line import Bench, reach

M, S = MessageType, State
U, N = Side.USER, Side.NETWORK
TONES = ProgressIndicator(8, 2)
UNANSWERED = (S.OVERLAP_SENDING, S.PROCEEDING_OUT, S.DELIVERED)


def told(bench: Bench) -> list[Event]:
    return [event for event in bench.ours.take_events() if not isinstance(event, ChannelChanged)]


# --- heard


@pytest.mark.parametrize(("side", "profile"), [(U, "etsi"), (U, "qsig"), (N, "qsig")])
@pytest.mark.parametrize("state", UNANSWERED)
def test_a_failed_call_is_listened_to_until_the_far_end_releases_it(
        side: Side, profile: str, state: State) -> None:
    bench, ours = reach(side, state, profile=PROFILES[profile])
    assert say(bench, M.DISCONNECT, ours, Cause(1, 2), TONES) == []
    assert told(bench) == [Disconnecting("k1", 1)]
    [status] = say(bench, M.STATUS_ENQUIRY, ours)
    assert status.first(CallState) == CallState(NUMBERS[S.DISCONNECTED][U])
    assert say(bench, M.INFORMATION, ours) == []
    assert told(bench) == [Told("k1", M.INFORMATION)]
    assert bench.ours.channels.idle() == 29
    assert short(say(bench, M.RELEASE, ours)) == [(M.RELEASE_COMPLETE, None)]
    assert told(bench) == [Released("k1", 1, By.FAR)]
    assert bench.ours.channels.idle() == 30


def test_the_listener_hangs_up_or_t306_does() -> None:
    for hang_up in (True, False):
        bench, ours = reach(U, S.DISCONNECTED)
        assert bench.run(29.9) == []
        if hang_up:
            bench.ours.hang_up("k1", 16, bench.now, elements=[UserUser(4, b"thanks")])
        [release] = bench.run(0.2)
        assert release.type is M.RELEASE
        assert release.first(UserUser) == (UserUser(4, b"thanks") if hang_up else None)
        say(bench, M.RELEASE_COMPLETE, ours)
        assert bench.events(Released) == [Released("k1", 17, By.FAR)]


@pytest.mark.parametrize(("side", "state", "progress"), [
    (U, S.ACTIVE, TONES), (U, S.PROCEEDING_IN, TONES), (U, S.RECEIVED, TONES), (U, S.INITIATED, TONES),
    (U, S.DELIVERED, ProgressIndicator(1)), (U, S.DELIVERED, ProgressIndicator(3)), (N, S.DELIVERED, TONES)])
def test_nobody_listens_to_a_user_nor_to_a_call_that_was_answered_or_is_the_far_ends(
        side: Side, state: State, progress: ProgressIndicator) -> None:
    bench, ours = reach(side, state)
    assert kinds(say(bench, M.DISCONNECT, ours, Cause(16), progress)) == [M.RELEASE]
    assert bench.events(Disconnecting) == []


def test_a_link_that_fails_ends_the_listening() -> None:
    bench, _ = reach(U, S.DISCONNECTED)
    bench.ours.line_up(False, bench.now)
    assert bench.events(Released) == [Released("k1", 17, By.FAR)]
    assert bench.ours.channels.idle() == 30


def test_tones_before_the_answer_are_told_wherever_they_are_said() -> None:
    bench, ours = reach(U, S.INITIATED)
    say(bench, M.SETUP_ACKNOWLEDGE, ours, TONES)                      # dial tone
    assert told(bench) == [ChannelChosen("k1", 1), Progress("k1", True)]
    say(bench, M.CALL_PROCEEDING, ours, ProgressIndicator(2), TONES)  # the second one counts, too
    assert told(bench) == [Proceeding("k1"), Progress("k1", True)]
    say(bench, M.PROGRESS, ours, Cause(1), ProgressIndicator(2))
    [progress] = bench.events(Progress)
    assert (progress.in_band, progress.elements) == (False, (Cause(1), ProgressIndicator(2)))
    say(bench, M.ALERTING, ours, ProgressIndicator(1))
    assert told(bench) == [Alerting("k1", True)]


@pytest.mark.parametrize("side", list(Side))
def test_tones_stop_the_timers_that_wait_for_what_comes_next(side: Side) -> None:
    for state in (S.OVERLAP_SENDING, S.PROCEEDING_OUT):
        bench, ours = reach(side, state)
        say(bench, M.PROGRESS, ours, TONES)
        assert bench.run(300.0) == [], state                          # no T304, no T310
    bench, ours = reach(side, S.OVERLAP_SENDING)
    say(bench, M.PROGRESS, ours, TONES)
    bench.ours.more_digits("k1", "9", bench.now)                      # T304 runs again
    assert short(bench.run(31.0)) == [(M.INFORMATION, None), (M.DISCONNECT, 102)]


# --- made by us


@pytest.mark.parametrize(("side", "profile"), [(N, "etsi"), (U, "qsig"), (N, "qsig")])
def test_who_may_sound_disconnects_and_releases_when_it_is_said(side: Side, profile: str) -> None:
    for end in ("T306", "hang up", "RELEASE"):
        bench, ours = reach(side, S.PROCEEDING_IN, profile=PROFILES[profile])
        bench.ours.hang_up("k1", 1, bench.now, elements=[ProgressIndicator(8, 1), UserUser(4, b"x")])
        [disconnect] = bench.hear()
        assert (cause(disconnect), disconnect.first(ProgressIndicator), disconnect.first(UserUser)) == (
            1, ProgressIndicator(8, 1), UserUser(4, b"x"))
        assert bench.run(29.9) == []
        assert (bench.events(Released), bench.ours.channels.idle()) == ([], 29)
        if end == "RELEASE":
            assert kinds(say(bench, M.RELEASE, ours)) == [M.RELEASE_COMPLETE]
        else:
            if end == "hang up":
                bench.ours.hang_up("k1", 16, bench.now)
            assert short(bench.run(0.2)) == [(M.RELEASE, 1)], end
            say(bench, M.RELEASE_COMPLETE, ours)
        assert bench.events(Released) == [Released("k1", 1, By.NEAR)], end


def test_a_user_plays_nothing_and_waits_for_release_by_t305() -> None:
    bench, _ = reach(U, S.PROCEEDING_IN)
    bench.ours.hang_up("k1", 1, bench.now, elements=[TONES])
    [disconnect] = bench.hear()
    assert disconnect.first(ProgressIndicator) is None
    bench.ours.hang_up("k1", 16, bench.now)
    assert bench.run(29.9) == []
    assert short(bench.run(0.2)) == [(M.RELEASE, 1)]


@pytest.mark.parametrize("state", [S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED])
def test_progress_of_an_offered_call_is_said_in_every_state_that_has_it(state: State) -> None:
    given: list[tuple[Element, ...]] = [(), (Cause(1, 1), ProgressIndicator(1, 1))]
    for elements in given:
        bench, _ = reach(N, state)
        bench.ours.progress("k1", bench.now, *elements)
        [progress] = bench.hear()
        assert progress.type is M.PROGRESS
        assert set(progress.elements) == set(elements or (ProgressIndicator(8, 1),))
    bench, _ = reach(N, S.ACTIVE)
    bench.ours.progress("k1", bench.now)          # too late to be of use
    assert bench.hear() == []


def test_our_ringing_tone_is_said_once_and_as_the_application_says_it() -> None:
    interworking = ProgressIndicator(1, 3)
    for elements, expected in (((), ProgressIndicator(8, 1)), ((interworking,), interworking)):
        bench, _ = reach(N, S.PROCEEDING_IN)
        bench.ours.alert("k1", bench.now, in_band=True, elements=elements)
        [alerting] = bench.hear()
        assert alerting.elements == (expected,)
