"""Prompts that are spoken at a telephone: rung by the box, recorded, heard again, kept by a key.

No contact, since no customer has part in it: nothing of it is in any figure. What was recorded is named to
recordd before the first word, so that it misses nobody's contact. A restart of acdd or spand ends it.
"""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    CallAnswered,
    CallReleased,
    DaemonUp,
    Dial,
    Digit,
    Event,
    Hangup,
    KeepAsPrompt,
    LendRecording,
    MaskDigits,
    NoteTake,
    Play,
    PlayEnded,
    PromptTake,
    PromptTakeState,
    PromptTakeStep,
    StartRecording,
    StopPlay,
    StopRecording,
    TakePrompt,
)
from appliance.centre.control.places import Place
from appliance.errors import StateError
from appliance.media.speaking import CannotSpeak

AT_ONCE = 4
REMEMBERED = 50                                   # that have ended
RING_S = 40.0
MOST_S = 300.0                                    # of what is spoken
CONFIRM_S = 8.0                                   # for a key, after it was heard
TRIES = 8                                         # of all that is heard again or spoken anew
KEEP, ANEW, END = "1", "3", "#"
BEEP = "tone:confirmation"
LOST = "what came of the call was lost inside the box"
UNTIL_WRITTEN = "silence:1500"                    # recordd has all of it

_LEND_S, _LENT_S = 10.0, 900.0
_SAY_S = 20.0                                     # an engine, the first time
_PLAY_S = MOST_S + 60.0                           # what was spoken, and what is said around it

# What the telephone says.
_SAID: dict[str, dict[str, str]] = {
    "speak": {"zh": "请在提示音后讲话，讲完请按井号键。",
              "en": "Please speak after the tone. Press hash when done."},
    "confirm": {"zh": "保留请按一，重听请按二，重录请按三。",
                "en": "To keep it press one. To hear it again press two. To record it again press three."},
    "kept": {"zh": "已保存，再见。", "en": "It is kept. Goodbye."},
    "failed": {"zh": "没有保存，再见。", "en": "It was not kept. Goodbye."},
}

Say = Callable[[str, str], Awaitable[str]]        # text, language -> a fragment; CannotSpeak

log = logging.getLogger(__name__)


class _Over(Exception):
    """Why nothing was kept."""


@dataclass(slots=True)
class _Leg:
    take: PromptTake
    where: Place
    language: Literal["zh", "en"]
    kept: bool = False
    leg: str = field(default_factory=lambda: secrets.token_hex(16))
    told: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)     # None: some were lost


class Studio:
    """Belongs to the event loop."""

    def __init__(self, bus: Bus, say: Say) -> None:
        self._bus, self._say = bus, say
        self._legs: dict[str, _Leg] = {}          # by leg
        self._tasks: dict[str, asyncio.Task[None]] = {}              # by take: those that can be stopped
        self._running: set[asyncio.Task[None]] = set()
        self._takes: OrderedDict[str, PromptTake] = OrderedDict()

    @property
    def takes(self) -> list[PromptTake]:
        return list(self._takes.values())

    def has(self, leg: str) -> bool:
        return leg in self._legs

    def rings(self, number: str, trunk: str) -> bool:
        """Whether a prompt is spoken at this telephone."""
        return any((one.where.number, one.where.trunk) == (number, trunk) for one in self._legs.values())

    def hear(self, event: Event) -> bool:
        """Whether it is about a leg of here, and nobody else's concern."""
        if isinstance(event, DaemonUp):
            for each in self._legs.values():
                each.told.put_nowait(event)
            return False
        own = self._legs.get(getattr(event, "leg", ""))
        if own is not None:
            own.told.put_nowait(event)
        return own is not None

    def lost(self) -> None:
        """The bus was away: whether somebody hung up meanwhile nobody says again."""
        for each in self._legs.values():
            each.told.put_nowait(None)

    async def begin(self, asked: TakePrompt, where: Place) -> PromptTake:
        """Ring there. StateError: too many are at it, or this telephone is."""
        if len(self._tasks) >= AT_ONCE:
            raise StateError(f"{AT_ONCE} prompts are being spoken already: wait until one of them ends")
        if any(one.take.at == where.number for one in self._legs.values()):
            raise StateError(f"{where.number}: a prompt is being spoken there already")
        leg = _Leg(PromptTake(take=secrets.token_hex(16), name=asked.name, at=where.number, by=asked.by,
                              step="ringing", began_at=time.time()), where, asked.language)
        self._legs[leg.leg] = leg
        await self._tell(leg, "ringing")
        task = asyncio.get_running_loop().create_task(self._run(leg))
        self._tasks[leg.take.take] = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return leg.take

    def stop(self, take: str) -> None:
        """StateError: it does not go on."""
        if (task := self._tasks.get(take)) is None:
            raise StateError("nobody speaks that prompt any more")
        task.cancel()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, leg: _Leg) -> None:
        error = ""
        try:
            await self._take(leg)
        except asyncio.CancelledError:
            error = "it was stopped"
        except (_Over, BusError) as why:
            error = str(why)
        except Exception:
            log.exception("a prompt at %s", leg.where.number)
            error = "this failed inside the box: its log says why"
        finally:
            del self._tasks[leg.take.take]        # it ends: nobody stops it any more
            try:
                with suppress(BusError):
                    await self._bus.ask(Hangup(leg=leg.leg))
            finally:
                del self._legs[leg.leg]
                await self._tell(leg, "kept" if leg.kept else "failed", "" if leg.kept else error)

    async def _take(self, leg: _Leg) -> None:
        """Until it is kept and said to be. _Over: it is not."""
        where = leg.where
        await self._bus.ask(Dial(leg=leg.leg, trunk=where.trunk, called=where.number, calling=where.shows))
        try:
            async with asyncio.timeout(RING_S):
                while not isinstance(await self._next(leg), CallAnswered):
                    pass
        except TimeoutError:
            raise _Over(f"was not answered in {RING_S:g} s") from None
        await self._bus.ask(MaskDigits(leg=leg.leg, on=True))        # the last key is not of the prompt
        recording, again = "", ANEW
        for _ in range(TRIES):
            if again == ANEW:
                recording = await self._record(leg)
            again = await self._judged(leg, recording)
            if again == KEEP:
                await self._bus.ask(KeepAsPrompt(recording=recording, name=leg.take.name, by=leg.take.by),
                                    _LEND_S)
                leg.kept = True
                with suppress(_Over):             # who hangs up has heard enough
                    await self._play(leg, [await self._fragment(leg, "kept")])
                return
        await self._play(leg, [await self._fragment(leg, "failed")])
        raise _Over("nobody confirmed it")

    async def _record(self, leg: _Leg) -> str:
        await self._tell(leg, "prompting")
        await self._play(leg, [await self._fragment(leg, "speak"), BEEP], until=END)
        recording = secrets.token_hex(16)
        await self._bus.ask(NoteTake(recording=recording, name=leg.take.name, by=leg.take.by))
        await self._bus.ask(StartRecording(recording=recording, caller_leg=leg.leg, agent_leg=""))
        await self._tell(leg, "recording")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(MOST_S):
                    while not _is_key(await self._next(leg), END):
                        pass
        finally:
            await self._bus.ask(StopRecording(recording=recording))
        await self._play(leg, [UNTIL_WRITTEN])
        return recording

    async def _judged(self, leg: _Leg, recording: str) -> str:
        """It is heard again; the key that was pressed then, "": none."""
        lent = await self._bus.ask(LendRecording(recording=recording, by=leg.take.by, for_s=_LENT_S), _LEND_S)
        await self._tell(leg, "playing")
        said = [lent.fragment, await self._fragment(leg, "confirm")]
        if key := await self._play(leg, said, until="123"):
            return key
        await self._tell(leg, "asking")
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                while True:
                    event = await self._next(leg)
                    if isinstance(event, Digit) and event.digit in "123":
                        return event.digit
        return ""

    async def _play(self, leg: _Leg, fragments: list[str], until: str = "") -> str:
        """Until it is over, or one of the keys is pressed: that one."""
        play = secrets.token_hex(16)
        await self._bus.ask(Play(leg=leg.leg, play=play, fragments=[one for one in fragments if one]))
        try:
            async with asyncio.timeout(_PLAY_S):
                while True:
                    event = await self._next(leg)
                    if isinstance(event, PlayEnded) and event.play == play:
                        return ""
                    if isinstance(event, Digit) and event.digit in until:
                        break
        except TimeoutError:
            raise _Over(LOST) from None
        await self._bus.ask(StopPlay(leg=leg.leg))
        return event.digit

    async def _next(self, leg: _Leg) -> Event:
        event = await leg.told.get()
        if event is None:
            raise _Over(LOST)
        if isinstance(event, CallReleased):
            raise _Over("the telephone was hung up" if event.cause == 16 else
                        f"the call ended with cause {event.cause}")
        if isinstance(event, DaemonUp):
            raise _Over(f"{event.daemon} began anew")
        return event

    async def _fragment(self, leg: _Leg, what: str) -> str:
        """"": no engine speaks it; the tone says enough."""
        try:
            async with asyncio.timeout(_SAY_S):
                return await self._say(_SAID[what][leg.language], leg.language)
        except (CannotSpeak, TimeoutError) as error:
            log.warning("%s: %s", what, error)
            return ""

    async def _tell(self, leg: _Leg, step: PromptTakeStep, error: str = "") -> None:
        leg.take = replace(leg.take, step=step, error=error)
        self._takes[leg.take.take] = leg.take
        while len(self._takes) > REMEMBERED:
            self._takes.popitem(last=False)
        with suppress(BusError):
            await self._bus.say(PromptTakeState(take=leg.take))


def _is_key(event: Event, key: str) -> bool:
    return isinstance(event, Digit) and event.digit == key
