"""What the commands that act share: words that they read, how they ask, and how they say what they did."""

import asyncio
import re
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, TypeVar

from appliance.box.commands.kinds import OfBox, named
from appliance.box.commands.table import Asked, BadWord, CommandError, Kind, Offer, Said, Text, column
from appliance.bus.client import BusError
from appliance.bus.messages import (
    CallInfo,
    GetBoard,
    GetContacts,
    GetLegContacts,
    GetTrunks,
    Reply,
    Request,
)
from appliance.config.emergency import emergency
from appliance.config.timeslots import timeslots

R = TypeVar("R", bound=Reply)
T = TypeVar("T")

ACT_S = 120.0                                     # a check of the configuration is a process of its own
OWNER_S = 600.0                                   # for what was begun, when nobody waits for it any more
OFFERED_CALLS = 20

_begun: set[asyncio.Future[Any]] = set()          # of the loop alone a task could be collected


class Did(Said, frozen=True, kw_only=True):
    """What was done, and what may be done now."""

    next: Annotated[str, column("next", "下一步", spare=True)] = ""


async def act(asked: Asked, request: Request[R], timeout_s: float = ACT_S) -> R:
    """The owner's reply to what changes something: begun, it goes to its end, whoever goes away meanwhile.

    Refused: the owner said no, and nothing is changed. BusError: no answer, or none in time.
    """
    acting = apart(asked.ask(request, OWNER_S))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(acting)
    except TimeoutError:
        raise BusError(f"{type(request).__name__}: no answer in {timeout_s:g} s") from None


def apart(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """It goes on though who began it is cancelled."""
    task = asyncio.create_task(work)
    _begun.add(task)
    task.add_done_callback(_over)
    return task


def _over(task: asyncio.Future[Any]) -> None:
    _begun.discard(task)
    if not task.cancelled():
        task.exception()                          # who wanted to know it may be gone


def both(en: str, zh: str, **values: object) -> Text:
    """A sentence in both languages with these values in it."""
    return Text(en.format(**values), zh.format(**values))


# --- words


class Telephone(Kind):
    """A telephone number."""

    name = "NUMBER"

    def read(self, word: str) -> str:
        if not re.fullmatch(r"\+?[0-9*#]{1,40}", word):
            raise BadWord(both("{word}: no telephone number: digits, * and #",
                               "{word}：不是电话号码：数字、* 和 #",
                               word=word))
        return word

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        return [Offer("<number>", Text("a telephone number", "电话号码"))]


class Timeslots(Kind):
    """1-15,17 as a list of numbers."""

    name = "TIMESLOTS"

    def read(self, word: str) -> list[int]:
        try:
            found = list(timeslots(word))
        except ValueError as error:
            raise BadWord(Text(str(error), f"{word}：应为 B 信道的时隙，如 1-15,17")) from None
        if not found:
            raise BadWord(Text(f"{word}: timeslots such as 1-15,17", f"{word}：应为时隙，如 1-15,17"))
        return found

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        return [Offer("<1-15,17>", Text("timeslots", "时隙"))]


class Call(OfBox):
    """A contact, a leg, a telephone number or "last"."""

    def __init__(self, live: bool) -> None:
        super().__init__("CALL")
        self._live = live

    async def names(self, asked: Asked) -> dict[str, Text]:
        if self._live:
            found = [one for one in (await asked.ask(GetBoard())).board.contacts if not one.ended_at]
            return named([(one.contact, f"{one.calling} {one.called}") for one in found])
        contacts = (await asked.ask(GetContacts(limit=OFFERED_CALLS))).contacts
        return {"last": Text("the newest", "最近一次"),
                **named([(one.contact, f"{one.calling} {one.called}") for one in contacts])}


async def spans_of(asked: Asked, trunk: str) -> list[str]:
    """The spans of a trunk. CommandError: there is no such trunk."""
    trunks = {one.trunk: one.spans for one in (await asked.ask(GetTrunks())).trunks}
    if trunk not in trunks:
        raise CommandError(both("no trunk is called {trunk}", "没有名为 {trunk} 的中继", trunk=trunk),
                           both("there are {names}", "现有 {names}", names=", ".join(trunks) or "-"))
    return trunks[trunk]


def calls_on(calls: Sequence[CallInfo], spans: Sequence[str], chosen: Sequence[int] = ()) -> list[CallInfo]:
    """Those on these channels."""
    return [one for one in calls if one.span in spans and (not chosen or one.timeslot in chosen)]


async def emergency_legs(asked: Asked, calls: Sequence[CallInfo]) -> set[str]:
    """Legs of emergency calls: one that leaves the box is marked, who dials is found by number and contact.

    BusError: acdd does not say whose a leg is: nobody knows what else would end with it.
    """
    known = emergency(asked.box.context.config)
    found = {one.leg for one in calls if one.emergency or (one.inbound and known.knows(one.called))}
    if found:
        contacts = (await asked.ask(GetLegContacts())).contacts
        urgent = {contacts[leg] for leg in found if leg in contacts}
        found |= {leg for leg, contact in contacts.items() if contact in urgent}
    return found
