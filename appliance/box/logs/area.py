"""The log on the bus: one search at a time, of bounded length; others wait their turn."""

import asyncio
import time

from appliance.box.area import Answers, Area
from appliance.box.logs import files, journal
from appliance.box.logs.files import Files
from appliance.box.logs.journal import Journal
from appliance.box.logs.lines import Found, Wanted, find
from appliance.bus.client import Refused
from appliance.bus.messages import DAEMONS, GetLogs, LogLines
from appliance.bus.messages.logs import LOG_LEVELS, MOST_LINES, MOST_SOUGHT
from appliance.bus.runner import Context
from appliance.errors import Unavailable

MOST_LOOKED = 50_000                              # lines of one search
MOST_OCTETS = 1 << 20                             # of one answer
MOST_PROGRAMS = 20
WITHIN_S = 8.0                                    # of one search


class Logs(Area):
    def __init__(self, context: Context) -> None:
        self._state_dir, self._one = context.state_dir, asyncio.Lock()
        self.answers: Answers = {GetLogs: self._get}
        self.beside = (GetLogs,)

    async def _get(self, request: GetLogs) -> LogLines:
        if wrong := mistake(request):
            raise Refused(wrong)
        async with self._one:
            return await asyncio.to_thread(self._find, request)

    def _find(self, request: GetLogs) -> LogLines:
        source = self._source()
        if source is None:
            return LogLines(lines=[], more=False, place="", newest="", programs=[], source="", since=0.0)
        right = files.place_is_right if isinstance(source, Files) else journal.place_is_right
        if not (right(request.before) and right(request.after)):
            raise Refused("before, after: no place of this log")
        wanted = Wanted(frozenset(request.programs), request.level, request.text, request.since,
                        request.until)
        raws = source.newest_first(request.before, request.after, request.since, request.until,
                                   wanted.programs)
        try:
            until = time.monotonic() + WITHIN_S
            found: Found = find(raws, wanted, request.most, MOST_LOOKED, MOST_OCTETS,
                                lambda: time.monotonic() > until)
            since = source.since()
        except (Unavailable, OSError) as error:
            raise Refused(str(error)) from None
        return LogLines(
            lines=found.lines, more=not found.ended, place=found.place, newest=found.newest,
            source=source.name, since=since, programs=source.programs() or [*DAEMONS, "bus"])

    def _source(self) -> Files | Journal | None:
        """The launcher's files where it keeps some, else the system's journal."""
        return next((one for one in (Files(self._state_dir), Journal()) if one.there()), None)


def mistake(request: GetLogs) -> str:
    """Why it cannot be looked for; "": it can."""
    if request.level not in LOG_LEVELS:
        return f"level {request.level!r}: one of {', '.join(LOG_LEVELS)}"
    if not 1 <= request.most <= MOST_LINES:
        return f"most {request.most}: from 1 to {MOST_LINES}"
    if len(request.text) > MOST_SOUGHT:
        return f"text: at most {MOST_SOUGHT} characters"
    if len(request.programs) > MOST_PROGRAMS:
        return f"programs: at most {MOST_PROGRAMS}"
    if not (0 <= request.since < 1e11 and 0 <= request.until < 1e11):
        return "since, until: Unix seconds"
    return ""
