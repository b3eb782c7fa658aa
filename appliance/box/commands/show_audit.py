"""show audit: what people did by the console, and whether its log is whole."""

import asyncio
import sqlite3
from typing import Annotated

from appliance.box.commands.kinds import Duration, Number, Word
from appliance.box.commands.show_box import Row
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    Role,
    Text,
    column,
    same,
)
from appliance.box.ssh.area import Console
from appliance.store import audit

MOST = 1000                                       # entries that are shown
USUAL = 50


class AuditRow(Row, frozen=True, kw_only=True):
    number: Annotated[int, column("number", "编号")]
    at: Annotated[float, column("at", "时间", "moment")]
    by: Annotated[str, column("who", "用户")]
    role: Annotated[str, column("role", "角色", spare=True)]
    origin: Annotated[str, column("from", "来源")]
    act: Annotated[str, column("act", "操作", words="audit")]
    what: Annotated[str, column("what", "内容")]
    outcome: Annotated[str, column("outcome", "结果", spare=True)]   # "": done; "?": nobody knows


class Entries(Answer, frozen=True, kw_only=True):
    """Oldest first, as a log is read. `broken_at`: the first entry that is not what it was; 0: all are."""

    entries: list[AuditRow]
    kept: Annotated[int, column("entries", "总条数")]
    broken_at: Annotated[int | None, column("changed from entry", "自此条起被改动", spare=True)]
    digest: Annotated[str, column("digest of the newest", "最新条目摘要", spare=True)]


async def show_audit(asked: Asked) -> Entries:
    door = asked.box.area(Console).door
    if door is None or door.audit is None:
        raise CommandError(Text("there is no log: nothing listens, or the disk refused it",
                                "没有日志：控制台未开放，或磁盘不可用"), same("show log program boxd"))
    ago = asked.get("since_s", 0.0)
    wanted = audit.Asked(by=asked.get("by", ""), text=asked.get("text", ""),
                         since=asked.now - ago if ago else 0.0)
    try:
        found = await asyncio.to_thread(door.audit.entries, wanted, asked.get("most", USUAL))
        state = await asyncio.to_thread(door.audit.verify)
    except sqlite3.Error as error:
        raise CommandError(Text(f"the log cannot be read: {error}", f"无法读取日志：{error}")) from None
    return Entries(
        kept=state.entries, broken_at=state.broken_at or None, digest=state.digest,
        entries=[AuditRow(number=one.number, at=one.at, by=one.by, role=one.role, origin=one.address,
                          act=one.act, what=one.what, outcome="?" if one.outcome is None else one.outcome)
                 for one in reversed(found)])


COMMANDS = (
    Command("show audit", Role.ADMIN, Text("what people did by this console, newest last",
                                           "控制台操作日志，最新在后"), show_audit, Entries,
            (Argument("by", Word("NAME"), Text("only of this person", "只看该用户"), keyword="by",
                      optional=True),
             Argument("text", Word("TEXT"), Text("only with this in it", "只看含此内容"), keyword="text",
                      optional=True),
             Argument("since_s", Duration(), Text("not older, e.g. 1h", "多久以内，如 1h"), keyword="since",
                      optional=True),
             Argument("most", Number(1, MOST, "N"),
                      Text(f"so many; {USUAL} otherwise", f"条数，默认 {USUAL}"), keyword="most",
                      optional=True))),
)
