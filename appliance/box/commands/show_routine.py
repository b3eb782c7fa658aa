"""show routine: the daily record and the box's own weekly and monthly rounds, last and next."""

from typing import Annotated

from appliance.box.commands.show_box import Row, known
from appliance.box.commands.table import Answer, Asked, Command, Role, Text, column
from appliance.bus.messages import GetRoutine, SelfChecked


class RoundRow(Row, frozen=True, kw_only=True):
    round: Annotated[str, column("round", "检查", words="round")]
    state: Annotated[str, column("state", "状态", words="round state")]
    next_at: Annotated[float | None, column("next", "下次", "moment")]
    last_at: Annotated[float | None, column("last", "上次", "moment")]
    late: Annotated[bool, column("late", "延迟", "yes", spare=True)]
    doing: Annotated[str, column("doing", "正在", spare=True)]
    good: Annotated[int, column("good", "正常")]
    not_good: Annotated[int, column("not good", "异常")]


class FindingRow(Row, frozen=True, kw_only=True):
    round: Annotated[str, column("round", "检查", words="round")]
    item: Annotated[str, column("item", "项目")]
    title: Annotated[str, column("what", "名称")]
    result: Annotated[str, column("result", "结果", words="result")]
    figure: Annotated[str, column("measured", "测量值", spare=True)]
    limit: Annotated[str, column("limit", "限值", spare=True)]
    text: Annotated[str, column("found", "说明", spare=True)]
    action: Annotated[str, column("do", "处理", spare=True)]


class Routine(Answer, frozen=True, kw_only=True):
    record_at: Annotated[float | None, column("last daily record", "上次每日记录", "moment")]
    next_record_at: Annotated[float | None, column("next daily record", "下次每日记录", "moment")]
    rounds: Annotated[list[RoundRow], column("rounds", "自检")]
    findings: Annotated[list[FindingRow], column("found last", "上次结果")]


async def routine(asked: Asked) -> Routine:
    said = await asked.ask(GetRoutine(), 10.0)
    rounds, findings = list[RoundRow](), list[FindingRow]()
    for one in said.rounds:
        check = one.last.check if one.last is not None else None
        results = one.results or (check.results if check is not None else [])
        good = sum(each.result == "good" for each in results)
        rounds.append(RoundRow(
            round=one.kind, state=one.state, next_at=known(one.next_at),
            last_at=one.last.at if one.last else None, late=one.late, doing=one.doing, good=good,
            not_good=len(results) - good))
        findings += [_finding(one.kind, each, asked) for each in results]
    return Routine(record_at=said.record.at if said.record is not None else None,
                   next_record_at=known(said.record_at), rounds=rounds, findings=findings)


def _finding(kind: str, one: SelfChecked, asked: Asked) -> FindingRow:
    language = asked.language
    return FindingRow(
        round=kind, item=one.item, title=one.title.get(language, ""), result=one.result, figure=one.figure,
        limit=one.limit, text=one.text.get(language, ""), action=one.next.get(language, ""))


COMMANDS = (
    Command("show routine", Role.WATCH, Text("the daily record and the box's own rounds, and what they found",
                                             "每日记录与定期自检结果"), routine, Routine),
)
