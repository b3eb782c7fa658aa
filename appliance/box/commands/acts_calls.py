"""agent, clear: what is done with people and calls."""

from collections.abc import Mapping

from appliance.box.commands.acting import Call, Did, act, both, emergency_legs
from appliance.box.commands.chinese import word
from appliance.box.commands.kinds import Choice, Word
from appliance.box.commands.names import AgentName
from appliance.box.commands.table import Argument, Asked, Command, CommandError, Role, Text, same
from appliance.bus.messages import (
    AgentReply,
    CallInfo,
    GetBoard,
    GetCalls,
    GetContactLegs,
    Hangup,
    LogIn,
    LogOut,
    Request,
    SetNotReady,
    SetReady,
)

ACT_S = 5.0
CAUSE = 16                                        # Q.850, normal call clearing: people wanted it
MOST_NAMED = 10                                   # calls in an error


async def agent(asked: Asked) -> Did:
    name, state, by = asked.values["agent"], asked.values["state"], asked.who.name
    if state != "not-ready" and "reason" in asked.values:
        raise CommandError(Text("a reason goes with not-ready", "原因只用于 not-ready"))
    requests: dict[str, Request[AgentReply]] = {
        "ready": SetReady(agent=name, by=by),
        "not-ready": SetNotReady(agent=name, reason=asked.get("reason", ""), by=by),
        "log-in": LogIn(agent=name, by=by),
        "log-out": LogOut(agent=name, by=by),
    }
    found = (await act(asked, requests[state], ACT_S)).agent
    did = Text(f"{found.name} is {found.state}", f"{found.name} 当前状态：{word(found.state, 'agent', 'zh')}")
    if found.wish:
        did = Text(f"{did.en}, {found.wish} when that is over",
                   f"{did.zh}，结束后转为{word(found.wish, 'agent', 'zh')}")
    return Did(said=asked.say(did))


async def clear_call(asked: Asked) -> Did:
    """Its legs are hung up, but no leg of an emergency call."""
    name = asked.values["call"]
    calls = {one.leg: one for one in (await asked.ask(GetCalls())).calls}
    legs = [name] if name in calls else await _of_contact(asked, name, calls) or await _of_number(
        asked, name, calls)
    if not legs:
        raise CommandError(both("{name}: no such call goes on", "{name}：没有进行中的该呼叫", name=name),
                           Text("show calls names them", "show calls 可查看呼叫"))
    if not (await emergency_legs(asked, list(calls.values()))).isdisjoint(legs):
        raise CommandError(both("{name}: is an emergency call: it is not cleared",
                                "{name}：是紧急呼叫，不予拆除",
                                name=name))
    for leg in legs:
        await act(asked, Hangup(leg=leg, cause=CAUSE), ACT_S)
    return Did(said=asked.say(both("{name}: {count} legs were hung up, with cause {cause}",
                                   "{name}：已拆除 {count} 条分支，原因值 {cause}",
                                   name=name, count=len(legs), cause=CAUSE)),
               next=f"trace call {name}")


async def _of_contact(asked: Asked, contact: str, calls: Mapping[str, CallInfo]) -> list[str]:
    """Its legs that go on."""
    return [one.leg for one in (await asked.ask(GetContactLegs(contact=contact))).legs if one.leg in calls]


async def _of_number(asked: Asked, number: str, calls: Mapping[str, CallInfo]) -> list[str]:
    """The legs of the one call from or to this number. CommandError: there are several."""
    contacts = [one.contact for one in (await asked.ask(GetBoard())).board.contacts
                if number in (one.calling, one.called) and not one.ended_at]
    legs = [one.leg for one in calls.values() if number in (one.calling, one.called)]
    found = contacts or legs
    if len(found) > 1:
        raise CommandError(both("{number}: {count} calls: name one of them",
                                "{number}：有 {count} 个呼叫，请指明其一",
                                number=number, count=len(found)), same(", ".join(found[:MOST_NAMED])))
    if contacts and (whole := await _of_contact(asked, contacts[0], calls)):
        return whole
    return legs if len(legs) == 1 else []


COMMANDS: list[Command] = [
    Command("agent", Role.OPERATE, Text("change what an agent does", "改变座席状态"), agent, Did, (
        Argument("agent", AgentName(), Text("who", "座席")),
        Argument("state", Choice({
            "ready": Text("takes calls", "示闲"), "not-ready": Text("takes none", "示忙"),
            "log-in": Text("at the own extension", "签入本人分机"), "log-out": Text("now, or after the talk",
                                                                              "签出")},
            "STATE"), Text("what then", "目标状态")),
        Argument("reason", Word("REASON"), Text("why not ready", "示忙原因"), keyword="reason",
                 optional=True))),
    Command("clear call", Role.OPERATE,
            Text("hang up a call; emergency calls stay", "拆除呼叫，紧急呼叫除外"),
            clear_call, Did, (Argument("call", Call(live=True), Text("a contact, a leg, or a number",
                                                                     "呼叫编号、分支或号码")),)),
]
