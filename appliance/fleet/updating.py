"""update: a box is told to install a bundle and watched until it says itself what became of it.

Done is only what the box's own history says is confirmed, of the version that was wanted, begun after it was
asked for, and which it runs. All else is failed with the box's reason, or unknown with what was seen last.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from appliance.fleet import health
from appliance.fleet.course import End, State
from appliance.fleet.documents import No, asked
from appliance.fleet.driving import Note, Well, Work
from appliance.fleet.link import Link, LinkError
from appliance.fleet.reach import Reach

WITHIN_S = 4 * 3600.0                             # a box is given up after: calls drain, power cuts, a trial

CONFIRMED = "confirmed"
IDLE = "idle"
BEFORE = "before"                                 # in a box's facts: when the updates began that it knew of


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """As the box's UpdatePast."""

    outcome: str
    why: str
    at: float
    began_at: float
    version_from: str
    version_to: str


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """As the box's UpdateState, of which this is a part."""

    version: str
    phase: str
    percent: int = 0
    saying: str = ""
    version_to: str = ""
    source: str = ""
    by: str = ""
    began_at: float = 0.0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    state: Now
    history: list[Past]                           # newest first


def verdict(found: Standing, *, before: Collection[float], wanted: str) -> End | None:
    """What became of the update that was asked for; None: it goes on.

    `before`: when the updates began that the box knew of, by its own clock, which may have been set back
    since. `wanted`: the version; "": whichever the bundle has.
    """
    if found.state.phase != IDLE:
        return None
    past = next((one for one in reversed(found.history) if one.began_at not in before), None)
    if past is None:
        return End(State.FAILED, "the box knows nothing of the update: contact was lost before it began")
    facts = {"version_from": past.version_from, "version_to": past.version_to, "version": found.state.version}
    if past.outcome != CONFIRMED:
        return End(State.FAILED, f"{past.outcome}: {past.why}" if past.why else past.outcome, facts)
    if wanted and past.version_to != wanted:
        return End(State.FAILED, f"the bundle is version {past.version_to}, not {wanted}", facts)
    if found.state.version != past.version_to:
        return End(State.FAILED, f"says that {past.version_to} is confirmed, and runs {found.state.version}",
                   facts)
    return End(State.DONE, "", facts)


async def standing(link: Link) -> Standing:
    return await asked(link, "show update", Standing)


def updating(source: str, begin: str, wanted: str, reach: Reach, well: Well, *, clock: Callable[[], float],
             again_s: float, within_s: float = WITHIN_S) -> Work:
    """`source`, `begin`: as the console's update command has them."""
    async def work(box: str, note: Note) -> End:
        try:
            end = await carried(box, note)
            if end.state is not State.DONE:
                return end
            wrong = await well(box, {**note.facts, **end.facts})
        except No as error:
            return End(error.state, str(error))
        return End(State.FAILED, f"is on the new version, and not well: {wrong}", end.facts) if wrong else end

    async def carried(box: str, note: Note) -> End:
        asked_before = BEFORE in note.facts       # by an earlier try: it may go on, whatever is heard now
        try:
            end = await begun(box, note)
        except (LinkError, No):
            if not asked_before or BEFORE not in note.facts:
                raise
            end = None
        return await watched(box, note) if end is None else end

    async def begun(box: str, note: Note) -> End | None:
        """None: it was asked for, now or before."""
        async with reach(box) as link:
            await note("looking")
            found = await standing(link)
            if BEFORE not in note.facts or not _ours(found, _before(note)):
                if found.state.phase != IDLE:
                    return End(State.REFUSED, f"another update goes on: {found.state.phase}")
                troubles = await health.look(link)
                if wanted and found.state.version == wanted:
                    return End(State.DONE, "has this version already",
                               {"version": wanted, "version_to": wanted, health.BEFORE: troubles})
                await note("asking", **{BEFORE: [one.began_at for one in found.history],
                                        health.BEFORE: troubles})
                try:
                    await asked(link, f"update install {source} begin {begin} background", dict[str, Any])
                except (LinkError, No) as error:
                    if error.state is not State.UNKNOWN:             # else the box may do it all the same
                        del note.facts[BEFORE]
                        raise
        return None

    async def watched(box: str, note: Note) -> End:
        give_up_at, seen = clock() + within_s, "nothing since it was asked"
        while True:
            try:
                async with reach(box) as link:
                    while True:
                        found = await standing(link)
                        end = verdict(found, before=_before(note), wanted=wanted)
                        if end is not None:
                            return end
                        missed, now = found.state.saying, f"{found.state.phase} {found.state.percent} %"
                        if now != seen:
                            seen = now
                            await note(seen)
                        if clock() >= give_up_at:
                            break
                        await asyncio.sleep(again_s)
            except LinkError as error:
                missed = str(error)
                if error.state is State.UNTRUSTED:
                    return End(State.UNKNOWN, f"{missed}; last seen: {seen}")
            except No as error:                   # it starts, and does not know yet
                missed = str(error)
            if clock() >= give_up_at:
                return End(State.UNKNOWN, f"given up after {within_s:g} s; last seen: {seen}; now: {missed}")
            await asyncio.sleep(again_s)
    return work


def _before(note: Note) -> Collection[float]:
    found = note.facts[BEFORE]
    return [float(one) for one in found] if isinstance(found, list) else []


def _ours(found: Standing, before: Collection[float]) -> bool:
    """What an earlier try asked for goes on, or is over."""
    return (found.state.phase != IDLE and found.state.began_at not in before
            ) or any(one.began_at not in before for one in found.history)
