"""Names of this box that commands take: spans, queues, agents, trunks, daemons."""

from appliance.box.commands.chinese import word
from appliance.box.commands.kinds import OfBox, named
from appliance.box.commands.table import Asked, CommandError, Text, same
from appliance.bus.messages import DAEMONS, GetBoard, GetDocumentHistory, GetSpans, GetTrunks


class SpanName(OfBox):
    def __init__(self) -> None:
        super().__init__("SPAN")

    async def names(self, asked: Asked) -> dict[str, Text]:
        return {one.span: UP if one.up else DOWN for one in (await asked.ask(GetSpans())).spans}


class TrunkName(OfBox):
    def __init__(self) -> None:
        super().__init__("TRUNK")

    async def names(self, asked: Asked) -> dict[str, Text]:
        return named([(one.trunk, " ".join(one.spans)) for one in (await asked.ask(GetTrunks())).trunks])


class QueueName(OfBox):
    def __init__(self) -> None:
        super().__init__("QUEUE")

    async def names(self, asked: Asked) -> dict[str, Text]:
        return {one.name: Text(f"{len(one.waiting)} wait", f"{len(one.waiting)} 个等待")
                for one in (await asked.ask(GetBoard())).board.queues}


class AgentName(OfBox):
    def __init__(self) -> None:
        super().__init__("AGENT")

    async def names(self, asked: Asked) -> dict[str, Text]:
        return {one.name: Text(one.state, word(one.state, "agent", "zh"))
                for one in (await asked.ask(GetBoard())).board.agents}


class DaemonName(OfBox):
    def __init__(self) -> None:
        super().__init__("DAEMON")

    async def names(self, asked: Asked) -> dict[str, Text]:
        return named([(name, "") for name in (*DAEMONS, "bus", "kernel")])


class Version(OfBox):
    """Of the configuration document; what is no number is refused by who looks for it."""

    def __init__(self) -> None:
        super().__init__("VERSION")

    async def names(self, asked: Asked) -> dict[str, Text]:
        versions = (await asked.ask(GetDocumentHistory(most=20))).versions
        return {str(one.number): Text(one.comment or one.kind, one.comment or word(one.kind, "version", "zh"))
                for one in versions}


UP, DOWN = Text("up", "正常"), Text("down", "中断")


async def the_span(asked: Asked, word: str) -> str:
    """The span of this name, or with this number in the order of the configuration. CommandError: none."""
    return span_among([one.span for one in (await asked.ask(GetSpans())).spans], word)


def span_among(names: list[str], word: str) -> str:
    if word in names:
        return word
    if word.isascii() and word.isdigit() and 1 <= int(word) <= len(names):
        return names[int(word) - 1]
    raise nothing(Text("span", "线路"), word, names)


def nothing(what: Text, word: str, names: list[str]) -> CommandError:
    """There is no such thing; these there are."""
    some = ", ".join(names[:20]) or "-"
    return CommandError(Text(f"there is no {what.en} {word!r}", f"没有{what.zh}“{word}”"),
                        Text(f"there are: {some}", f"现有：{some}") if names else same(""))
