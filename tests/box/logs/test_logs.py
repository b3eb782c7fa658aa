"""The log: lines are read back from files and the journal, cleaned, found; nothing hidden is found."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box.logs import journal, lines
from appliance.box.logs.area import Logs
from appliance.box.logs.files import Files, _backwards
from appliance.box.logs.lines import Raw, TooLong, Wanted, find, level, line, shown
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import GetLogs, LogLines
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from appliance.launch import logbook
from appliance.launch.logbook import LogBook

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])


@pytest.mark.parametrize(("text", "priority", "is_"), [
    ("INFO up", None, "info"), ("WARNING span telco: LOS", None, "warning"), ("ERROR x", None, "error"),
    ("CRITICAL x", None, "error"), ("DEBUG x", None, "debug"),
    ("Traceback (most recent call last):", None, "error"), ("ended; starts again in 0.2 s", None, "warning"),
    ("[7] 2026/03/02 10:00:00.0 [WRN] slow", None, "warning"),
    ("oops", 3, "error"), ("usb 1-1", 6, "info"), ("low", 4, "warning"), ("noise", 7, "debug")])
def test_how_bad_a_line_is(text: str, priority: int | None, is_: str) -> None:
    assert level(text, priority) == is_


def test_a_line_is_as_clean_as_in_a_bundle() -> None:
    text = shown("GET https://anna:s3cret@crm.example/c?token=abc for 13800138000\x1b[2J\u202e\n")
    assert "s3cret" not in text and "abc" not in text and "13800138" not in text and text.isprintable()
    assert "xxxxxxxx000" in text and "\\x1b" in text


@pytest.mark.parametrize("text", [
    "INFO " + "x" * 1970 + " http://anna:s3cret-that-was-cut"[:2000 - 1975],
    "INFO " + "x" * 1970 + " https://anna:s3cret@crm.example",
    "http://a@b " * 300 + "http://anna:s3cret" + "x" * 900 + "@crm.example"])
def test_a_line_that_is_cut_shows_no_secret(text: str) -> None:
    for cut in (text, text[:2000], text[:4000]):
        assert "s3cr" not in shown(cut) and "anna" not in shown(cut)
    assert shown("WARNING GET http://crm.example") == "WARNING GET http://crm.example"


@given(st.text(max_size=3000))
def test_any_text_is_one_line_that_no_screen_obeys(text: str) -> None:
    assert shown(text).isprintable()


def test_nobody_finds_what_is_not_shown() -> None:
    raws = [Raw(1.0, "acdd", "INFO call of 13800138000", "1.000000")]
    assert not find(raws, Wanted(text="13800138000"), 10, 10, 1000).lines
    assert find(raws, Wanted(text="CALL OF"), 10, 10, 1000).lines


def test_a_search_ends_and_says_where() -> None:
    def raws() -> Iterator[Raw]:
        for number in range(100, 0, -1):
            yield Raw(float(number), "acdd", f"INFO {number}", f"{number}.000000")
        raise TooLong("late")
    found = find(raws(), Wanted(), 7, 1000, 10 ** 6)
    assert (len(found.lines), found.place, found.newest, found.ended) == (7, "94.000000", "100.000000", False)
    assert find(raws(), Wanted(text="nothing"), 7, 20, 10 ** 6).place == "81.000000"
    assert find(raws(), Wanted(), 1000, 1000, 500).ended is False
    # Late, and what was found until then is good.
    assert len(find(raws(), Wanted(), 1000, 1000, 10 ** 6).lines) == 100
    assert [one.at for one in find(raws(), Wanted(since=50, until=53), 9, 999, 10 ** 6).lines] == [52, 51, 50]


def test_only_what_may_be_wanted_is_made_fit_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def seen(text: str) -> str:
        made.append(text)
        return text
    monkeypatch.setattr(lines, "shown", seen)
    raws = [Raw(float(number), "acdd" if number % 2 else "spand", f"{word} {number}", f"{number}.000000")
            for number, word in enumerate(["INFO", "INFO", "ERROR", "ERROR"] * 5, 1)]
    found = find(raws, Wanted(frozenset({"acdd"}), "error", "19", since=5), 10, 100, 10 ** 6)
    assert [one.text for one in found.lines] == ["ERROR 19"] and len(made) == 4


def test_a_search_that_takes_too_long_says_how_far_it_came() -> None:
    asked = iter([False, False, True])
    raws = [Raw(float(number), "acdd", f"INFO {number}", f"{number}.000000") for number in range(9, 0, -1)]
    found = find(raws, Wanted(text="INFO 1"), 10, 100, 10 ** 6, lambda: next(asked))
    assert (found.lines, found.place, found.newest, found.ended) == ([], "7.000000", "9.000000", False)


@given(st.lists(st.binary(max_size=50).map(lambda octets: octets.replace(b"\n", b""))), st.binary(max_size=9))
def test_a_file_is_read_backwards_whatever_is_in_it(lines: list[bytes], cut: bytes) -> None:
    cut = cut.replace(b"\n", b"")
    path = Path("/dev/shm") / f"branchline-test-{os.getpid()}.log"
    path.write_bytes(b"".join(one + b"\n" for one in lines) + cut)
    try:
        with path.open("rb") as file:
            assert [one for one in _backwards(file) if one] == [one for one in reversed(lines) if one]
    finally:
        path.unlink()


def test_what_the_launcher_keeps_is_found_over_all_its_files(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "MOST_OCTETS", 2000)
    book, files = LogBook(tmp_path), Files(tmp_path)
    for number in range(300):
        book.say("spand" if number % 3 else "bus", f"INFO line {number} %s %d\tx\x07\n")
    book.close()
    assert files.there() and len(list(tmp_path.glob("logs/*"))) == logbook.FILES + 1
    found = list(files.newest_first("", "", 0, 0, frozenset()))
    numbers = [int(one.text.split()[2]) for one in found]
    assert numbers == list(range(299, numbers[-1] - 1, -1)) and len(numbers) > 100
    assert "\x07" not in found[0].text and found[0].text.rstrip().endswith("%s %d x")
    again = list(files.newest_first(found[9].place, "", 0, 0, frozenset()))
    assert again[0].place == found[10].place     # the next page begins where this one ends
    assert [one.place for one in files.newest_first("", found[3].place, 0, 0, frozenset())] == [
        one.place for one in found[:3]]
    assert abs(files.since() - found[-1].at) < 1e-5 and time.time() - found[0].at < 60


def test_no_line_is_found_twice_while_the_files_turn(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "MOST_OCTETS", 2000)
    book = LogBook(tmp_path)
    for number in range(120):
        book.say("spand", f"INFO line {number}")
    book.close()
    whole = [one.place for one in Files(tmp_path).newest_first("", "", 0, 0, frozenset())]
    reading = Files(tmp_path).newest_first("", "", 0, 0, frozenset())
    found = [next(reading).place]
    logs = tmp_path / "logs"
    for number in range(logbook.FILES - 1, -1, -1):
        path = logs / (f"programs.log.{number}" if number else "programs.log")
        if path.exists():
            path.rename(logs / f"programs.log.{number + 1}")
    (logs / "programs.log").write_text("")
    found += [one.place for one in reading]
    assert found == whole and len(whole) == 120


def test_a_file_with_octets_of_others_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/programs.log").write_bytes(
        b"\xff\xfe\x00\n1.000000\tspand\tINFO \xff\x1b[31m\n2.0\tx\ty\n9.000000\t../../x\ty\n"
        + b"z" * 300_000)
    (found,) = Files(tmp_path).newest_first("", "", 0, 0, frozenset())
    assert line(found).text == "INFO \ufffd\\x1b[31m"


def entry(**fields: object) -> bytes:
    return json.dumps({"__REALTIME_TIMESTAMP": "1900000000000000", "__CURSOR": "s=1;i=2", "PRIORITY": "6",
                       "_TRANSPORT": "stdout", "_SYSTEMD_UNIT": "branchline-spand.service",
                       "MESSAGE": "INFO up"} | fields).encode()


def test_entries_of_the_journal() -> None:
    found = journal.entry(entry())
    assert found == Raw(1.9e9, "spand", "INFO up", "s=1;i=2", None)
    found = journal.entry(entry(
        _TRANSPORT="kernel", _SYSTEMD_UNIT="", PRIORITY="3", MESSAGE=[79, 27, 300, "x"]))
    assert found is not None and (found.program, found.priority, found.text[:2]) == ("kernel", 3, "O\x1b")
    found = journal.entry(entry(UNIT="branchline-acdd.service", _SYSTEMD_UNIT="init.scope", PRIORITY="4"))
    assert found is not None and (found.program, found.priority) == ("acdd", 4)
    for bad in (b"", b"[]", b"null", b"{", entry(__CURSOR="; rm"), entry(_SYSTEMD_UNIT="sshd.service"),
                entry(__REALTIME_TIMESTAMP="x")):
        assert journal.entry(bad) is None


def test_journalctl_is_asked_by_program_place_and_time(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "asked"
    tool = tmp_path / "journalctl"
    tool.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {said}\ncat <<'END'\n{entry().decode()}\n"
                    f"{entry(__CURSOR='s=0').decode()}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = list(journal.Journal().newest_first("s=9", "s=0", 5.5, 0, frozenset({"spand", "kernel"})))
    assert [one.place for one in found] == ["s=1;i=2"]               # and nothing that was seen before
    asked = said.read_text().split("\n")
    assert "--after-cursor=s=9" in asked and "_TRANSPORT=kernel" in asked
    assert not any(word.startswith(("--since", "--until")) for word in asked)  # journalctl takes but one
    assert "_SYSTEMD_UNIT=branchline-spand.service" in asked
    assert "_SYSTEMD_UNIT=branchline-acdd.service" not in asked
    list(journal.Journal().newest_first("", "s=0", 5.5, 7.5, frozenset()))
    asked = said.read_text().split("\n")
    assert "--since=@5" in asked and "--until=@8" in asked and "--after-cursor=" not in "".join(asked)
    tool.write_text("#!/bin/sh\necho 'No journal files were opened' >&2\nexit 1\n")
    with pytest.raises(Exception, match="No journal files were opened"):
        list(journal.Journal().newest_first("", "", 0, 0, frozenset()))
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(journal, "WITHIN_S", 0.2)
    with pytest.raises(TooLong):
        list(journal.Journal().newest_first("", "", 0, 0, frozenset()))


async def test_boxd_answers_and_refuses_what_cannot_be(bus_server: Path, tmp_path: Path) -> None:
    book = LogBook(tmp_path)
    for text in ("INFO up", "WARNING span telco: LOS failure"):
        book.say("spand", text)
    book.close()
    bus = await Bus.connect(bus_server, "boxd")
    area = Logs(Context("boxd", CONFIG, tmp_path, bus_server, bus, asyncio.Event()))
    ask = area.answers[GetLogs]
    found = await ask(GetLogs(level="warning"))
    assert isinstance(found, LogLines) and found.source == "files" and "trunkd" in found.programs
    assert [(one.program, one.text) for one in found.lines] == [("spand", "WARNING span telco: LOS failure")]
    for wrong in (GetLogs(most=0), GetLogs(most=10 ** 9), GetLogs(text="x" * 999), GetLogs(before="../x"),
                  GetLogs(after="'"), GetLogs(since=-1.0), GetLogs(until=1e300), GetLogs(since=float("nan")),
                  GetLogs(programs=["x"] * 99), GetLogs(level="loud")):              # type: ignore[arg-type]
        with pytest.raises(Refused):
            await ask(wrong)
    await bus.close()
