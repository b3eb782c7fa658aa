"""Whether a box is as well as it was: its daemons and alarms, by what it says itself."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from appliance.fleet.documents import No, asked
from appliance.fleet.driving import Well
from appliance.fleet.link import Link, LinkError
from appliance.fleet.reach import Reach

TRIES = 3                                         # a daemon that took the change over may be late once
AGAIN_S = 5.0                                     # between them
BEFORE = "troubles"                               # in a box's facts: those it had before it was touched
_GRAVE = ("critical", "major")


class _Daemon(msgspec.Struct, frozen=True):
    daemon: str
    state: str


class _Daemons(msgspec.Struct, frozen=True):
    daemons: list[_Daemon]


class _Alarm(msgspec.Struct, frozen=True):
    severity: str
    about: str
    alarm: str


class _Alarms(msgspec.Struct, frozen=True):
    alarms: list[_Alarm]
    unknown: list[str]


def troubles(daemons: _Daemons, alarms: _Alarms) -> list[str]:
    """Sentences; what nobody can say is trouble, too."""
    return [*(f"{one.daemon} is {one.state}" for one in daemons.daemons if one.state != "up"),
            *(f"{one.about}: {one.alarm}" for one in alarms.alarms if one.severity in _GRAVE),
            *alarms.unknown]


async def look(link: Link) -> list[str]:
    """No, LinkError: as asked()."""
    return troubles(await asked(link, "show daemons", _Daemons), await asked(link, "show alarms", _Alarms))


def looking(reach: Reach, *, again_s: float = AGAIN_S) -> Well:
    """What troubles a box that did not before, as one sentence; one that is not reached is not well."""
    async def well(box: str, facts: Mapping[str, object]) -> str:
        before, wrong = facts.get(BEFORE, ()), ""
        known: Sequence[object] = before if isinstance(before, list) else ()
        for number in range(TRIES):
            if number:
                await asyncio.sleep(again_s)
            try:
                async with reach(box) as link:
                    wrong = "; ".join(one for one in await look(link) if one not in known)
            except (LinkError, No) as error:
                wrong = str(error)
            if not wrong:
                break
        return wrong
    return well
