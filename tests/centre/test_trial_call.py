"""What a test call says of itself, over what trunkd and spand say of it."""

from typing import Any, cast

import msgspec
import pytest

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    CallAnswered,
    CallReleased,
    CallTested,
    Dial,
    Done,
    Event,
    GetLevels,
    Hangup,
    Levels,
    PlaceTestCall,
    Reply,
    Request,
)
from appliance.centre.trial_call import TrialCalls

ANSWERED = CallAnswered(leg="", at=0.0)
PRE_EMPTION, BUSY = 8, 17                         # Q.850


class Line:
    """trunkd and spand: `then` is said to Dial; `later` to the first look at the meter, which is refused."""

    def __init__(self, then: Event, later: Event | None = None) -> None:
        self.asked: list[Request[Any]] = []
        self.calls = TrialCalls(cast(Bus, self))
        self._then, self._later = then, later

    async def ask(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        if isinstance(request, Dial):
            self._say(self._then, request.leg)
        if isinstance(request, GetLevels):
            if self._later is not None:
                self._say(self._later, request.leg)
                raise Refused(f"leg {request.leg} is not bound")
            return Levels(received=None, sent=None)
        return Done()

    def _say(self, event: Event, leg: str) -> None:
        assert self.calls.hear(msgspec.structs.replace(event, leg=leg))


def released(cause: int) -> CallReleased:
    return CallReleased(leg="", cause=cause, by="near", at=0.0)


async def place(line: Line, number: str = "12117", hear_within_s: float = 10.0) -> CallTested:
    return await line.calls.place(PlaceTestCall(
        trunk="telco", number=number, spare=1, hear_within_s=hear_within_s), frozenset({"120"}))


@pytest.mark.parametrize(("line", "hear_within_s", "cause", "error"), [
    (Line(released(BUSY)), 10.0, BUSY, "ended with cause 17 before"),
    (Line(ANSWERED, released(PRE_EMPTION)), 10.0, PRE_EMPTION, "and the other end hung up"),
    (Line(ANSWERED), 0.0, 0, "nothing louder than -90 dBm0 was heard")])
async def test_how_it_ended_is_known(line: Line, hear_within_s: float, cause: int, error: str) -> None:
    tested = await place(line, hear_within_s=hear_within_s)
    assert tested.cause == cause and error in tested.error
    assert isinstance(line.asked[0], Dial) and line.asked[0].spare == 1
    assert isinstance(line.asked[-1], Hangup)


async def test_an_emergency_number_is_never_called() -> None:
    line = Line(ANSWERED)
    assert "not a number that a test may call" in (await place(line, "120")).error and line.asked == []
