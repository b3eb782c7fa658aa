"""monitor: what a show command tells, again whenever something happened. Ends with Ctrl-C."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, cast

from appliance.box.commands.chinese import unanswered, word
from appliance.box.commands.every import table
from appliance.box.commands.kinds import Number, Word
from appliance.box.commands.render import moment
from appliance.box.commands.screen import padded
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    Does,
    Language,
    Lines,
    Role,
    Said,
    Text,
    column,
)
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    Board,
    CallAlerting,
    CallAnswered,
    CallIncoming,
    CallProceeding,
    CallReleased,
    CardState,
    ChannelStates,
    ClockState,
    DaemonUp,
    DocumentState,
    Event,
    Fitness,
    GetLogs,
    Health,
    Heartbeat,
    LineFailure,
    LineTestState,
    LinkState,
    RecorderChanged,
    SpanState,
    UpdateState,
)
from appliance.bus.messages.logs import MOST_LINES, LogLine

AT_MOST_EVERY_S = 0.2                             # looked at again, however much happens
LOG_EVERY_S = 1.0                                 # no event tells of a line that was written
LOOK_S = 10.0                                     # of one search of the log
LOG_BEFORE = 10                                   # lines that are shown first

# What a show command tells is another one after these.
WATCHED: Mapping[str, tuple[type[Event], ...]] = {
    "calls": (Board, CallIncoming, CallProceeding, CallAlerting, CallAnswered, CallReleased),
    "queues": (Board,),
    "agents": (Board,),
    "spans": (SpanState, LinkState, ChannelStates, ClockState, LineTestState, LineFailure),
    "alarms": (SpanState, LinkState, LineFailure, Health, Fitness, CardState, RecorderChanged, UpdateState,
               DocumentState),
}


LIFE: tuple[type[Event], ...] = (DaemonUp, Heartbeat)                # after these somebody may answer again


class Logged(Lines, frozen=True, kw_only=True):
    """Lines of the log, the newest last."""

    entries: Annotated[list[LogLine], column("entries", "日志", "json")]


def watching(what: str) -> Callable[[Asked], AsyncIterator[Answer]]:
    """What `show WHAT` tells now, and whenever it tells something else; who does not answer, too."""
    async def watch(asked: Asked) -> AsyncIterator[Answer]:
        show = cast(Does, table().by_words()[f"show {what}"].does)
        before: Answer | None = None
        async with asked.box.hearing() as heard:
            while True:
                kinds = WATCHED[what]
                try:
                    answer = await show(Asked(asked.box, asked.session, time.time(), dict(asked.values)))
                except Refused:
                    raise
                except BusError as error:         # a daemon begins anew: watching goes on
                    answer, kinds = Said(said=unanswered(str(error), asked.language)), (*kinds, *LIFE)
                if answer != before:
                    yield answer
                    before = answer
                await _one_of(heard, kinds)
                await asyncio.sleep(AT_MOST_EVERY_S)
                while not heard.empty():
                    heard.get_nowait()
    return watch


async def _one_of(heard: "asyncio.Queue[Event]", kinds: tuple[type[Event], ...]) -> None:
    while not isinstance(await heard.get(), kinds):
        pass


async def watch_log(asked: Asked) -> AsyncIterator[Logged]:
    wanted = GetLogs(programs=[asked.values["program"]] if "program" in asked.values else [],
                     text=asked.get("text", ""), most=asked.get("lines", LOG_BEFORE))
    found = await asked.ask(wanted, LOOK_S)
    if not found.source:
        raise CommandError(Text("this box keeps no log that can be read here", "本机没有可读取的日志"))
    newest = found.newest
    if not found.lines:
        yield Logged(lines=[asked.say(Text("nothing yet; Ctrl-C ends", "暂无日志；Ctrl-C 结束"))], entries=[])
    while True:
        if found.lines:
            lines = found.lines[::-1]
            yield Logged(lines=[_in_words(one, asked.language) for one in lines], entries=lines)
        await asyncio.sleep(LOG_EVERY_S)
        found = await asked.ask(
            GetLogs(programs=wanted.programs, text=wanted.text, after=newest, most=MOST_LINES), LOOK_S)
        newest = found.newest or newest
        if len(found.lines) == MOST_LINES:
            yield Logged(lines=[asked.say(Text("(so much was written that lines before are left out)",
                                               "（日志过多，此前部分未显示）"))], entries=[])


def _in_words(line: LogLine, language: Language) -> str:
    level = padded(word(line.level, "log", language), 9)
    return f"{moment(line.at, short=True)}  {line.program:<8}{level}{line.text}"


_HELP = {
    "calls": Text("calls as they come and go", "实时查看呼叫"),
    "queues": Text("who waits in the queues, live", "实时查看队列"),
    "agents": Text("what agents do, live", "实时查看座席"),
    "spans": Text("the lines, live", "实时查看 E1 线路"),
    "alarms": Text("what is wrong, live", "实时查看告警"),
}

COMMANDS: list[Command] = [
    *(Command(f"monitor {what}", Role.WATCH, help, watching(what), Answer, live=True, screen=True)
      for what, help in _HELP.items()),
    Command("monitor log", Role.OPERATE, Text("the box's log as it is written", "实时查看日志"), watch_log,
            Logged, (
        Argument("program", Word("PROGRAM"), Text("only of this one", "只看该程序"), optional=True),
        Argument("text", Word("TEXT"), Text("only lines with this in them", "只看含该文字的行"),
                 keyword="text",
                 optional=True),
        Argument("lines", Number(1, MOST_LINES), Text("so many of before", "先显示的行数"), keyword="lines",
                 optional=True),
    ), live=True),
]
