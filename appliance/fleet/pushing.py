"""push config: a box's document becomes a text, and goes back by itself unless the box is reached again.

The commit is confirmed only over a new connection, by its number, when the box's document is the text that
was pushed and the box is as well as it was: a change that cuts the box off undoes itself. What is done is
what the box says of its versions, found by the run's own comment; so a try that was cut off anywhere is gone
on with by looking.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

from appliance.errors import BranchlineError
from appliance.fleet import documents, health
from appliance.fleet.course import End, State
from appliance.fleet.documents import Difference, No, Standing, Version
from appliance.fleet.driving import Note, Well, Work
from appliance.fleet.link import Link, LinkError
from appliance.fleet.reach import Reach

AGAIN_S = 5.0                                     # between tries to reach a box that was cut off
GRACE_S = 20.0                                    # after a version has gone back: then the box says so
LAST = 253402300799.0                             # Unix seconds; of years with four digits
WAITING, CONFIRMED = "waiting", "confirmed"       # of the box's versions
# Facts of a box for the next try alone.
TAKING_BACK, CONFIRMING = "_taking_back", "_confirming"


def differs(found: Difference) -> bool:
    return bool(found.keys) or any(line[:1] in "+-" for line in found.lines if line)


def looking(texts: Mapping[str, str], reach: Reach) -> Work:
    """Only what a push would change: `lines` and `keys` of the end's facts."""
    async def work(box: str, note: Note) -> End:
        async with reach(box) as link:
            await note("comparing")
            found = await documents.load(link, texts[box], await documents.standing(link))
            await documents.discard(link)
        return End(State.DONE, "", {"differs": differs(found), "lines": found.lines,
                                    "keys": [one.key for one in found.keys]})
    return _with_no(work)


def pushing(texts: Mapping[str, str], minutes: float, reach: Reach, well: Well, *,
            comment: str, clock: Callable[[], float], again_s: float = AGAIN_S) -> Work:
    """`comment` names this run alone: a version that has it is this run's."""
    async def work(box: str, note: Note) -> End:
        try:
            end = await begun(box, note)
            return await settle(box, note) if end is None else end
        except (LinkError, No) as error:
            if not note.facts.get("changed"):     # nothing was committed, now or by an earlier try
                raise
            raise LinkError(State.UNKNOWN, f"{error}: {_left(note)}") from None

    async def begun(box: str, note: Note) -> End | None:
        """None: committed, now or before, or nobody knows."""
        async with reach(box) as link:
            await note("looking")
            before = await documents.standing(link)
            mine = before.of(comment)
            if mine is not None and mine.state in (WAITING, CONFIRMED):
                return None
            await note("looking", **{health.BEFORE: await health.look(link)})
            return await load(box, note, link, before)

    async def load(box: str, note: Note, link: Link, before: Standing) -> End | None:
        """None: committed, or nobody knows."""
        if before.waiting:
            return End(State.REFUSED, f"version {before.waiting} waits to be confirmed by somebody else")
        found = await documents.load(link, texts[box], before)
        if not differs(found):
            await documents.discard(link)
            return End(State.DONE, "is like that already", {"changed": False, "keys": []})
        await note("committing", keys=[one.key for one in found.keys], changed=True,
                   **{TAKING_BACK: "", CONFIRMING: False})
        try:
            committed = await documents.commit(link, minutes, comment)
        except (No, LinkError) as error:
            if error.state is State.UNKNOWN:      # the box may do it all the same
                return None
            with contextlib.suppress(BranchlineError):
                await documents.discard(link)
            return End(error.state, str(error), {"changed": False})
        await note("committed", version=committed.version, until=committed.until)
        return None

    async def settle(box: str, note: Note) -> End:
        """Over new connections, until the version is confirmed, or certainly is not."""
        give_up_at = clock() + minutes * 60 + GRACE_S
        while True:
            try:
                async with reach(box) as link:
                    end = await judged(box, note, link)
                missed = "the box says that its version waits still"
            except (LinkError, No) as error:      # cut off, or busy: taking a document over takes a while
                if error.state is State.UNTRUSTED:
                    raise LinkError(error.state, str(error)) from None
                end, missed = None, str(error)
            if end is not None:
                return end
            if clock() >= give_up_at:
                raise LinkError(State.UNKNOWN, missed)
            await asyncio.sleep(again_s)

    async def judged(box: str, note: Note, link: Link) -> End | None:
        """What became of the version; None: it waits still."""
        now = await documents.standing(link)
        mine = now.of(comment)
        if mine is None:
            await documents.leave_nothing(link, texts[box], now)
            return End(State.FAILED, "contact was lost before the commit: nothing is changed",
                       {"changed": False})
        if mine.state == WAITING:
            await note("looking whether it is well", version=mine.number, until=now.until)
            wrong = await not_good(box, note, link, mine)
            if wrong:
                await note("taking back", **{TAKING_BACK: wrong})
                await documents.revert(link, mine.number)
            else:
                await note("confirming", **{CONFIRMING: True})
                await documents.confirm(link, mine.number)
            mine = (await documents.standing(link)).of(comment) or mine
        return _verdict(mine, note)

    async def not_good(box: str, note: Note, link: Link, mine: Version) -> str:
        """Why the version is not to stay; "": it is."""
        if not mine.in_force:
            return f"not in force: {mine.why_not}"
        if await documents.document(link) != texts[box]:
            return "another text was committed: somebody else of the same name had a candidate there"
        return await well(box, note.facts)
    return _with_no(work)


def _verdict(mine: Version, note: Note) -> End | None:
    if mine.state == WAITING:
        return None
    if mine.state != CONFIRMED:
        wrong = note.facts.get(TAKING_BACK)
        return End(State.FAILED, f"taken back: {wrong}" if wrong else
                   "was not confirmed in time: the box went back by itself", {"changed": False})
    if not mine.in_force:
        return End(State.FAILED, f"is kept, but not in force: {mine.why_not}")
    return End(State.DONE, "", {"version": mine.number})


def _left(note: Note) -> str:
    """What becomes of a version that was left alone."""
    if note.facts.get(CONFIRMING):
        return "it was told to keep the version, and whether it does is not known"
    until = note.facts.get("until")
    when = ""
    if isinstance(until, float) and 0 < until < LAST:
        when = time.strftime(" at %H:%M:%S UTC", time.gmtime(until))
    return f"not confirmed, so it goes back by itself{when}"


def _with_no(work: Work) -> Work:
    async def tried(box: str, note: Note) -> End:
        try:
            return await work(box, note)
        except No as error:
            return End(error.state, str(error))
    return tried
