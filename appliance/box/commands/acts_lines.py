"""test: what a line, a call and a route are like."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec

from appliance.box.commands.acting import (
    ACT_S,
    Did,
    Telephone,
    Timeslots,
    act,
    apart,
    both,
)
from appliance.box.commands.chinese import sentence, word
from appliance.box.commands.kinds import Choice, Duration, Number, Rest
from appliance.box.commands.names import SpanName, TrunkName, the_span
from appliance.box.commands.refusals import said
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    Language,
    Role,
    Text,
    column,
    same,
)
from appliance.box.update.words import in_words
from appliance.bus.client import BusError
from appliance.bus.messages import (
    BeginLineTest,
    CallTested,
    ExplainRoute,
    GetLineTest,
    GetLineTests,
    GetRoutePlan,
    GetTrunks,
    LineTest,
    LineTestOrder,
    LineTestReply,
    LineTestState,
    PlaceTestCall,
    SteerLineTest,
)
from appliance.bus.messages.line_tests import LONGEST_S, LOOPS, MOST_INJECTED, PATTERNS
from appliance.isdn.causes import NO_CHANNEL

FOR_S = {"bert": 60.0, "loop": 60.0, "verdict": 10.0, "detect": 60.0}
STOP_S = 5.0
SILENT_S = 60.0                                   # a test says how it stands once a second
OTHER_S = 15.0                                    # beside a test call's own limits
SPARE = 1                                         # channels that a test call leaves free for others

# What a test's outcome and state mean; in Chinese chinese.WORDS says it.
OUTCOMES = {
    "clean": "no error", "errors": "there were errors", "no-pattern": "the pattern never came back",
    "us": "the fault is the box's", "cable": "the fault is the cable's",
    "telco": "the fault is the telephone company's", "far end": "the fault is the far end's",
    "nothing wrong": "nothing is wrong", "cannot say": "nobody can say", "line-down": "the line is down",
    "looped": "the line is looped", "silent": "the far end says nothing", "failed": "it could not be done",
    "broken-off": "broken off"}
STATES = {"borrowing": "takes the line", "running": "runs", "asking": "waits for somebody"}
# What a detection finds, and how it is known: e1_driver.testing.detection.
WHAT = {"signal": Text("signal", "信号"), "framing": Text("framing", "帧结构"), "crc4": same("CRC-4"),
        "d_channel": Text("D-channel", "D 信道"), "side": Text("side", "本端身份"),
        "profile": Text("profile", "信令规范"), "numbers": Text("numbers", "号码"),
        "channels": Text("channels", "通道"), "clock": Text("clock", "时钟")}
SURE = {"seen": Text("seen on the line", "线路上可见"),
        "tried": Text("asked and answered", "已询问并得到应答"),
        "usual": Text("not to be found out: usual", "无法检测，取常用值"),
        "unknown": Text("not known", "信息未知")}
FIGURES = {"in_sync": Text("in sync", "同步"), "bits": Text("bits", "比特"), "errors": Text("errors", "误码"),
           "slips": Text("slips", "滑码")}


class LineTestStep(Answer, frozen=True, kw_only=True):
    """How a test of a line stands."""

    headed = False
    line: Annotated[str, column("test", "测试")]
    found: Annotated[list[str], column("found", "发现")] = msgspec.field(default_factory=list)
    test: Annotated[LineTest, column("test", "测试", "json")]
    facts: Annotated[dict[str, Any], column("facts", "结果", "json")] = msgspec.field(default_factory=dict)


class LineTestRow(msgspec.Struct, frozen=True, kw_only=True):
    began_at: Annotated[float, column("began", "开始", "moment")]
    test: Annotated[str, column("test", "编号")]
    kind: Annotated[str, column("kind", "类型", words="line test")]
    by: Annotated[str, column("by", "操作人")]
    state: Annotated[str, column("state", "状态", words="line test state")]
    outcome: Annotated[str, column("outcome", "结论", words="line test outcome")]
    trouble: Annotated[str, column("trouble", "原因", spare=True)]


class LineTestRows(Answer, frozen=True, kw_only=True):
    tests: list[LineTestRow]


class CallTried(Did, frozen=True, kw_only=True):
    tested: Annotated[CallTested, column("tested", "结果", "json")]


class Routed(Answer, frozen=True, kw_only=True):
    called: Annotated[str, column("called", "被叫")]
    calling: Annotated[str, column("from", "主叫", spare=True)]
    trunk: Annotated[str, column("comes by trunk", "来自中继")]
    at: Annotated[float, column("at", "时间", "moment")]
    kind: Annotated[str, column("becomes", "结果", words="route")]
    leaves_by: Annotated[str, column("leaves by trunk", "去往中继", spare=True)]
    digits: Annotated[str, column("with digits", "发送号码", spare=True)]
    steps: Annotated[list[str], column("why", "过程", "heading")]


# --- a line's tests


async def test_span(asked: Asked) -> AsyncIterator[LineTestStep]:
    """Its steps until it has ended; Ctrl-C stops it, and the line takes calls again."""
    kind = asked.values["what"]
    order = LineTestOrder(kind=kind, for_s=asked.get("for_s", FOR_S[kind]), **{
        name: asked.values[name] for name in ("pattern", "timeslots", "inject", "itself", "loop", "plugs",
                                              "site")
        if name in asked.values})
    async with asked.box.hearing() as heard:
        span = await the_span(asked, asked.values["span"])
        begun = BeginLineTest(span=span, order=order, by=asked.who.name)
        if asked.get("background", False):
            test = (await act(asked, begun)).test
            goes_on = both("test {test} goes on; test results {span}, test stop {span}",
                           "测试 {test} 进行中；可用 test results {span}、test stop {span}",
                           test=test.test, span=span)
            yield LineTestStep(line=asked.say(goes_on), test=test)
            return
        test = await _begin(asked, begun)
        try:
            before = ""
            while test.state != "ended":
                if (line := _in_words(asked, test)) != before:
                    before = line
                    yield LineTestStep(line=line, test=test)
                test = await _next(asked, heard, test)
        finally:
            if test.state != "ended":
                await _stop(asked, test)
    reply = await asked.ask(GetLineTest(test=test.test))
    if reply.test.outcome in ("failed", "broken-off"):
        raise CommandError(same(_in_words(asked, reply.test)))
    yield LineTestStep(line=_in_words(asked, reply.test), found=found(reply.facts, asked.language),
                       test=reply.test, facts=reply.facts)


async def _begin(asked: Asked, request: BeginLineTest) -> LineTest:
    """Who goes away while it begins: it is ended as soon as it has begun, and the line takes calls again."""
    beginning = apart(act(asked, request))
    try:
        return (await asyncio.shield(beginning)).test
    except asyncio.CancelledError:
        apart(_end(asked, beginning))
        raise


async def _end(asked: Asked, beginning: "asyncio.Task[LineTestReply]") -> None:
    with contextlib.suppress(BusError):           # it was refused: there is none
        await _stop(asked, (await beginning).test)


async def _stop(asked: Asked, test: LineTest) -> None:
    with contextlib.suppress(BusError):           # it has ended meanwhile
        await act(asked, SteerLineTest(test=test.test, word="stop"), STOP_S)


async def _next(asked: Asked, heard: "asyncio.Queue[Any]", test: LineTest) -> LineTest:
    """What is said of it next; where nothing is heard, it is asked for once. CommandError: it hangs."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SILENT_S):
            while True:
                event = await heard.get()
                if isinstance(event, LineTestState) and event.test.test == test.test:
                    return event.test
    now = (await asked.ask(GetLineTest(test=test.test))).test
    if now.state == "ended":                      # a slow terminal lets the oldest events go
        return now
    raise CommandError(both("nothing is heard of test {test} any more", "测试 {test} 没有消息",
                            test=test.test),
                       both("test results {span}", "test results {span}", span=test.span))


def _in_words(asked: Asked, test: LineTest) -> str:
    """One line."""
    language = asked.language
    head = f"{test.span} {test.order.kind}: "
    figures = ", ".join(f"{_word(FIGURES, name, language)} {_figure(value)}"
                        for name, value in test.figures.items())
    if test.state == "ended":
        outcome = test.outcome
        meaning = Text(OUTCOMES.get(outcome, outcome), word(outcome, "line test outcome", "zh"))
        trouble = said(test.trouble).of(language)
        return head + ", ".join(one for one in (meaning.of(language), trouble, figures) if one)
    state = Text(STATES.get(test.state, test.state), word(test.state, "line test state", "zh"))
    parts = [state.of(language)]
    if test.of_s:
        parts.append(f"{test.passed_s:.0f}/{test.of_s:.0f} s")
    parts += [test.step.get(language, ""), figures]
    if test.ask:
        after = both("then: test done {span}, or test skip {span}",
                     "完成后：test done {span}，或 test skip {span}", span=test.span)
        parts += [test.ask.get(language, ""), after.of(language)]
    return head + ", ".join(one for one in parts if one)


def _figure(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"


def found(facts: dict[str, Any], language: Language) -> list[str]:
    """A verdict's reasons and advice, or what a detection has found; `facts` as `e1ctl --json` has them."""
    if texts := facts.get("texts", {}).get(language):
        return [str(texts["headline"]), *(f"- {one}" for one in texts["why"]),
                *(f"> {one}" for one in texts["do"])]
    return [f"{_word(WHAT, one['what'], language)}: {one['value'] or '-'} "
            f"({_word(SURE, one['sure'], language)})" for one in facts.get("findings", [])]


def _word(words: Mapping[str, Text], name: str, language: Language) -> str:
    return words.get(name, same(name)).of(language)


def steering(what: str, did: Text) -> Any:
    async def steer(asked: Asked) -> Did:
        span = await the_span(asked, asked.values["span"])
        tests = (await asked.ask(GetLineTests())).tests
        test = next((one for one in tests if one.span == span), None)
        if test is None:
            raise CommandError(both("span {span}: no test goes on", "线路 {span}：没有进行中的测试",
                                    span=span))
        await act(asked, SteerLineTest(test=test.test, word=what))
        return Did(said=asked.say(did), next=f"test results {test.span}")
    return steer


async def test_results(asked: Asked) -> LineTestRows:
    span = await the_span(asked, asked.values["span"]) if "span" in asked.values else ""
    found = (await asked.ask(GetLineTests(span=span))).tests
    return LineTestRows(tests=[LineTestRow(
        began_at=one.began_at, test=one.test, kind=one.order.kind, by=one.by,
        state=one.state, outcome=one.outcome, trouble=said(one.trouble).of(asked.language)) for one in found])


# --- calls and routes


async def test_call(asked: Asked) -> CallTried:
    """It leaves the last free channel to others, and is the first to end when an emergency call needs one."""
    placed = PlaceTestCall(trunk=await _trunk(asked), number=asked.values["number"], spare=SPARE)
    within_s = placed.answer_within_s + placed.hear_within_s + OTHER_S
    tested = await act(asked, placed, within_s)
    if tested.error:
        raise CommandError(
            Text(in_words(tested), in_words(tested, "zh")),
            Text("a test leaves the last free channel to others: show channels",
                 "测试呼叫会留出最后一个空闲信道：show channels") if tested.cause == NO_CHANNEL else
            Text("debug isdn span, or trace call last", "可用 debug isdn span 或 trace call last"))
    return CallTried(said=in_words(tested, asked.language), tested=tested)


async def _trunk(asked: Asked) -> str:
    """As said, of the update's own test call, or the only one."""
    if "trunk" in asked.values:
        return str(asked.values["trunk"])
    configured = asked.box.context.config.update.test_call
    if configured is not None:
        return configured.trunk
    trunks = [one.trunk for one in (await asked.ask(GetTrunks())).trunks]
    if len(trunks) == 1:
        return trunks[0]
    raise CommandError(Text("by which trunk", "请指明中继"),
                       both("trunk {names}", "trunk {names}", names="|".join(trunks)))


async def test_route(asked: Asked) -> Routed:
    """By the same code as a real call."""
    called, trunk = asked.values["called"], asked.get("trunk", "")
    if not trunk:
        plan = await asked.ask(GetRoutePlan())
        named = [one.trunk for one in plan.inbound if one.called == called]
        entry = [one.trunks[0] for one in plan.entry if one.trunks and called in one.called]
        first = [one.trunk for one in (await asked.ask(GetTrunks())).trunks]
        trunk = next(iter([*named, *entry, *first]), "")
    calling = asked.get("calling", "")
    found = await asked.ask(ExplainRoute(
        trunk=trunk, called=called, calling=calling, withheld=asked.get("withheld", False),
        at=asked.now + asked.get("ahead_s", 0.0)))
    return Routed(called=called, calling=calling, trunk=trunk, at=found.at, kind=found.kind,
                  leaves_by=found.trunk, digits=found.digits,
                  steps=[sentence(one, asked.language) for one in found.steps])


# --- the table

_SPAN = Argument("span", SpanName(), Text("which line", "哪条线路"))
_BY_TRUNK = Argument("trunk", TrunkName(), Text("by this trunk", "经该中继"), keyword="trunk", optional=True)


class SlotWord(Timeslots):
    """As it is written, for an order of a test."""

    def read(self, word: str) -> Any:
        super().read(word)
        return word


_TEST = (
    _SPAN,
    Argument("what", Choice({
        "bert": Text("bit errors against a pattern", "误码测试"),
        "loop": Text("loop what comes back to the far end", "向对端环回"),
        "verdict": Text("whose fault it is", "故障定位"),
        "detect": Text("what the far end's settings are", "识别对端参数")}, "TEST"), Text("which test",
                                                                                    "哪种测试")),
    Argument("for_s", Duration(LONGEST_S), Text("how long", "时长"), keyword="for", optional=True),
    Argument("pattern", Choice({one: same("") for one in PATTERNS}, "PATTERN"), Text("of bert", "误码图案"),
             keyword="pattern", optional=True),
    Argument("timeslots", SlotWord(), Text("of bert", "误码测试的时隙"), keyword="timeslots", optional=True),
    Argument("inject", Number(0, MOST_INJECTED), Text("single errors, of bert", "插入误码数"),
             keyword="inject",
             optional=True),
    Argument("itself", None, Text("over the box's own loop, of bert", "经本机自环"), keyword="itself",
             optional=True),
    Argument("loop", Choice({one: same("") for one in LOOPS}, "LOOP"), Text("of loop", "环回方式"),
             keyword="loop", optional=True),
    Argument("plugs", None, Text("somebody is there to put a loop plug in, of verdict", "现场有人可插环回头"),
             keyword="plugs", optional=True),
    Argument("background", None, Text("it goes on without this session", "后台进行，不随会话结束"),
             keyword="background", optional=True),
    Argument("site", Rest("SITE", 200),
             Text("what the line is, for a verdict's report", "线路名称，写入报告"),
             keyword="site", optional=True),
)

COMMANDS: list[Command] = [
    Command("test span", Role.OPERATE,
            Text("test a line; it takes no calls meanwhile", "测试线路，期间不接续"),
            test_span, LineTestStep, _TEST, live=True),
    Command("test done", Role.OPERATE, Text("what a test asked for is done", "已按测试要求完成"),
            steering("done", Text("the test goes on", "测试继续")), Did, (_SPAN,)),
    Command("test skip", Role.OPERATE, Text("a test goes on without what it asked for", "跳过测试的要求"),
            steering("skip", Text("the test goes on without it", "已跳过，测试继续")), Did, (_SPAN,)),
    Command("test stop", Role.OPERATE, Text("end a test", "停止测试"),
            steering("stop", Text("the test ends", "测试停止")), Did, (_SPAN,)),
    Command("test results", Role.WATCH, Text("tests of lines and what came of them", "线路测试及结论"),
            test_results, LineTestRows,
            (Argument("span", SpanName(),
                      Text("all of this one; else what goes on", "该线路的全部，否则只看进行中的"),
                      optional=True),)),
    Command("test call", Role.OPERATE,
            Text("call a number and hear whether somebody answers", "拨打测试电话"),
            test_call, CallTried, (Argument("number", Telephone(), Text("whom to call", "拨打的号码")),
                                   _BY_TRUNK),
            within_s=ACT_S),
    Command("test route", Role.WATCH,
            Text("where a call would go, and why; none is placed", "查看呼叫走向，不实际拨打"),
            test_route, Routed, (
                Argument("called", Telephone(), Text("to this number", "被叫号码")),
                Argument("trunk", TrunkName(), Text("where it comes in", "来自中继"), keyword="trunk",
                         optional=True),
                Argument("ahead_s", Duration(), Text("so long from now", "多久以后"), keyword="in",
                         optional=True),
                Argument("calling", Telephone(), Text("from this number", "主叫号码"), keyword="from",
                         optional=True),
                Argument("withheld", None, Text("the caller is not shown", "主叫隐藏号码"),
                         keyword="withheld",
                         optional=True))),
]
