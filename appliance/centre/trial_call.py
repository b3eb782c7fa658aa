"""A call that the box makes to hear whether calls work: no contact, no record, ended when it is known."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Collection

from msgspec.structs import replace

from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import (
    CallAnswered,
    CallReleased,
    CallTested,
    Dial,
    Event,
    GetLevels,
    Hangup,
    PlaceTestCall,
    Play,
)
from appliance.config.pattern import NUMBER

LOOK_S = 0.2                                      # between two looks at the meter
TOLD_S = 1.0                                      # after spand trunkd says so, too
SILENCE_DBM0 = -90.0
LONGEST_HOLD_S = 30.0

Told = asyncio.Queue[CallAnswered | CallReleased]


class TrialCalls:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._legs: dict[str, Told] = {}

    def hear(self, event: Event) -> bool:
        """Whether it is about a call of here, and nobody else's concern."""
        told = self._legs.get(getattr(event, "leg", ""))
        if told is not None and isinstance(event, CallAnswered | CallReleased):
            told.put_nowait(event)
        return told is not None

    async def place(self, asked: PlaceTestCall, emergency: Collection[str]) -> CallTested:
        """What came of it, as soon as it is known. Numbers of `emergency` are never called."""
        good = CallTested(trunk=asked.trunk, number=asked.number, error="")
        if not NUMBER.fullmatch(asked.number) or asked.number in emergency:
            return replace(good, error=f"{asked.number}: is not a number that a test may call")
        leg, began = secrets.token_hex(16), time.monotonic()
        told = self._legs[leg] = Told()
        try:
            await self._bus.ask(Dial(
                leg=leg, trunk=asked.trunk, called=asked.number, calling=asked.calling, spare=asked.spare))
            async with asyncio.timeout(asked.answer_within_s):
                event = await told.get()
            if isinstance(event, CallReleased):
                return replace(good, error=f"ended with cause {event.cause} before it was answered",
                               cause=event.cause)
            good = replace(good, answer_s=time.monotonic() - began)
            if asked.play:
                await self._bus.ask(Play(leg=leg, play=leg, fragments=asked.play, repeat=True))
            found = await self._heard(good, leg, asked, told)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.0 if found.error else min(asked.hold_s, LONGEST_HOLD_S)):
                    await told.get()              # they hang up
            return found
        except TimeoutError:
            return replace(good, error=f"was not answered in {asked.answer_within_s:g} s")
        except BusError as error:
            return replace(good, error=str(error))
        finally:
            del self._legs[leg]
            with contextlib.suppress(BusError):
                await self._bus.ask(Hangup(leg=leg))

    async def _heard(self, good: CallTested, leg: str, asked: PlaceTestCall, told: Told) -> CallTested:
        """`good`, if it is loud enough in time."""
        began, loudest_dbm0 = time.monotonic(), SILENCE_DBM0
        while (now := time.monotonic()) < began + asked.hear_within_s and told.empty():
            try:
                level = (await self._bus.ask(GetLevels(leg=leg))).received
            except Refused:                       # it is over, and that is still to be heard
                if not await _comes(told):
                    raise
                break
            loudest_dbm0 = max(loudest_dbm0, SILENCE_DBM0 if level is None else level.rms_dbm0)
            if loudest_dbm0 >= asked.level_dbm0:
                return replace(good, heard_s=now - began, level_dbm0=loudest_dbm0)
            await asyncio.sleep(LOOK_S)
        ended = told.get_nowait() if not told.empty() else None
        cause = ended.cause if isinstance(ended, CallReleased) else 0
        return replace(good, level_dbm0=loudest_dbm0, cause=cause, error=(
            f"was answered, but nothing louder than {loudest_dbm0:.0f} dBm0 was heard"
            f"{'' if ended is None else ', and the other end hung up'}"))


async def _comes(told: Told) -> bool:
    """Whether something is told soon."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TOLD_S):
            told.put_nowait(await told.get())
            return True
    return False
