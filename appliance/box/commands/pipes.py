"""What may follow a command behind `|`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appliance.box.commands.kinds import FileName, Number, Pattern
from appliance.box.commands.lexing import quote
from appliance.box.commands.table import Kind, Text

MOST_LAST = 100_000


@dataclass(frozen=True, slots=True)
class PipeKind:
    word: str
    kind: Kind | None
    help: Text


PIPES: Sequence[PipeKind] = (
    PipeKind("match", Pattern(), Text("only rows in which this is found", "只显示匹配的行")),
    PipeKind("except", Pattern(), Text("only rows in which it is not", "只显示不匹配的行")),
    PipeKind("last", Number(1, MOST_LAST, "N"), Text("only the last rows", "只显示最后几行")),
    PipeKind("count", None, Text("how many rows there are", "只显示行数")),
    PipeKind("json", None, Text("for programs", "输出 JSON，供程序使用")),
    PipeKind("save", FileName(), Text("into a file of the box", "保存为设备上的文件")),
)


@dataclass(frozen=True, slots=True)
class Pipe:
    word: str
    value: Any                                    # int, str or None
    said: str

    def spelled(self) -> str:
        return f"{self.word} {quote(self.said)}" if self.said else self.word
