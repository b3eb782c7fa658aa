"""configure over the real keeper, book and file; daemons and the clock are played."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.box.commands import acts_configure
from appliance.box.commands.box import Box
from appliance.box.commands.keys import keys_of, part_of
from appliance.box.commands.table import Role
from appliance.bus.messages import CommitDocument, DocumentMistake, GetDocument, Reply
from appliance.errors import ConfigError
from tests.box.commands.acting import Person
from tests.box.document.test_area import CHANGED, DOCUMENT, MINUTE, Rig, Unchecked, running

SECRET = "telemetry.token"


@contextlib.asynccontextmanager
async def at_the_box(folder: Path) -> AsyncIterator[tuple[Rig, Box]]:
    async with running(folder) as rig:
        yield rig, Box(rig.area._context, [rig.area])


async def test_a_change_from_configure_to_exit(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        li = Person(box)
        assert "version 1 is the document" in await li.does("configure")
        assert li.session.mode == "configure"
        assert "compare" in await li.does("set web.port 8081")
        assert "+web:" in await li.does("compare")
        assert "8081" in await li.does("show web.port") and "telco1" in await li.does("show")
        assert "in order" in await li.does("check")
        assert rig.file.read_text() == DOCUMENT
        assert "version 2 is the document: web.port" in await li.does("commit comment a new port")
        assert "port: 8081" in rig.file.read_text()
        assert "nothing is left open" in await li.does("exit") and li.session.mode == ""
        assert "confirm" not in await li.does("configure rollback 1")
        assert rig.file.read_text() == DOCUMENT


async def test_what_programs_give_is_a_line_each_and_its_answers_are_json(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        program = Person(box)
        (tmp_path / "saved").mkdir()
        (tmp_path / "saved" / "new.yaml").write_text(CHANGED)
        assert (await program.json("configure load new.yaml"))["base"] == 1
        found = await program.json("configure compare")
        assert [one["key"] for one in found["keys"]] == ["web.port"] and found["keys"][0]["new"] == "8081"
        done = await program.json("configure commit confirmed 1 comment fleet push 7")
        assert (done["version"], done["keys"], done["in_force"]) == (2, ["web.port"], True)
        assert done["until"] == 1000.0 + MINUTE
        assert "version 2 by li stays" in await program.does("confirm")
        rig.up_s += 10 * MINUTE
        assert "no version waits" in await program.does("confirm", status=1)
        assert rig.file.read_text() == CHANGED


@pytest.mark.parametrize("dies", ["while it waits for the next line", "in the middle of the commit"])
async def test_who_dies_after_commit_confirmed_has_changed_nothing_for_good(
        tmp_path: Path, dies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        begun, commit = asyncio.Event(), rig.area.answers[CommitDocument]

        async def begin(request: Any) -> Reply:
            begun.set()
            return await commit(request)
        answers: dict[Any, Any] = {**box._answers, CommitDocument: begin}
        monkeypatch.setattr(box, "_answers", answers)
        li = Person(box)
        await li.does("configure")
        await li.does("set web.port 8081")
        committing = asyncio.create_task(li.does("commit confirmed 5 comment away"))
        if dies == "in the middle of the commit":
            await begun.wait()
            committing.cancel()
            await asyncio.gather(committing, return_exceptions=True)
        else:
            await committing
        await rig.daemons.hear(lambda state: state.waiting == 2)
        assert "port: 8081" in rig.file.read_text()
        await li.session.close()                  # the connection is gone; nobody confirms
        rig.up_s += 5 * MINUTE
        rig.area._wake.set()                      # its timer, in a time that is only made up
        await rig.daemons.hear(lambda state: state.head and state.head.kind == "expired")
        assert rig.file.read_text() == DOCUMENT
        again = Person(box)
        assert "version 3 is the document" in await again.does("configure")
        assert "no version waits" in await again.does("confirm", status=1)


async def test_another_session_confirms_or_reverts_what_waits(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        li, wang = Person(box), Person(box, name="wang", language="zh")
        await li.does("configure set web.port 8081")
        assert "li 有候选配置" in await wang.does("configure")
        assert "li 已有基于版本 1 的候选配置" in await wang.does("set web.port 9000", status=1)
        await li.does("configure commit confirmed 5 comment mine")
        assert "等待确认" in await wang.does("run configure")
        assert "版本 2 正在等待确认" in await wang.does("rollback 1", status=1)
        assert "版本 3" in await wang.does("revert")
        assert rig.file.read_text() == DOCUMENT


async def test_nobody_confirms_another_persons_version_for_the_own_one(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        li, wang = Person(box), Person(box, name="wang")
        await li.does("configure set web.port 8081")
        await li.does("configure commit confirmed 1 comment mine")
        rig.up_s += MINUTE
        rig.area._wake.set()
        await rig.daemons.hear(lambda state: state.head and state.head.kind == "expired")
        await wang.does("configure set web.port 9000")
        await wang.does("configure commit confirmed 5 comment later")
        for word in ("confirm", "revert", "confirm 2"):
            assert "version 2 does not wait to be confirmed, version 4 by wang is" in await li.does(word, 1)
        assert (await box.ask(GetDocument())).state.waiting == 4
        assert "version 4 by wang stays" in await li.does("confirm 4")


async def test_a_value_is_yaml_as_it_was_typed(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (_, box):
        li = Person(box)
        await li.does('configure set trunks.telco.emergency ["119", \'120\']')
        assert await li.does("configure show trunks.telco.emergency") == "- '119'\n- '120'\n"
        await li.does('configure set media.country "no"')
        assert "'no'" in await li.does("configure show media.country")


async def test_a_secret_that_differs_is_said_and_not_shown(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with at_the_box(tmp_path) as (_, box):
        li = Person(box)
        await li.does('configure set telemetry {url: "https://influx.example", token: hunter2}')
        await li.does("configure commit comment one")
        await li.does(f"configure set {SECRET} hunter3")
        said = await li.does("configure compare")
        assert f"# {SECRET}: changed, and not shown" in said and "hunter" not in said
        assert "hunter" not in caplog.text and "with its secrets" not in caplog.text
        assert "token: hunter3" in await li.does("configure compare secrets")
        assert "li reads the configuration with its secrets" in caplog.text


async def test_warnings_of_a_check_are_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def warned(self: Unchecked, text: str) -> tuple[list[DocumentMistake], list[str]]:
        return [], ["110 is an extension, too", "119 is one, too"]
    monkeypatch.setattr(Unchecked, "check", warned)
    async with at_the_box(tmp_path) as (_, box):
        li = Person(box)
        await li.does("configure set web.port 8081")
        assert "\n110 is an extension, too\n119 is one, too\n" in await li.does("configure check")


async def test_what_is_wrong_is_said_and_changes_nothing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_box(tmp_path) as (rig, box):
        li = Person(box)
        await li.does("configure")
        assert "write keys like" in await li.does("set web..port 1", status=1)
        assert "no candidate" in await li.does("commit comment x", status=1)
        assert "/saved/none.yaml: No such file" in await li.does("load none.yaml", status=1)
        (tmp_path / "saved").mkdir()
        (tmp_path / "saved" / "out").symlink_to(rig.file)
        assert "/saved/out: " in await li.does("load out", status=1)
        (tmp_path / "saved" / "large").write_bytes(b"#" * (512 * 1024 + 1))
        assert "larger than" in await li.does("load large", status=1)
        assert "would take the place of a secret" in await li.does("set web.port (not shown)", status=1)
        assert "nowhere.at: is not there" in await li.does("show nowhere.at", status=1)
        await li.does("set web.port 8081")
        assert "needs a comment" in await li.does("commit", status=1)
        assert "from 10 s to 24 h" in await li.does("commit confirmed 0.1 comment x", status=1)

        async def mistaken(self: Unchecked, text: str) -> tuple[list[DocumentMistake], list[str]]:
            return [DocumentMistake(line=2, text="web.port: taken")], []
        monkeypatch.setattr(Unchecked, "check", mistaken)
        assert "line 2: web.port: taken" in await li.does("check", status=1)
        assert "line 2: web.port: taken" in await li.does("commit comment x", status=1)
        assert rig.file.read_text() == DOCUMENT
        assert "no candidate any more" in await li.does("discard")


async def test_a_person_is_asked_why_where_one_sits_there(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_box(tmp_path) as (_, box):
        li = Person(box)

        async def why(question: object, secret: bool) -> str:
            return "the port was taken"

        async def away(question: object, secret: bool) -> str:
            await asyncio.Event().wait()
            return ""
        await li.does("configure set web.port 8081")
        li.session.asking = away
        with monkeypatch.context() as patch:
            patch.setattr(acts_configure, "ASKING_S", 0.001)
            assert "needs a comment" in await li.does("configure commit", status=1)
        li.session.asking = why
        await li.does("configure commit")
        version = (await box.ask(GetDocument())).version
        assert version is not None and (version.number, version.comment) == (2, "the port was taken")


async def test_only_an_admin_changes_the_configuration(tmp_path: Path) -> None:
    async with at_the_box(tmp_path) as (_, box):
        for role in (Role.WATCH, Role.OPERATE):
            person = Person(box, role)
            for line in ("configure", "configure set web.port 1", "confirm", "revert", "reload"):
                await person.does(line, status=77)


def test_keys_of_a_document_are_those_in_it_and_those_it_may_have() -> None:
    found = keys_of("spans: [{name: telco1, url: x, side: user, trunk: t}]\nweb: {port: 1}\n")
    assert {"spans", "spans.telco1", "spans.telco1.url", "web.port", "media.country", "update.quiet.begins",
            "centre.queues"} <= set(found)
    with pytest.raises(ConfigError):
        keys_of("a: [")


@pytest.mark.parametrize(("key", "part"), [
    ("spans.telco1.url", "x"), ("spans[0].name", "telco1"), ("web", {"port": 1})])
def test_a_part_is_found_as_it_is_written(key: str, part: object) -> None:
    text = "spans: [{name: telco1, url: x}]\nweb: {port: 1}\n"
    assert part_of(text, key) == part
    with pytest.raises(ConfigError, match="is not there"):
        part_of(text, f"{key}.more")
