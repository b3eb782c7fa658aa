"""Lines as commands: short words, what is wrong with one and where, pipes, roles."""

import pytest

from appliance.box.commands.kinds import Choice, Duration, Number, Rest, Word
from appliance.box.commands.lexing import MOST_CHARACTERS, MOST_WORDS, quote
from appliance.box.commands.run import explained
from appliance.box.commands.table import Argument, Asked, Command, Lines, Role, Table, Text, same
from appliance.box.commands.words import BadLine, Parsed, parse

NONE = Text("", "")


async def nothing(asked: Asked) -> Lines:
    return Lines(lines=[])


def command(words: str, *arguments: Argument, role: Role = Role.WATCH, live: bool = False,
            in_configure: bool = False) -> Command:
    return Command(words, role, same(f"help of {words}"), nothing, Lines, arguments, live=live,
                   in_configure=in_configure)


NAME = Argument("name", Word("SPAN"), NONE)
BY = Argument("by", Choice({"days": NONE, "quarters": NONE}), NONE, keyword="by", optional=True)
MOST = Argument("most", Number(1, 96, "N"), NONE, keyword="most", optional=True)
ALL = Argument("all", None, NONE, keyword="all", optional=True)
TABLE = Table([
    command("show spans"), command("show span", NAME, BY, MOST, ALL), command("show version"),
    command("show configuration", Argument("key", Word("KEY"), NONE, optional=True), MOST),
    command("show configuration history"),
    command("clear", Argument("call", Word("CALL"), NONE), Argument("why", Rest("TEXT"), NONE,
                                                                    keyword="because",
                                                                   optional=True), role=Role.OPERATE),
    command("wait", Argument("for", Duration(), NONE)), command("monitor calls", live=True),
    command("configure", role=Role.ADMIN), command("set", Argument("key", Word("KEY"), NONE),
                                                   Argument("value", Rest("VALUE", raw=True), NONE),
                                                   role=Role.ADMIN, in_configure=True),
])


def parsed(line: str, role: Role = Role.ADMIN, mode: str = "") -> Parsed:
    found = parse(line, TABLE, role, mode)
    assert isinstance(found, Parsed), found
    return found


def wrong(line: str, role: Role = Role.ADMIN, mode: str = "") -> BadLine:
    found = parse(line, TABLE, role, mode)
    assert isinstance(found, BadLine), found
    return found


@pytest.mark.parametrize(("line", "spelled", "values"), [
    ("show spans", "show spans", {}),
    ("sh sp", "show spans", {}),                  # only that one is whole so
    ("  SHOW\tSpans  ", "show spans", {}),
    ("show span e1-1", "show span e1-1", {"name": "e1-1"}),
    ("sh sp e1-1", "show span e1-1", {"name": "e1-1"}),
    ("sh v", "show version", {}),
    ("show span e1-1 by d", "show span e1-1 by days", {"name": "e1-1", "by": "days"}),
    ("show span e1-1 most 3 all by q", "show span e1-1 most 3 all by quarters",
     {"name": "e1-1", "most": 3, "all": True, "by": "quarters"}),
    ("show span e1-1 a", "show span e1-1 all", {"name": "e1-1", "all": True}),
    ('show span "e1 1"', 'show span "e1 1"', {"name": "e1 1"}),
    (r'show span "a \"b\" \\"', r'show span "a \"b\" \\"', {"name": 'a "b" \\'}),
    ("show span by by d", "show span by by days", {"name": "by", "by": "days"}),      # its place is first
    ("show configuration", "show configuration", {}),
    ("sh conf web", "show configuration web", {"key": "web"}),
    ("sh conf hist", "show configuration history", {}),              # a word before an argument
    ("show conf most 4", "show configuration most 4", {"most": 4}),
    ('show conf "history"', 'show configuration "history"', {"key": "history"}),
    ("clear c1 because it  hangs", 'clear c1 because "it hangs"', {"call": "c1", "why": "it hangs"}),
    ("clear c1", "clear c1", {"call": "c1"}),
    ("wait 90", "wait 90", {"for": 90.0}), ("wait 1.5m", "wait 1.5m", {"for": 90.0}),
    ("show\u3000span\u3000e1-1", "show span e1-1", {"name": "e1-1"}),      # typed among Chinese
    ("wait 250ms", "wait 250ms", {"for": 0.25}), ("wait 2H", "wait 2H", {"for": 7200.0}),
])
def test_lines(line: str, spelled: str, values: dict[str, object]) -> None:
    found = parsed(line)
    assert (found.spelled, found.values) == (spelled, values)
    assert parsed(found.spelled).values == values                   # logs can be given again


@pytest.mark.parametrize(("line", "column", "word", "fits"), [
    ("shw spans", 0, "shw", ["show"]),            # what is like it comes first
    ("show spens", 5, "spens", ["spans", "span"]),
    ("show", 4, "", ["configuration", "span", "spans", "version"]),
    ("s", 1, "", ["configuration", "span", "spans", "version"]),
    ("co", 0, "co", []),                          # configure: of another role, and has no other meaning
    ("show span", 9, "", ["<SPAN>"]),
    ("show span e1 by", 15, "", ["days", "quarters"]),
    ("show span e1 by weeks", 16, "weeks", ["days", "quarters"]),
    ("show span e1 most 97", 18, "97", ["<N>"]),
    ("show span e1 most 3 most 4", 20, "most", ["by", "all"]),       # twice
    ("show span e1 e2", 13, "e2", ["by", "most", "all"]),
    ("show spans now", 11, "now", []),
    ("show version |", 14, "", ["match", "except", "last", "count", "json", "save"]),
    ("show version | mtch x", 15, "mtch", ["match"]),
    ("show version | match", 20, "", ["<RE>"]),
    ("show version | match a b", 23, "b", []),
    ("show version | last 0", 20, "0", ["<N>"]),
    ("show version | save /etc/passwd", 20, "/etc/passwd", ["<FILE>"]),
    ("show version | save ../x", 20, "../x", ["<FILE>"]),
    ("show version | save x | json", 24, "json", []),
    ("show version | count | match x", 23, "match", []),
    (r"show version | match (a)\1", 21, r"(a)\1", ["<RE>"]),
    ("show version | match ((a{9}){1,99}){2,}", 21, "((a{9}){1,99}){2,}", ["<RE>"]),      # memory
    ("| json", 0, "|", []),
    ('show span "e1', 10, "e1", []),
    ("show span e1 all\x1b[2J", 16, "", []),
    ("wait 0", 5, "0", ["<TIME>"]), ("wait 1y", 5, "1y", ["<TIME>"]),
    ("monitor calls | last 3", 16, "last", []), ("monitor calls | count", 16, "count", []),
])
def test_what_is_wrong_and_where(line: str, column: int, word: str, fits: list[str]) -> None:
    role = Role.WATCH if line == "co" else Role.ADMIN
    found = wrong(line, role)
    assert (found.at, found.word) == (column, word)
    assert [one.word for one in found.fits][:len(fits)] == fits
    assert found.text.en and found.text.zh


def test_a_short_word_that_may_be_several_is_told_with_all_of_them() -> None:
    table = Table([command("show agents"), command("show alarms"), command("show all")])
    found = parse("show a", table, Role.WATCH)
    assert isinstance(found, BadLine)
    assert [one.word for one in found.fits] == ["agents", "alarms", "all"]
    assert isinstance(parse("show all", table, Role.WATCH), Parsed)  # written in full
    assert isinstance(parse("show ag", table, Role.WATCH), Parsed)


@pytest.mark.parametrize("line", ["", "   ", "# a note", "#"])
def test_nothing_to_do(line: str) -> None:
    assert parse(line, TABLE, Role.WATCH) is None


def test_another_role() -> None:
    assert wrong("clear c1", Role.WATCH).status == 77
    assert "operate" in wrong("clear c1", Role.WATCH).text.en
    assert wrong("show version | save x", Role.WATCH).status == 77
    assert parsed("show version | save x", Role.OPERATE).pipes[0].value == "x"


def test_configure_has_its_own_commands_and_run_gives_those_of_outside() -> None:
    assert wrong("set web.port 80").at == 0
    assert parsed('set web.name "two  words" # not a note', mode="configure").values == {
        "key": "web.name", "value": '"two  words" # not a note'}     # YAML reads it
    assert wrong("show spans", mode="configure").at == 0
    assert parsed("run sh sp", mode="configure").command.words == "show spans"


def test_pipes() -> None:
    found = parsed('sh sp | m "a|b" | e x | la 3 | js | sa file-1.json')
    assert [(one.word, one.value) for one in found.pipes] == [
        ("match", "a|b"), ("except", "x"), ("last", 3), ("json", None), ("save", "file-1.json")]
    assert found.spelled == 'show spans | match "a|b" | except x | last 3 | json | save file-1.json'
    assert [one.word for one in parsed("show spans --json").pipes] == ["json"]
    assert [one.word for one in parsed("show spans|count|json").pipes] == ["count", "json"]


def test_limits() -> None:
    assert wrong("x" * (MOST_CHARACTERS + 1)).at == MOST_CHARACTERS
    assert "words" in wrong("a " * (MOST_WORDS + 1)).text.en
    assert wrong(f"show span {'e' * 300}").at == 10


def test_counts_in_a_pattern() -> None:
    assert parsed("show version | match a{1,30}(b{3}){10}").pipes[0].value == "a{1,30}(b{3}){10}"


@pytest.mark.parametrize("word", ["", "a b", 'a"b', "\\", "a|b", "中 文", "plain"])
def test_a_quoted_word_is_read_back(word: str) -> None:
    assert parsed(f"clear x because {quote(word) if word else 'y'}").values["why"] == (word or "y")


def test_the_mark_stands_under_the_word_of_either_width() -> None:
    line = "show span 中文 by 周"
    text = explained(line, wrong(line), "zh")
    assert text.splitlines()[1] == " " * (len("show span  by ") + 4) + "^"
    assert "days, quarters" in text
    assert explained("show\tx", wrong("show\tx"), "en").splitlines()[:2] == ["show\\x09x", " " * 8 + "^"]
