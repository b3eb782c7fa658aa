"""Who may come in, who is in, and what of it is written down. Knows nothing of SSH: server.py does."""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from appliance.box.commands.box import Box
from appliance.box.commands.table import Session, Who
from appliance.box.ssh.guard import Guard, place_of
from appliance.box.ssh.passwords import Passwords
from appliance.config.console import ADMIN, ConsoleConfig, ConsolePersonConfig, blob
from appliance.isdn.sparing_log import SparingLog
from appliance.store.audit import Audit, Did

REFUSALS, REFUSALS_S = 30, 60.0                   # so many are written down in that time, the others counted

log = logging.getLogger(__name__)


class Inside(Protocol):
    """A connection of somebody who has signed in."""

    person: ConsolePersonConfig | None            # as he was then
    authority: str                                # whose certificate he came by; "": a key of his own, a code

    def hang_up(self) -> None:
        """At once, with all its channels."""


@dataclass(slots=True)
class Door:
    """`clock` is Unix seconds, `steady` of a clock that nobody sets."""

    config: ConsoleConfig
    box: Box
    audit: Audit | None                           # None: the disk refused it; the journal has what happens
    clock: Callable[[], float]
    steady: Callable[[], float]
    language: Literal["en", "zh"] = "en"          # of who wants none
    admin_keys: list[str] = field(default_factory=list)              # of the provisioning document
    look_at_keys: Callable[[], Awaitable[None]] | None = None        # whether those are others now
    guard: Guard = field(default_factory=Guard)
    inside: list[Inside] = field(default_factory=list)
    _open: Counter[str] = field(default_factory=Counter)
    _refused_at: float = 0.0
    _refused: int = 0
    passwords: Passwords = field(init=False)
    sent_away: SparingLog = field(init=False)     # connections before their first word

    def __post_init__(self) -> None:
        self.passwords = Passwords(self.clock())
        self.sent_away = SparingLog(log, logging.INFO, "console: sent away")

    def person(self, name: str) -> ConsolePersonConfig | None:
        """Of the configuration; `admin` has the keys of the provisioning document besides, and its role."""
        found = next((one for one in self.config.people if one.name == name), None)
        if name != ADMIN or not self.admin_keys:
            return found
        if found is None:
            found = ConsolePersonConfig(name=ADMIN)
        return found.model_copy(update={"role": "admin", "keys": [*found.keys, *self.admin_keys]})

    def somebodys_password(self) -> str:
        """A hash of those that there are; "": nobody has one, and none is asked for."""
        return next((one.password for one in self.config.people if one.password), "")

    # --- connections

    def signs_in(self, one: Inside) -> str:
        """Why this connection is refused; "": it is in, until leaves()."""
        names = [other.person.name for other in self.inside if other.person is not None]
        if one.person is not None and names.count(one.person.name) >= self.config.sessions_each:
            return f"{one.person.name} has {self.config.sessions_each} connections already"
        if len(names) >= self.config.sessions:
            return f"the box has {self.config.sessions} connections already"
        self.inside.append(one)
        return ""

    def leaves(self, one: Inside) -> None:
        self.inside = [other for other in self.inside if other is not one]

    # --- sessions

    def takes(self, name: str) -> str:
        """One more session of this person: why it is refused, or "" and gives() when it is over."""
        if self._open[name] >= self.config.sessions_each:
            return f"{name} has {self.config.sessions_each} sessions already"
        if self._open.total() >= self.config.sessions:
            return f"the box has {self.config.sessions} sessions already"
        self._open[name] += 1
        return ""

    def gives(self, name: str) -> None:
        self._open[name] -= 1
        self._open += Counter()                   # names that have none are forgotten

    def comes_in(self, who: Who) -> Session:
        """Somebody is at work, until goes_out()."""
        now = self.clock()
        session = Session(who, started_at=now, last_at=now)
        self.box.sessions.append(session)
        return session

    async def goes_out(self, session: Session) -> None:
        self.box.sessions[:] = [one for one in self.box.sessions if one is not session]
        await session.close()

    def change(self, config: ConsoleConfig) -> None:
        """The configuration is another one: who is not in it as before is hung up on."""
        self.config = config
        self._end_others()

    def change_admin_keys(self, keys: list[str]) -> None:
        self.admin_keys = keys
        self._end_others()

    def _end_others(self) -> None:
        """Whole connections: one in which nothing is open could open more, with what it was allowed."""
        for one in list(self.inside):
            name = one.person.name if one.person is not None else ""
            if self.person(name) != one.person or (
                    one.authority and one.authority not in map(blob, self.config.user_cas)):
                log.info("console: %s is hung up on: not in the configuration as before", name)
                one.hang_up()

    # --- the log of what people did

    async def begin(self, did: Did) -> int:
        """On the disk when this returns; 0: it could not be, and is in the journal."""
        log.info("console: %s (%s, %s) %s: %s", did.by, did.role, did.address, did.act, did.what)
        try:
            if self.audit is not None:
                return await asyncio.to_thread(self.audit.begin, did, self.clock())
        except (sqlite3.Error, OSError) as error:
            log.error("console: the log of what people did cannot be written: %s", error)
        return 0

    async def end(self, number: int, outcome: str) -> None:
        try:
            if self.audit is not None and number:
                await asyncio.to_thread(self.audit.end, number, outcome, self.clock())
        except (sqlite3.Error, OSError) as error:
            log.error("console: the log of what people did cannot be written: %s", error)

    async def note(self, did: Did, outcome: str = "") -> None:
        """What is over: a sign-in, a refusal."""
        log.info("console: %s (%s, %s) %s: %s", did.by or "?", did.role or "-", did.address, did.act,
                 outcome or did.what or "done")
        try:
            if self.audit is not None:
                await asyncio.to_thread(self.audit.note, did, outcome, self.clock())
        except (sqlite3.Error, OSError) as error:
            log.error("console: the log of what people did cannot be written: %s", error)

    async def refused(self, address: str, name: str, why: str) -> None:
        """A sign-in that was none. Strangers fail as often as they like: not each one has a line."""
        now = self.steady()
        if now - self._refused_at >= REFUSALS_S:
            more = self._refused - REFUSALS
            self._refused_at, self._refused = now, 0
            if more > 0:
                await self.note(Did("", "", "", "sign-in", f"{more} more"), "refused")
        self._refused += 1
        if self._refused <= REFUSALS:
            await self.note(Did("", "", place_of(address), "sign-in", name[:64]), why)
