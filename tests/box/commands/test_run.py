"""One line from its words to its output: pipes, JSON, files, exit statuses, commands that go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from appliance.box.commands.box import Box
from appliance.box.commands.kinds import Word
from appliance.box.commands.run import ADMINS, MOST_SAVED, Screen, Wrong, run_line, save
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    File,
    Language,
    Lines,
    Role,
    Said,
    Session,
    Table,
    Text,
    Who,
    column,
    same,
)
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import Heartbeat
from tests.box.commands.acting import Bus as FakeBus
from tests.box.commands.acting import box, nobody


class Row(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, column("name", "名称")]
    n: Annotated[int, column("number", "数目")]


class Rows(Answer, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态")] = "Up and well"
    rows: list[Row]


ROWS = Rows(rows=[Row(name="Alpha", n=1), Row(name="beta", n=20), Row(name="gamma ray", n=3)])


async def rows(asked: Asked) -> Rows:
    return ROWS


async def text(asked: Asked) -> Lines:
    return Lines(lines=["a: 1", "b: 2", "ab: 3"])


async def file(asked: Asked) -> File:
    return File(name="x.pcap", octets=b"\x00\xff\n")


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态", words="channel")]


class States(Answer, frozen=True, kw_only=True):
    rows: list[StateRow]


async def states(asked: Asked) -> States:
    return States(rows=[StateRow(state="idle"), StateRow(state="busy")])


async def said(asked: Asked) -> Said:
    return Said(said="in order\nport 80 is open")


async def silent(asked: Asked) -> Said:
    return Said(said="")


async def fails(asked: Asked) -> Rows:
    raise {"refused": Refused("spand says no"), "away": BusError("spand is not there"),
           "io": OSError("no disk"),
           "no": CommandError(Text("no", "不"), Text("try x", "试试 x")), "late": TimeoutError(),
           "bug": RuntimeError("secret")}[asked.values["how"]]


async def slow(asked: Asked) -> Rows:
    await asyncio.Event().wait()
    return ROWS


closed: list[bool] = []


async def live(asked: Asked) -> AsyncIterator[Answer]:
    async with asked.box.hearing() as events:
        closed.append(False)
        try:
            yield ROWS
            while True:
                event = await events.get()
                yield Lines(lines=[type(event).__name__])
        finally:
            closed[-1] = True


NONE = Text("", "")
TABLE = Table([
    Command("rows", Role.WATCH, NONE, rows, Rows), Command("text", Role.WATCH, NONE, text, Lines),
    Command("file", Role.WATCH, NONE, file, File), Command("states", Role.WATCH, NONE, states, States),
    Command("said", Role.WATCH, NONE, said, Said), Command("silent", Role.WATCH, NONE, silent, Said),
    Command("fails", Role.WATCH, NONE, fails, Rows, (Argument("how", Word(), NONE),)),
    Command("slow", Role.WATCH, NONE, slow, Rows, within_s=0.01),
    Command("admin", Role.ADMIN, NONE, rows, Rows),
    Command("live", Role.WATCH, NONE, live, Lines, live=True, screen=True)])


@pytest.fixture
def made(tmp_path: Path) -> Box:
    return box(tmp_path, FakeBus(nobody))


def session(role: Role = Role.OPERATE, language: Language = "en", width: int | None = None,
            door: Any = "exec") -> Session:
    return Session(Who("li", role, language, "test", door), width=width)


async def say(made: Box, line: str, by: Session | None = None) -> tuple[int, str, str]:
    """Status, output, what was wrong."""
    running = run_line(line, by or session(), made, TABLE, lambda: 1000.0)
    pieces = [one async for one in running]
    out = "".join(one if isinstance(one, str) else one.decode("latin-1") for one in pieces
                  if not isinstance(one, Wrong))
    return running.status, out, "".join(one for one in pieces if isinstance(one, Wrong))


@pytest.mark.parametrize(("line", "out"), [
    ("rows",
     "state:  Up and well\n\nname       number\nAlpha           1\nbeta           20\ngamma ray       3\n"),
    ("rows | match alpha", "name   number\nAlpha       1\n"),
    ("rows | match Beta", "none\n"),              # a great letter wants one
    ("rows | match up", "state:  Up and well\n\nnone\n"),
    ('rows | match "a$|  1$"', "name   number\nAlpha       1\n"),
    ("rows | except up | except a$ | match ray", "name       number\ngamma ray       3\n"),
    ("rows | last 1", "state:  Up and well\n\nname       number\ngamma ray       3\n"),
    ("rows | match a | last 2 | count", "rows:  2\n"),
    ("rows | count", "rows:  3\n"),
    ("rows | match nothing | count | json", '{"count":0}\n'),
    ("rows --json", '{"state":"Up and well","rows":[{"name":"Alpha","n":1},{"name":"beta","n":20},'
                    '{"name":"gamma ray","n":3}]}\n'),
    ("rows | match 20 | json", '{"state":"Up and well","rows":[{"name":"beta","n":20}]}\n'),
    ("text", "a: 1\nb: 2\nab: 3\n"),
    ("text | match ^a", "a: 1\nab: 3\n"),
    ("text | except b | json", '{"lines":["a: 1"]}\n'),
    ("text | match nowhere", ""),
    ("text | count", "rows:  3\n"),
    ("file", "\x00\xff\n"),
    ("file | json", '{"name":"x.pcap","octets":"AP8K"}\n'),
    ("", ""),
    ("# a note", ""),
])
async def test_output(made: Box, line: str, out: str) -> None:
    assert await say(made, line) == (0, out, "")


@pytest.mark.parametrize(("line", "status", "wrong"), [
    ("rwos", 64, "rwos\n^\n'rwos' does not fit here\n"
                 "what fits: rows, fails, file, live, said, silent, slow, states, text\n"),
    ("admin", 77, "admin is for role admin"),
    ("fails refused", 1, "spand says no\n"),
    ("fails away", 69, "spand is not there\n"),
    ("fails io", 1, "no disk\n"),
    ("fails no", 1, "no\ntry x\n"),
    ("fails late", 69, "no answer in 30 s\n"),
    ("fails bug", 1, "its log says more"),
    ("slow", 69, "no answer in 0.01 s\n"),
    ("rows | match (", 64, "match '(': Unmatched ( or \\("),
    ("rows | match [[:alpha:]", 64, "match"),
])
async def test_what_is_wrong_has_a_status(made: Box, line: str, status: int, wrong: str,
                                          caplog: pytest.LogCaptureFixture) -> None:
    ended, out, said = await say(made, line)
    assert (ended, out) == (status, "")
    assert wrong in said, said
    assert "secret" not in said


async def test_a_fault_with_a_password_in_its_words_is_logged_without_them(
        made: Box, caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(asked: Asked) -> Rows:
        raise ValueError(f"cannot take {asked.values['how']}")
    table = Table([Command("set-password", Role.WATCH, NONE, breaks, Rows, (Argument("how", Word(), NONE),)),
                   Command("set", Role.WATCH, NONE, breaks, Rows, (Argument("how", Word(), NONE),))])
    for line in ("set-password hunter2", "set x"):
        running = run_line(line, session(), made, table)
        assert [one async for one in running] and running.status == 1
    assert "hunter2" not in caplog.text and "ValueError" in caplog.text and "breaks" in caplog.text
    assert "cannot take x" in caplog.text


async def test_a_pattern_finds_the_same_in_each_language(made: Box) -> None:
    for language in ("en", "zh"):
        by = session(language=language)
        assert await say(made, "states | match ^idle | json", by) == (0, '{"rows":[{"state":"idle"}]}\n', "")
        assert await say(made, "states | except idle | count", by) == (
            0, "rows:  1\n" if language == "en" else "行数:  1\n", "")
    assert await say(made, "states | match 空闲", session(language="zh")) == (0, "状态\n空闲\n", "")


async def test_a_sentence_keeps_its_lines(made: Box) -> None:
    assert await say(made, "said") == (0, "in order\nport 80 is open\n", "")
    assert await say(made, "said | json") == (0, '{"said":"in order\\nport 80 is open"}\n', "")
    assert await say(made, "silent") == (0, "", "")


async def test_a_file_goes_to_no_terminal_and_chinese_has_words(made: Box) -> None:
    by = session(language="zh", width=80, door="ssh")
    assert await say(made, "file", by) == (1, "", "这是一个 3 字节的文件\n| save x.pcap\n")
    assert await say(made, "rows | count", by) == (0, "行数:  3\n", "")
    assert (await say(made, "rows | json", by))[1].startswith('{\n  "state": "Up and well"')


async def test_saved_whole_once_and_not_beyond_the_limits(made: Box) -> None:
    assert await say(made, "rows | match beta | json | save a.json") == (0, "saved: a.json, 56 octets\n", "")
    assert json.loads((made.saved / "a.json").read_text())["rows"] == [{"name": "beta", "n": 20}]
    status, _, wrong = await say(made, "file | save a.json")
    assert (status, wrong) == (1, "there is a file a.json already\ndelete saved a.json\n")
    assert await say(made, "file | save x.pcap", session(width=80, door="ssh")) == (
        0, "saved: x.pcap, 3 octets\n", "")
    assert (made.saved / "x.pcap").read_bytes() == b"\x00\xff\n"
    assert (made.saved / "x.pcap").stat().st_mode & 0o777 == 0o600
    (made.saved / ".half").write_text("of a power cut")
    assert (await say(made, "admin | save .x", session(Role.ADMIN)))[0] == 64
    assert (await say(made, "admin | save secrets", session(Role.ADMIN)))[0] == 0
    assert (made.saved / "secrets").stat().st_mode & 0o777 == ADMINS
    assert not (made.saved / ".half").exists()
    (made.saved / "secrets").unlink()
    for number in range(MOST_SAVED - 2):
        (made.saved / f"f{number}").touch()
    assert (await say(made, "rows | save one-more"))[0] == 1
    assert sorted(one.name for one in made.saved.iterdir() if not one.name.startswith("f")) == [
        "a.json", "x.pcap"]


def test_a_disk_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path / "saved", "a", b"x")
    assert list((tmp_path / "saved").iterdir()) == []


async def test_a_pattern_that_would_take_for_ever_does_not_hold_the_box(made: Box) -> None:
    began = asyncio.get_running_loop().time()
    status, _, _ = await say(made, 'text | match "(a|a)*(a|aa)+(.*)*(.*)*x$"')
    assert status in (0, 64) and asyncio.get_running_loop().time() - began < 4


async def test_a_live_command_goes_on_until_it_is_cancelled(made: Box) -> None:
    by = session(width=80, door="ssh")
    pieces = aiter(run_line("live | match a", by, made, TABLE))
    first = await anext(pieces)
    assert isinstance(first, Screen) and "Alpha" in first
    assert by.line == "live | match a"
    made.hear(Heartbeat(daemon="spand", pid=1, started_at=0, at=0, rss_octets=0, cpu_s=0))
    assert await anext(pieces) == "Heartbeat\n"
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert closed[-1] and by.line == ""
    made.hear(Heartbeat(daemon="spand", pid=1, started_at=0, at=0, rss_octets=0, cpu_s=0))    # nobody hears


async def test_json_of_a_live_command_is_a_line_each(made: Box) -> None:
    pieces: Any = aiter(run_line("live | json", session(), made, TABLE))
    assert json.loads(await anext(pieces))["rows"][0]["name"] == "Alpha"
    await pieces.aclose()
    assert closed[-1]


def test_two_commands_of_the_same_words_are_refused() -> None:
    one = Command("rows", Role.WATCH, NONE, rows, Rows)
    with pytest.raises(ValueError, match="rows"):
        Table([one, Command("rows", Role.WATCH, same("x"), rows, Rows)])
    with pytest.raises(ValueError, match="flag"):
        Argument("x", None, NONE)
