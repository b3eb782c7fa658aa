"""update, hostname, support: the box's software, its name, and the bundle for who helps."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from appliance.box.commands.acting import Did, act, both
from appliance.box.commands.box import SAVED, SUPPORT
from appliance.box.commands.kinds import Choice, Word
from appliance.box.commands.table import (
    Argument,
    Asked,
    Command,
    CommandError,
    Role,
    Text,
    column,
    same,
)
from appliance.box.update.words import line, past
from appliance.bus.messages import (
    CancelUpdate,
    ChangeProvision,
    ConfirmUpdate,
    Done,
    Event,
    GetSupport,
    GetUpdate,
    GoBack,
    HurryUpdate,
    InstallUpdate,
    MakeSupport,
    Request,
    SupportReply,
    UpdateState,
)

ACT_S = 30.0                                      # root's hand takes its time
SILENT_S = 30.0                                   # an update that says nothing is asked how it stands
LOOK_S = 0.5                                      # no event tells how a bundle is made
MADE_S = 300.0                                    # a bundle is, by then


class UpdateStep(Did, frozen=True, kw_only=True):
    state: Annotated[UpdateState, column("state", "状态", "json")]


class Bundled(Did, frozen=True, kw_only=True):
    """`file`: its path by SFTP; "": it is not there yet."""

    file: Annotated[str, column("file", "文件", "json")] = ""
    missing: Annotated[list[str], column("missing", "缺少")] = msgspec.field(default_factory=list)


# --- updates


async def install(asked: Asked) -> AsyncIterator[UpdateStep]:
    source = asked.values["source"]
    async for step in _watched(
            asked, lambda begin: InstallUpdate(source=source, begin=begin, by=asked.who.name)):
        yield step


async def back(asked: Asked) -> AsyncIterator[UpdateStep]:
    async for step in _watched(asked, lambda begin: GoBack(begin=begin, by=asked.who.name)):
        yield step


async def _watched(asked: Asked, request: Callable[[Any], Request[Done]]) -> AsyncIterator[UpdateStep]:
    """Steps until it is over, or the box starts anew. Who goes away stops nothing: update cancel does."""
    background = asked.get("background", False)
    async with asked.box.hearing() as heard:
        began = time.time()
        await act(asked, request(asked.get("begin", "drained")), ACT_S)
        before = ""
        while True:
            reply = await asked.ask(GetUpdate())
            if reply.state.phase == "idle":
                break
            if (now := line(reply.state, asked.language)) != before:
                before = now
                yield UpdateStep(said=now, state=reply.state, next=asked.say(
                    Text("show update, update cancel", "show update、update cancel")) if background else "")
            if background:
                return
            await _something_said(heard)
    last = next((one for one in reply.history if one.at >= began), None)
    if last is not None and last.outcome != "confirmed":
        raise CommandError(Text(past(last), past(last, "zh")), same("show update"))
    yield UpdateStep(said=past(last, asked.language) if last else line(reply.state, asked.language),
                     state=reply.state)


async def _something_said(heard: "asyncio.Queue[Event]") -> None:
    """Of an update; after a while without a word it is looked at all the same: a slow terminal loses some.

    How it stands is asked for then: what waits here may be of before the update was begun.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SILENT_S):
            while not isinstance(await heard.get(), UpdateState):
                pass


async def confirm(asked: Asked) -> Did:
    await act(asked, ConfirmUpdate(by=asked.who.name), ACT_S)
    return Did(said=asked.say(Text("the version that runs stays", "当前版本已保留")))


async def cancel(asked: Asked) -> Did:
    await act(asked, CancelUpdate(by=asked.who.name), ACT_S)
    return Did(said=asked.say(Text("the update is called off; calls are taken again",
                                   "升级已取消，恢复接续")))


async def hurry(asked: Asked) -> Did:
    left = (await asked.ask(GetUpdate())).state.calls_left
    await act(asked, HurryUpdate(by=asked.who.name), ACT_S)
    did = Text("it goes on without waiting", "不再等待，继续升级")
    if left:
        did = Text(f"{did.en}; {left} calls are ended, emergency calls are not",
                   f"{did.zh}；{left} 路通话被结束，紧急呼叫除外")
    return Did(said=asked.say(did), next="show update")


# --- its name


async def hostname(asked: Asked) -> Did:
    name = asked.values["hostname"]
    await act(asked, ChangeProvision(keys={"hostname": name}, by="console"), ACT_S)
    return Did(said=asked.say(both("the box is called {name}", "设备名称现为 {name}", name=name)),
               next="show version")


# --- support


async def support(asked: Asked) -> AsyncIterator[Bundled]:
    before = await asked.ask(GetSupport())
    await act(asked, MakeSupport(numbers=asked.get("numbers", False)), ACT_S)
    saying, until = "", asyncio.get_running_loop().time() + MADE_S
    while (reply := await asked.ask(GetSupport())).running and asyncio.get_running_loop().time() < until:
        if reply.saying and reply.saying != saying:
            saying = reply.saying
            yield Bundled(said=saying)
        await asyncio.sleep(LOOK_S)
    if reply.running:
        raise CommandError(both("it is not made in {most:g} s; it goes on", "{most:g} 秒内未完成，仍在进行",
                                most=MADE_S), Text("support once more, later", "请稍后再执行 support"))
    if reply.error or (reply.path, reply.at) == (before.path, before.at):
        raise CommandError(same(reply.error) if reply.error else
                           Text("none was made: the log says more", "未能生成：详见日志"))
    yield _made(asked, reply)


def _made(asked: Asked, reply: SupportReply) -> Bundled:
    """Where SFTP has it, for admins alone, until the next one is made."""
    path = f"/{SAVED}/{SUPPORT}/{Path(reply.path).name}"
    did = Text(f"made: {path}, {reply.octets} octets", f"已生成：{path}，{reply.octets} 字节")
    if reply.missing:
        did = Text(f"{did.en}; what it lacks: {len(reply.missing)}",
                   f"{did.zh}，缺少 {len(reply.missing)} 项")
    return Bundled(said=asked.say(did), file=path, missing=reply.missing, next=asked.say(
        Text("fetch it by sftp before another is made", "请在再次生成之前用 sftp 取回")))


_BEGIN = Argument("begin", Choice({
    "drained": Text("when calls are over", "通话结束后"), "now": Text("calls are ended", "立即，结束通话"),
    "quiet": Text("in the next quiet hour", "下一个空闲时段")}, "WHEN"), Text("when it begins", "何时开始"),
    keyword="begin", optional=True)
_BACKGROUND = Argument("background", None, Text("do not wait for it", "不等待其完成"), keyword="background",
                       optional=True)

COMMANDS: list[Command] = [
    Command("update install", Role.ADMIN, Text("install a version, and try it out", "安装新版本并试运行"),
            install,
            UpdateStep, (Argument("source", Word("SOURCE", 2000), Text(
                "https://..., usb, or the name of a bundle on the box", "https://…、usb 或本机上的升级包名")),
                         _BEGIN, _BACKGROUND), live=True),
    Command("update back", Role.ADMIN, Text("to the version before", "回到上一版本"), back, UpdateStep,
            (_BEGIN, _BACKGROUND), live=True),
    Command("update confirm", Role.ADMIN, Text("keep the version on trial", "保留试运行的版本"), confirm,
            Did),
    Command("update cancel", Role.ADMIN, Text("call an update off", "取消升级"), cancel, Did),
    Command("update hurry", Role.ADMIN,
            Text("go on without waiting for calls or an hour", "不再等待，立即继续"),
            hurry, Did),
    Command("hostname", Role.ADMIN, Text("give the box another name", "更改设备名称"), hostname, Did, (
        Argument("hostname", Word("NAME", 63), Text("small letters, digits and hyphens, without dots",
                                                    "小写字母、数字和连字符，不含点")),)),
    Command("support", Role.ADMIN,
            Text("make a bundle for who helps, into /saved/support", "生成诊断包，存入 /saved/support"),
            support, Bundled, (
                Argument("numbers", None, Text("with telephone numbers as they are", "保留完整电话号码"),
                         keyword="numbers", optional=True),), live=True),
]
