"""Data link: frames lost, SABMEs that cross, a link or an end that goes and comes back (5.8.8, 5.8.9)."""
import pytest

from appliance.isdn.call.states import State
from appliance.isdn.events import Answered, By, Incoming, LinkChanged, Released
from hil_tests.instruments.libpri import Handle
from tests.interop.joined import Joined
from tests.interop.matrix import scenario

FRAMES_OF_A_CALL = 24                             # of each end, more than there are


def whole_calls(line: Joined) -> None:
    """One each way, cleared by either end, with time for layer 2 to repeat what is lost."""
    handle = line.offer()
    line.run(4.0)
    key = line.event(Incoming).key
    line.ours.alert(key, line.now)
    line.run(4.0)
    line.ours.answer(key, line.now)
    line.run(4.0)
    assert line.event(Answered).key == key
    line.clear_far(handle)
    line.run(4.0)
    assert line.event(Released) == Released(key, 16, By.FAR)
    line.ours.setup("out", "5001", line.now)
    line.run(4.0)
    setup = line.far_event("SETUP")
    line.far.proceeding(setup.handle, setup.timeslot)
    line.run(4.0)
    line.far.connect(setup.handle, setup.timeslot)
    line.run(4.0)
    assert line.event(Answered).key == "out"
    line.clear("out")
    line.run(4.0)
    assert line.event(Released) == Released("out", 16, By.NEAR)
    assert line.far.calls == 0


class Lost:
    """Says of one frame that it is lost."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: bytes) -> bool:
        self.left -= 1
        return self.left == 0


@scenario("Any one frame of two calls is lost, of ours or of libpri's: layer 2 repeats it")
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_one_frame_lost(line: Joined, whose: str) -> None:
    for number in range(1, FRAMES_OF_A_CALL + 1):
        setattr(line, "lose_from_us" if whose == "ours" else "lose_from_far", Lost(number))
        whole_calls(line)
    assert line.ours.figures()["link_resets"] == 0


@scenario("Every fifth frame is lost, both ways: calls come and go")
def test_many_frames_lost(line: Joined) -> None:
    frames = iter(range(1, 1_000_000))
    line.lose_from_us = line.lose_from_far = lambda frame: next(frames) % 5 == 0
    for _ in range(10):
        whole_calls(line)
    line.lose_from_us = line.lose_from_far = lambda frame: False


@scenario("libpri's SABME found nobody: it takes our first messages", connected=False, cold=True)
@pytest.mark.need(1)
def test_libpri_was_there_before(line: Joined) -> None:
    """libpri answers our SABME, waits on for the answer to its own and drops our first messages meanwhile."""
    line.lose()
    line.ours.line_up(True, line.now)
    line.run(3.0)
    assert line.ours.link_up and line.hears("LINK UP")
    assert line.ours.counts["link_resets"] == 1
    assert line.said.count("> RESTART") == (2 if line.profile.restart_at_start else 31)
    assert line.ours.channels.idle() == 30
    whole_calls(line)


@scenario("SABMEs cross, one may be lost, and our DISCONNECT follows at once: it arrives")
@pytest.mark.parametrize("libpris_is_lost", [False, True])
def test_hang_up_right_after_sabmes_crossed(line: Joined, libpris_is_lost: bool) -> None:
    """libpri, whose SABME has no answer yet, answers ours but drops all else."""
    line.far.set_timer("T309", 90_000)
    key, handle = line.call_in()
    line.ours.line_up(False, line.now)
    theirs: list[bytes] = []
    while not any(is_sabme(frame) for frame in theirs):       # libpri gives the link up and tries again
        line.now += 0.1
        line.give_far([])
        line.heard += line.far.run_timers()
        theirs = line.take_theirs()
    line.ours.line_up(True, line.now)
    ours = line.take_ours()
    assert any(is_sabme(frame) for frame in ours) and not line.ours.link_up
    line.forget()
    if libpris_is_lost:
        theirs.clear()
    while not line.ours.link_up:
        line.give_us(theirs)
        line.give_far(ours)
        ours, theirs = line.take_ours(), line.take_theirs()
    line.ours.hang_up(key, 17, line.now)
    line.give_far(ours)
    line.give_us(theirs)
    line.turn()
    assert line.far.alive(handle) is libpris_is_lost
    line.run(4.0)
    assert [event.cause for event in line.hears("DISCONNECT") + line.hears("RELEASE")] == [17]
    assert line.event(Released) == Released(key, 17, By.NEAR)
    assert not line.far.alive(handle)


def is_sabme(frame: bytes) -> bool:
    return len(frame) == 3 and frame[2] & 0xEF == 0x6F


def talking(line: Joined) -> tuple[str, Handle, Handle]:
    key, first = line.call_in(1)
    second = line.call_out("out", timeslot=2)
    return key, first, second


@scenario("The line is cut for 2 s: nobody notices")
def test_blip(line: Joined) -> None:
    key, _, _ = talking(line)
    line.cut(2.0)
    line.run(5.0)
    assert line.talks(key) and line.talks("out")
    assert LinkChanged(False) not in line.events and not line.hears("LINK DOWN")
    line.clear(key, "out")


@scenario("The line is cut for 30 s, less than T309: calls that talk go on")
def test_cut_and_kept(line: Joined) -> None:
    line.far.set_timer("T309", 90_000)
    key, _, _ = talking(line)
    line.cut(30.0)
    line.run(5.0)
    assert LinkChanged(False) in line.events and LinkChanged(True) in line.events
    assert line.hears("LINK DOWN") and line.hears("LINK UP")
    assert line.talks(key) and line.talks("out")
    line.clear(key, "out")


@scenario("The line is cut for 30 s, and libpri clears by its T309 of 6 s: STATUS ENQUIRY finds it out")
def test_cut_and_cleared_by_libpri(line: Joined) -> None:
    key, _, _ = talking(line)
    line.cut(30.0)
    assert len(line.hears("RELEASE")) == 2
    line.run(5.0)
    released = {event.key: event.cause for event in line.events if isinstance(event, Released)}
    assert released == {key: 81, "out": 81}


@scenario("The line is cut for longer than T309: both ends clear, cause 27")
def test_cut_for_good(line: Joined) -> None:
    line.far.set_timer("T309", 90_000)
    key, _, _ = talking(line)
    line.cut(130.0)
    assert [event for event in line.events if isinstance(event, Released)] == [
        Released(key, 27, By.LINE), Released("out", 27, By.LINE)]
    assert [event.cause for event in line.hears("RELEASE")] == [27, 27]
    line.run(5.0)


@scenario("The line is cut while calls are being set up: both ends drop them, cause 41 for us, 27 for libpri")
def test_cut_before_the_answer(line: Joined) -> None:
    key, _ = line.call_in(1, answered=False)
    line.call_out("out", timeslot=2, answered=False)
    line.cut(30.0)
    assert {event for event in line.events if isinstance(event, Released)} == {
        Released(key, 41, By.LINE), Released("out", 41, By.LINE)}
    assert {event.cause for event in line.hears("RELEASE")} == {27}
    line.run(10.0)


@scenario("Our line is down and up again at once: what libpri said meanwhile is asked for")
def test_our_line_flaps(line: Joined) -> None:
    key, first, second = talking(line)
    line.polite = False
    line.ours.line_up(False, line.now)
    line.far.hang_up(first, 17)
    line.lose()
    line.polite = True
    line.ours.line_up(True, line.now)
    line.run(3.0)
    assert line.event(Released).key == key and line.far.alive(second)
    assert line.talks("out")
    line.clear("out")


# --- who begins anew


@scenario("libpri starts anew: our calls are cleared, cause 81, and the channels serve")
def test_libpri_starts_anew(line: Joined) -> None:
    key, _, _ = talking(line)
    line.ours.setup("third", "5001", line.now)
    line.turn()
    line.replace_far()
    line.run(10.0)
    assert line.ours.link_up
    released = {event.key: event.by for event in line.events if isinstance(event, Released)}
    assert released == dict.fromkeys((key, "out", "third"), By.LINE)
    line.forget()
    whole_calls(line)


@scenario("We start anew: calls that libpri still has go on")
def test_we_start_anew(line: Joined) -> None:
    key, first, _ = talking(line)
    snapshots = [snapshot for each in (key, "out") if (snapshot := line.ours.snapshot(each)) is not None]
    line.replace_us(snapshots)
    assert line.talks(key) and line.talks("out")
    line.clear_far(first)
    line.clear("out")
    released = [event for event in line.events if isinstance(event, Released)]
    assert released == [Released(key, 16, By.FAR), Released("out", 16, By.NEAR)]


@scenario("We start anew and missed libpri's DISCONNECT: found out at once, not after its T305")
def test_we_start_anew_and_missed_the_end(line: Joined) -> None:
    key, handle = line.call_in()
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.far.hang_up(handle, 16)
    line.lose()
    line.replace_us([snapshot])
    assert [event for event in line.events if isinstance(event, Released)] == [Released(key, 31, By.FAR)]


@scenario("We start anew and our DISCONNECT was lost: it is said again")
def test_we_start_anew_and_say_it_again(line: Joined) -> None:
    key, _ = line.call_in()
    line.ours.hang_up(key, 17, line.now)
    line.ours.take_frames()
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None and snapshot.state is State.DISCONNECTING
    line.heard.clear()
    line.replace_us([snapshot])
    assert [event.cause for event in line.hears("RELEASE")] == [17]


@scenario("We start anew while a call rings at libpri, or at us: it goes on ringing")
def test_we_start_anew_while_it_rings(line: Joined) -> None:
    key, _ = line.call_in(1, answered=False)
    second = line.call_out("out", timeslot=2, answered=False)
    snapshots = [snapshot for each in (key, "out") if (snapshot := line.ours.snapshot(each)) is not None]
    line.replace_us(snapshots)
    assert (line.our_state(key), line.our_state("out")) == (State.RECEIVED, State.DELIVERED)
    line.ours.answer(key, line.now)
    line.far.connect(second, 2)
    line.turn()
    assert line.talks(key) and line.talks("out")
    line.clear(key, "out")
