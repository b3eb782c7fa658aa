"""Tests of lines on the bus: one at a time on a line, known and kept from their first moment on."""

import asyncio
import contextlib
import logging
import secrets
import time
from typing import Any

import msgspec

from appliance.box.area import Answers, Area
from appliance.box.line_tests.judged import mistake, outcome
from appliance.box.line_tests.kept import FOLDER, Kept
from appliance.box.line_tests.running import Failed, Loan, Running
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginLineTest,
    Done,
    Event,
    GetLineTest,
    GetLineTests,
    LineTest,
    LineTestReply,
    LineTests,
    LineTestState,
    SpanState,
    SteerLineTest,
)
from appliance.bus.runner import Context
from appliance.config.lines import SpanConfig
from appliance.config.timeslots import timeslots
from appliance.errors import ConfigError
from appliance.store import LINES_FILE

PAPERS = ("zh", "en")
WORDS = ("done", "skip", "stop")
MOST_AT_ONCE = 2                                  # each is a process of some 40 MB

log = logging.getLogger(__name__)


class _Going:
    """A test that goes on."""

    def __init__(self, test: LineTest, loan: Loan) -> None:
        self.test, self.loan = test, loan
        self.facts: dict[str, Any] = {}
        self.running: Running | None = None


class LineTesting(Area):
    def __init__(self, context: Context) -> None:
        self._context, self._kept = context, Kept(context.state_dir / FOLDER)
        self._going: dict[str, _Going] = {}       # by span
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: Answers = {BeginLineTest: self._begin, SteerLineTest: self._steer,
                                 GetLineTest: self._get, GetLineTests: self._list}

    async def hear(self, event: Event) -> None:
        if isinstance(event, SpanState) and event.lent and (going := self._going.get(event.span)):
            going.loan.given.set()

    async def run(self, stop: asyncio.Event) -> None:
        for test in self._kept.unended():
            await self._ended(msgspec.structs.replace(test, outcome="broken-off"), {})
        await stop.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _list(self, request: GetLineTests) -> LineTests:
        if not request.span:
            return LineTests(tests=[going.test for going in self._going.values()])
        now = {going.test.test: going.test for going in self._going.values()}
        return LineTests(tests=[now.get(one.test, one) for one in self._kept.of(request.span)])

    async def _get(self, request: GetLineTest) -> LineTestReply:
        for going in self._going.values():
            if going.test.test == request.test:
                return LineTestReply(test=going.test, facts=going.facts)
        if (found := self._kept.get(request.test)) is None:
            raise Refused(f"no test is called {request.test!r}")
        return found

    async def _steer(self, request: SteerLineTest) -> Done:
        if request.word not in WORDS:
            raise Refused(f"{request.word!r}: one of {', '.join(WORDS)}")
        going = next((one for one in self._going.values() if one.test.test == request.test), None)
        if going is None or going.running is None:
            raise Refused("this test has ended")
        if request.word != "stop" and going.test.state != "asking":
            raise Refused("nothing is asked at this moment")
        going.running.steer(request.word)
        if request.word != "stop":                # it is not asked twice
            await self._change(going, state="running", ask={})
        return Done()

    async def _begin(self, request: BeginLineTest) -> LineTestReply:
        span, country = await self._span(request.span)
        if wrong := mistake(request.order):
            raise Refused(wrong)
        if span.name in self._going:
            raise Refused(f"span {span.name} is under test already")
        if len(self._going) >= MOST_AT_ONCE:
            raise Refused(f"{MOST_AT_ONCE} lines are under test: wait until one has ended")
        now = time.time()
        test = LineTest(test=f"{int(now)}-{secrets.token_hex(4)}", span=span.name, order=request.order,
                        by=request.by, began_at=now, state="borrowing")
        going = _Going(test, Loan(self._context.bus, span.name))
        self._going[span.name] = going            # before it is lent: no word of spand is missed
        try:
            await going.loan.take()
            await asyncio.to_thread(self._kept.keep, test, {})
        except OSError as error:
            del self._going[span.name]
            await going.loan.give_back()
            raise Refused(f"{error.filename}: {error.strerror}: nothing was begun") from None
        except BaseException:
            del self._going[span.name]
            raise
        log.warning("span %s: %s test %s begins, by %s", span.name, request.order.kind, test.test, request.by)
        going.running = Running(going.loan, self._order(span, country, test),
                                lambda said: self._said(going, said))
        task = self._context.keep(self._run(going, going.running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await self._context.bus.say(LineTestState(test=test))
        return LineTestReply(test=test, facts={})

    async def _span(self, name: str) -> tuple[SpanConfig, str]:
        """And the country that the box is in."""
        try:
            config = await asyncio.to_thread(self._context.read)
        except ConfigError as error:
            raise Refused(str(error)) from None
        spans = {one.name: one for one in config.spans}
        if name not in spans:
            raise Refused(f"no span {name!r}, there are {', '.join(spans)}")
        return spans[name], config.media.country

    def _order(self, span: SpanConfig, country: str, test: LineTest) -> dict[str, Any]:
        papers = {one: str(self._kept.paper(test.test, one)) for one in PAPERS}
        return {**msgspec.structs.asdict(test.order), "timeslots": timeslots(test.order.timeslots),
                "url": span.url, "side": span.side, "name": span.name,
                "country": country, "store": str(self._context.state_dir / LINES_FILE), "papers": papers}

    async def _run(self, going: _Going, running: Running) -> None:
        trouble, word = "", "broken-off"
        try:
            await running.run()
            word = outcome(going.test.order.kind, going.facts, running.stopped)
        except Failed as error:
            trouble, word = str(error), "failed"
        except Exception as error:                # this test's: boxd goes on
            log.exception("span %s: test %s", going.test.span, going.test.test)
            trouble, word = f"{type(error).__name__}: {error}", "failed"
        finally:
            await asyncio.shield(self._over(going, word, trouble))

    async def _over(self, going: _Going, word: str, trouble: str) -> None:
        test, papers = going.test, {}
        for language in PAPERS:
            path = self._kept.paper(test.test, language)
            if going.facts and path.exists():
                with contextlib.suppress(OSError):
                    path.chmod(0o640)             # webui sends it: it is of the same group
                papers[language] = str(path)
        await self._ended(msgspec.structs.replace(
            test, outcome=word, trouble=trouble, papers=papers, ask={}), going.facts, going)

    async def _ended(self, test: LineTest, facts: dict[str, Any], going: _Going | None = None) -> None:
        test = msgspec.structs.replace(test, state="ended", ended_at=time.time(), ask={})
        try:
            await asyncio.to_thread(self._kept.keep, test, facts)
        except OSError as error:
            log.error("test %s of span %s: %s: what it found is not kept", test.test, test.span, error)
        if going is not None:
            self._going.pop(test.span, None)
        log.warning("span %s: test %s: %s %s", test.span, test.test, test.outcome, test.trouble)
        await self._context.bus.say(LineTestState(test=test))

    async def _said(self, going: _Going, said: dict[str, Any]) -> None:
        if "facts" in said:
            going.facts = said["facts"]
        elif "ask" in said:
            await self._change(going, state="asking", ask=said["ask"], passed_s=0.0, of_s=0.0)
        elif "step" in said:
            await self._change(going, state="running", step=said["step"], ask={}, passed_s=0.0, of_s=0.0)
        elif "progress" in said:
            await self._change(going, state="running", **said["progress"])

    async def _change(self, going: _Going, **changes: Any) -> None:
        going.test = msgspec.structs.replace(going.test, **changes)
        await self._context.bus.say(LineTestState(test=going.test))

