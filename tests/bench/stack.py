"""Messages through a whole stack, layers 2 and 3 of both ends in memory: ours and libpri."""
import itertools
import time
from collections.abc import Callable
from typing import Protocol

from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import Answered, Incoming
from appliance.isdn.lapd import Side
from hil_tests.instruments.libpri import Controller
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import CALLED, BenchError

CALLS, AT_ONCE = 3000, 10
CALLING = "13800138000"
MESSAGES = 7                                      # of a call: four to set it up, three to clear it
NORMAL_CLEARING = 16                              # Q.850


class Pair(Protocol):
    """Two ends: the network's calls, the user's answers, the network's hangs up at CONNECT."""

    def place(self, timeslot: int) -> None: ...

    def turn(self) -> int:
        """Hand over all frames that wait, act on what they tell; how many of them were messages."""
        ...

    def calls(self) -> int: ...


def once(say: Say) -> dict[str, float]:
    ours, theirs = _messages_per_s(Ours()), _messages_per_s(Libpri())
    return {"messages of our stack": ours, "messages of libpri": theirs,
            "messages of our stack and libpri, ratio": ours / theirs}


def _messages_per_s(pair: Pair) -> float:
    """Of CPU time."""
    while pair.turn():
        pass
    began, messages = time.process_time(), 0
    for _ in range(CALLS // AT_ONCE):
        for timeslot in range(1, AT_ONCE + 1):
            pair.place(timeslot)
        while carried := pair.turn():
            messages += carried
        if pair.calls():
            raise BenchError(f"{type(pair).__name__}: {pair.calls()} calls do not end")
    if messages != CALLS * MESSAGES:
        raise BenchError(f"{type(pair).__name__}: {messages} messages for {CALLS} calls")
    return messages / (time.process_time() - began)


def _is_message(frame: bytes) -> bool:
    return not frame[2] & 1                       # an I frame


class Ours:
    def __init__(self) -> None:
        numbers = itertools.count()
        self._new_key: Callable[[], str] = lambda: str(next(numbers))
        self._network = Signalling(Side.NETWORK, self._new_key, cold=False)
        self._user = Signalling(Side.USER, self._new_key, cold=False)
        for end in (self._network, self._user):
            end.line_up(True, time.monotonic())

    def place(self, timeslot: int) -> None:
        self._network.setup(self._new_key(), CALLED, time.monotonic(), calling=CALLING, timeslot=timeslot)

    def turn(self) -> int:
        now, carried = time.monotonic(), 0
        for end, far in ((self._network, self._user), (self._user, self._network)):
            for frame in end.take_frames():
                far.receive_frame(frame, now)
                carried += _is_message(frame)
            for event in far.take_events():
                match event:
                    case Incoming(key=key):
                        far.answer(key, now)
                    case Answered(key=key) if far is self._network:
                        far.hang_up(key, NORMAL_CLEARING, now)
        return carried

    def calls(self) -> int:
        return len(self._network) + len(self._user)


class Libpri:
    """Its frames and events cross between C and Python; nothing else is asked of it."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._to_user: list[bytes] = []
        self._to_network: list[bytes] = []
        self._network = Controller("network", "euroisdn", False, self._to_user.append, self._said.append)
        self._user = Controller("user", "euroisdn", False, self._to_network.append, self._said.append)

    def place(self, timeslot: int) -> None:
        self._network.setup(CALLED, CALLING, "", timeslot, True, True)

    def turn(self) -> int:
        return self._deliver(self._to_user, self._user) + self._deliver(self._to_network, self._network)

    def _deliver(self, waiting: list[bytes], end: Controller) -> int:
        frames = waiting[:]
        waiting.clear()
        for event in end.receive(frames):
            match event.name:
                case "SETUP":
                    end.proceeding(event.handle, event.timeslot)
                    end.connect(event.handle, event.timeslot)
                case "DISCONNECT" | "RELEASE":
                    end.hang_up(event.handle, event.cause)
                case "CONNECT":
                    end.hang_up(event.handle, NORMAL_CLEARING)
        return sum(map(_is_message, frames))

    def calls(self) -> int:
        return self._network.calls + self._user.calls


STACK = Theme(
    "stack", f"{CALLS} calls, {AT_ONCE} at a time, between the network's end and the user's in one process "
    f"and without a line: {MESSAGES} messages each, Q.921 and Q.931 at both ends. Messages per CPU second of "
    "both ends together; libpri is C, its frames and events are handed to and from Python.",
    (
        Kind("messages of our stack", "messages/s"),
        Kind("messages of libpri", "messages/s"),
        Kind("messages of our stack and libpri, ratio", "ours/libpri"),
    ), once, runs=7)
