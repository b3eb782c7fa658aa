"""Tab and `?` at every word of a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.box.commands.box import Box
from appliance.box.commands.kinds import Choice, OfBox, Rest, Word
from appliance.box.commands.offers import complete, help_text, offers
from appliance.box.commands.table import (
    Argument,
    Asked,
    Command,
    Lines,
    Offer,
    Role,
    Session,
    Table,
    Text,
    Who,
    same,
)
from appliance.bus.client import BusError
from tests.box.commands.acting import Bus, box, nobody


class Spans(OfBox):
    async def names(self, asked: Asked) -> dict[str, Text]:
        return {"e1-1": same("up"), "e1-2": Text("down", "中断"), "my line": same("up")}


class Away(Word):
    async def offers(self, asked: Asked) -> Sequence[Offer]:
        raise BusError("spand is not there")


async def nothing(asked: Asked) -> Lines:
    return Lines(lines=[])


def command(words: str, *arguments: Argument, role: Role = Role.WATCH, **more: Any) -> Command:
    return Command(words, role, Text(f"help of {words}", "帮助"), nothing, Lines, arguments, **more)


NONE = Text("", "")
TABLE = Table([
    command("show spans"),
    command("show span", Argument("span", Spans("SPAN"), Text("which", "哪条")),
            Argument("by", Choice({"days": same("of days"), "quarters": NONE}), same("how long"),
                     keyword="by",
                     optional=True), Argument("all", None, same("all of it"), keyword="all", optional=True)),
    command("show version"), command("show queue", Argument("queue", Away("QUEUE"), same("which"),
                                                            optional=True)),
    command("reset", role=Role.ADMIN), command("note", Argument("text", Rest(), NONE)),
    command("commit", role=Role.ADMIN, in_configure=True)])


@pytest.fixture
def made(tmp_path: Path) -> Box:
    return box(tmp_path, Bus(nobody))


@pytest.mark.parametrize(("line", "words", "added"), [
    ("", ["note", "reset", "show"], ""),
    ("s", ["show"], "how "), ("sh", ["show"], "ow "), ("show", ["show"], " "),
    ("show ", ["queue", "span", "spans", "version"], ""),
    ("show sp", ["span", "spans"], "an"), ("show span", ["span", "spans"], ""),
    ("sh v", ["version"], "ersion "),
    ("show version ", ["<Enter>", "|"], ""),
    ("show span ", ['"my line"', "e1-1", "e1-2"], ""),
    ("show span e", ["e1-1", "e1-2"], "1-"), ("sh sp e1-2", ["e1-2"], " "),
    ("show span new", ["<SPAN>"], ""),
    ("show span e1-1 ", ["all", "by", "<Enter>", "|"], ""),
    ("show span e1-1 b", ["by"], "y "), ("show span e1-1 by ", ["days", "quarters"], ""),
    ("show span e1-1 by d", ["days"], "ays "), ("show span e1-1 by days ", ["all", "<Enter>", "|"], ""),
    ("show span e1-1 x ", [], ""),
    ("show queue ", ["<Enter>", "<QUEUE>", "|"], ""),                # nobody there to ask
    ("show version | ", ["match", "except", "last", "count", "json", "save"], ""),
    ("show version | m", ["match"], "atch "), ("show version | match ", ["<RE>"], ""),
    ("show version | match x ", ["<Enter>", "|"], ""), ("show version | match x | js", ["json"], "on "),
    ("note ", ["<TEXT>"], ""), ("note a b ", [], ""), ("xyz ", [], ""), ("\x1b", [], ""), ('"', [], ""),
])
async def test_offers(made: Box, line: str, words: list[str], added: str) -> None:
    found = await offers(line, Session(Who("li", Role.ADMIN)), made, TABLE)
    assert [one.word for one in found.offers] == words
    assert complete(found) == added
    assert line[found.at:] == found.word or '"' in line or not found.offers


async def test_other_roles_and_configure(made: Box) -> None:
    watching = Session(Who("li", Role.WATCH))
    assert [one.word for one in (await offers("", watching, made, TABLE)).offers] == ["note", "show"]
    assert "save" not in [one.word for one in (await offers("show version | ", watching, made, TABLE)).offers]
    inside = Session(Who("li", Role.ADMIN), mode="configure")
    assert [one.word for one in (await offers("", inside, made, TABLE)).offers] == ["commit", "run"]
    assert complete(await offers("run sh v", inside, made, TABLE)) == "ersion "


async def test_help_has_a_line_each_in_the_persons_language(made: Box) -> None:
    found = await offers("show span ", Session(Who("li", Role.WATCH, "zh")), made, TABLE)
    assert help_text(found, "zh") == '  "my line"  up\n  e1-1       up\n  e1-2       中断\n'
    found = await offers("show ", Session(Who("li", Role.WATCH)), made, TABLE)
    assert help_text(found, "en", 30).splitlines()[:2] == [
        "  queue    help of show queue", "  span     help of show span"]
    assert help_text(found, "en", 34).splitlines()[-1] == "  version  help of show version"
    assert all(len(line) <= 32 for line in help_text(found, "en", 32).splitlines())
    found = await offers("zzz ", Session(Who("li", Role.WATCH)), made, TABLE)
    assert help_text(found, "en") == "nothing fits here\n"
