"""A person at a real terminal: OpenSSH's ssh under pexpect, against a console in this process."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    CommitDocument,
    DocumentCandidate,
    DocumentReply,
    DocumentState,
    GetDocument,
    Reply,
    Request,
)
from appliance.store.audit import Asked
from tests.box.ssh.rig import PATIENCE_S, Answer, Rig, console_at

PROMPT = "branch-12# "


class Person:
    """What he types, and what he sees of it; pexpect waits in a thread, so that the console can answer."""

    def __init__(self, child: "pexpect.spawn[str]") -> None:
        self.child = child

    async def sees(self, *patterns: str) -> str:
        """The first of them that comes; all that was shown until then."""
        wanted: Any = [re.escape(one) for one in patterns]
        await asyncio.to_thread(lambda: self.child.expect(wanted, PATIENCE_S))
        before, after = self.child.before, self.child.after
        assert isinstance(before, str) and isinstance(after, str)
        return before + after

    async def sees_the_end(self) -> int:
        await asyncio.to_thread(lambda: self.child.expect(pexpect.EOF, PATIENCE_S))
        await asyncio.to_thread(self.child.close)
        return self.child.exitstatus if self.child.exitstatus is not None else -1

    def types(self, text: str) -> None:
        self.child.send(text)


@contextlib.asynccontextmanager
async def person_at(rig: Rig, *words: str, name: str = "root", size: tuple[int, int] = (24, 80)
                    ) -> AsyncIterator[Person]:
    child = pexpect.spawn(rig.spelled(*words, name=name), encoding="utf-8", dimensions=size, echo=False,
                          timeout=PATIENCE_S, env={"TERM": "xterm", "PATH": "/usr/bin:/bin", "HOME": "/"})
    try:
        yield Person(child)
    finally:
        await asyncio.to_thread(child.close, True)


async def test_lines_are_completed_helped_and_done(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig) as person:
        seen = await person.sees(PROMPT)
        assert "? shows what fits" in seen
        person.types("sho\tsess\t\r")
        seen = await person.sees(f"\r\n{PROMPT}")
        assert "show sessions" in seen and "ssh 127.0.0.1" in seen
        person.types("show c?")
        seen = await person.sees("show c")
        seen = await person.sees(f"{PROMPT}show c")
        assert "calls" in seen and "certificates" in seen
        person.types("zzz\r")
        assert "does not fit" in await person.sees(f"\r\n{PROMPT}")
        person.types("exit\r")
        assert await person.sees_the_end() == 0
        assert rig.box.sessions == []


async def test_history_ctrl_c_and_ctrl_d(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig) as person:
        await person.sees(PROMPT)
        person.types("show saved\r")
        await person.sees(f"\r\n{PROMPT}")
        person.types("garbage\x03")
        await person.sees(PROMPT)
        person.types("\x1b[A")
        await person.sees("show saved")
        person.types("\x15\x04")
        assert await person.sees_the_end() == 0


async def test_long_output_is_paged_and_quit(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig, size=(12, 100)) as person:
        await person.sees(PROMPT)
        person.types("help\r")
        await person.sees("-- more")
        person.types(" ")
        await person.sees("-- more")
        person.types("/show sessions\r")
        await person.sees("show sessions ")
        person.types("q")
        await person.sees(PROMPT)


async def test_a_live_command_ends_by_ctrl_c_and_the_session_goes_on(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig) as person:
        rig.no_spans()
        await person.sees(PROMPT)
        person.types("monitor spans\r")
        await person.sees("\x1b[2J")              # its first screen
        person.types("\x03")
        await person.sees("^C\r\n" + PROMPT)
        person.types("show saved\r")
        await person.sees(f"\r\n{PROMPT}")


async def test_chinese_is_typed_corrected_and_shown(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        rig.takes_person("root", language="zh")
        async with person_at(rig) as person:
            assert "显示可用的词" in await person.sees(PROMPT)
            person.types("show 呼叫中x\x7f\x7f\r")
            seen = await person.sees(f"\r\n{PROMPT}")
            assert "show 呼叫" in seen and "不" in seen


async def test_a_terminal_that_is_resized_gets_the_line_again(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig, size=(24, 80)) as person:
        await person.sees(PROMPT)
        person.types("show ses")
        await person.sees("show ses")
        person.child.setwinsize(30, 40)
        await person.sees(f"{PROMPT}show ses")
        assert (rig.box.sessions[0].width, rig.box.sessions[0].height) == (40, 30)


async def test_who_types_nothing_is_signed_out(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        rig.takes(idle_s=0.3)
        async with person_at(rig) as person:
            await person.sees("signed out: nobody typed for too long")
            await person.sees_the_end()


async def gone(rig: Rig) -> None:
    """Until nobody is inside any more."""
    over, session = asyncio.Event(), rig.box.sessions[:1]

    async def closed() -> None:
        over.set()
    if session:
        session[0].closing.append(closed)
        await asyncio.wait_for(over.wait(), PATIENCE_S)


def with_a_candidate(committed: list[object]) -> dict[type[Request[Any]], Answer]:
    """boxd's document, with something to commit."""
    state = DocumentState(at=0.0, candidate=DocumentCandidate(by="root", base=1, at=0.0, sha256=""))

    def commit(request: object) -> Reply:
        committed.append(request)
        raise Refused("nobody said why")
    return {GetDocument: lambda _: DocumentReply(state=state, version=None, text=""), CommitDocument: commit}


@pytest.mark.parametrize("whole", [True, False])
async def test_who_does_not_answer_what_a_command_asks_is_signed_out_and_nothing_is_changed(
        tmp_path: Path, caplog: pytest.LogCaptureFixture, whole: bool) -> None:
    committed: list[object] = []
    async with console_at(tmp_path, own=with_a_candidate(committed)) as rig:
        rig.takes(idle_s=0.3)
        async with person_at(rig, *([] if whole else ["configure commit"])) as person:
            if whole:
                await person.sees(PROMPT)
                person.types("configure commit\r")
            await person.sees("why (it is kept):")
            seen = await person.sees("signed out: nobody typed for too long")
            assert "fault" not in seen
            assert await person.sees_the_end() == (0 if whole else 129)
        await gone(rig)
        [entry] = [one for one in rig.audit.entries(Asked(), 100) if one.what == "configure commit"]
        assert entry.outcome == "cut short"
    assert not committed
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


async def test_who_hangs_up_on_what_a_command_asks_has_changed_nothing(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    committed: list[object] = []
    async with console_at(tmp_path, own=with_a_candidate(committed)) as rig:
        async with person_at(rig) as person:
            await person.sees(PROMPT)
            person.types("configure commit\r")
            await person.sees("why (it is kept):")
        await gone(rig)
    assert not committed
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


async def test_who_is_taken_out_of_the_configuration_is_hung_up_on(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig) as person:
        await person.sees(PROMPT)
        rig.takes(people=rig.console.config.people[1:])
        await person.sees_the_end()
        assert rig.box.sessions == []


async def test_one_command_at_a_terminal(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, person_at(rig, "show sessions") as person:
        await person.sees("ssh 127.0.0.1")
        assert await person.sees_the_end() == 0


@pytest.mark.parametrize("typed", [
    "\x1b[A" * 50, "中" * 1500 + "\r", "\x00\x01\x1b[\x1b\x1b[99999;9~", "\"\\\t?\r" * 20])
async def test_whatever_is_typed_the_console_goes_on(tmp_path: Path, typed: str) -> None:
    async with console_at(tmp_path) as rig, person_at(rig) as person:
        await person.sees(PROMPT)
        for begin in range(0, len(typed), 200):
            person.types(typed[begin:begin + 200])
        person.types("\x03\x03show sessions\r")
        await person.sees("ssh 127.0.0.1")
