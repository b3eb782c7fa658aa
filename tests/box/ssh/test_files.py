"""Files by SFTP: OpenSSH's sftp and asyncssh's, and paths that nobody should send."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box.commands.run import save
from appliance.box.ssh import server
from appliance.box.ssh.files.server import MOST_OPEN
from appliance.box.ssh.files.tree import NotThere, names_of, path_of
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CheckDocument,
    DocumentCandidate,
    DocumentChecked,
    DocumentHistory,
    DocumentMistake,
    DocumentReply,
    DocumentState,
    DocumentVersion,
    EditDocument,
    GetDocument,
    GetDocumentHistory,
    GetPromptAudio,
    GetPrompts,
    OpenRecording,
    PromptAudio,
    PromptInfo,
    PromptList,
    ReadRecording,
    RecordingInfo,
    RecordingOpened,
    RecordingPart,
    RecordingRow,
    RecordingsFound,
    SearchRecordings,
)
from appliance.recording import wav
from appliance.store.audit import Asked
from tests.box.ssh.rig import Rig, console_at

HEAD = "spans: []  # 第一\n"
SOUND = bytes(range(256)) * 3000                  # several requests long
RECORDED = SOUND[:wav.HEAD_OCTETS + 10 * wav.TICKS_PER_S * wav.TICK_OCTETS]


class Document:
    """Versions as boxd has them."""

    def __init__(self) -> None:
        self.candidate: str | None = None
        self.base = 7
        self.edits: list[EditDocument] = []
        self.mistakes: list[DocumentMistake] = []
        self.asked: list[GetDocument] = []

    def state(self) -> DocumentState:
        head = DocumentVersion(number=7, at=1_900_000_000.0, by="li", comment="", kind="commit")
        made = None if self.candidate is None else DocumentCandidate(
            by="root", base=self.base, at=1.9e9, sha256="")
        return DocumentState(at=0.0, head=head, candidate=made)

    def get(self, request: GetDocument) -> DocumentReply:
        self.asked.append(request)
        if request.number not in (0, 6, 7):
            raise Refused("there is none")
        text = (self.candidate or "") if request.candidate else HEAD
        return DocumentReply(state=self.state(), version=None, text=text)

    def edit(self, request: EditDocument) -> DocumentReply:
        self.edits.append(request)
        self.candidate = request.text
        return DocumentReply(state=self.state(), version=None, text=request.text)

    def answers(self) -> dict[Any, Any]:
        return {
            GetDocument: self.get, EditDocument: self.edit,
            GetDocumentHistory: lambda _: DocumentHistory(state=self.state(), older=False, versions=[
                DocumentVersion(number=n, at=1.0, by="", comment="", kind="commit") for n in (7, 6)]),
            CheckDocument: lambda _: DocumentChecked(mistakes=self.mistakes, warnings=["old"], refusals=[])}


ROW = RecordingRow(recording="abc-1", began_at=1_900_000_000.0, ended_at=1_900_000_010.0, duration_s=10.0,
                   gap_s=0.0, format="opus", file_octets=9, state="kept")


def recordings(rig: Rig) -> None:
    def search(request: SearchRecordings) -> RecordingsFound:
        fits = (request.since or 0) <= ROW.began_at < (request.until or 4e9)
        return RecordingsFound(rows=[ROW] if fits else [], after=0, total=1, since=0.0, until=0.0)

    def opened(request: OpenRecording) -> RecordingOpened:
        if request.recording != "abc-1":
            raise Refused("unknown")
        return RecordingOpened(ticket="t", media_type="audio/wav", octets=len(RECORDED),
                               info=RecordingInfo(recording="abc-1"))
    rig.bus.replies |= {
        GetPrompts: lambda _: PromptList(needed={}, prompts=[PromptInfo(
            name=name, length_ms=1, level_dbm0=0.0, octets=len(SOUND), made="text")
            for name in ("en/greeting", "zh/numbers/1")]),
        GetPromptAudio: lambda one: PromptAudio(octets=SOUND[one.at:one.at + one.most_octets], sha256="",
                                                total=len(SOUND)),
        SearchRecordings: search, OpenRecording: opened,
        ReadRecording: lambda one: RecordingPart(octets=RECORDED[one.at:one.at + one.most_octets])}


@contextlib.asynccontextmanager
async def files_at(rig: Rig, name: str = "root") -> AsyncIterator[asyncssh.SFTPClient]:
    async with rig.asyncssh(name) as connection:
        async with connection.start_sftp_client() as files:
            yield files


async def test_openssh_fetches_and_puts(tmp_path: Path) -> None:
    document = Document()
    async with console_at(tmp_path, document.answers()) as rig:
        recordings(rig)
        rig.box.saved.mkdir()
        (rig.box.saved / "trace").write_bytes(SOUND)
        new = tmp_path / "new.yaml"
        new.write_text("spans: [1]\n")
        status, out, wrong = await rig.sftp(
            f"ls -l /\nls /configuration\nget /configuration/branchline.yaml {tmp_path}/got\n"
            f"get /configuration/versions/6.yaml {tmp_path}/six\n"
            f"get /prompts/en/greeting.wav {tmp_path}/g.wav\nls /prompts/zh/numbers\n"
            f"get /saved/trace {tmp_path}/trace\nrm /saved/trace\nls /saved\n"
            f"put {new} /configuration/candidate.yaml\nget /configuration/check.txt {tmp_path}/check\n")
        assert status == 0, wrong
        assert (tmp_path / "got").read_text() == (tmp_path / "six").read_text() == HEAD
        assert (tmp_path / "g.wav").read_bytes() == (tmp_path / "trace").read_bytes() == SOUND
        assert (tmp_path / "check").read_text() == "warning: old\n"
        assert "/prompts/zh/numbers/1.wav" in out and "recordings" not in out
        assert not (rig.box.saved / "trace").exists()
        [edit] = document.edits
        assert (edit.by, edit.text, edit.base) == ("root", "spans: [1]\n", 7)
        acts = [(one.act, one.what, one.outcome) for one in rig.audit.entries(Asked(), 99)[::-1]]
        assert ("put", "/configuration/candidate.yaml", "") in acts and ("remove", "/saved/trace", "") in acts


async def test_openssh_shows_why_a_put_was_not_taken(tmp_path: Path) -> None:
    """Its sftp says Failure alone; the reason comes beside it."""
    document = Document()
    document.mistakes = [DocumentMistake(3, "spans: \x1b[2Jno such key")]
    async with console_at(tmp_path, document.answers()) as rig:
        new = tmp_path / "new.yaml"
        new.write_text("spans: 1\n")
        _, _, wrong = await rig.sftp(f"put {new} /configuration/candidate.yaml\n")
        assert r"candidate, and wrong: line 3: spans: \x1b[2Jno such key" in wrong
        _, _, wrong = await rig.sftp(f"put {new} /configuration/other.yaml\n")
        assert "/configuration/other.yaml: put it as branchline.yaml or candidate.yaml" in wrong


async def test_what_is_wrong_with_a_put_is_said(tmp_path: Path) -> None:
    document = Document()
    document.mistakes = [DocumentMistake(3, "spans: no such key")]
    async with console_at(tmp_path, document.answers()) as rig, files_at(rig) as files:
        with pytest.raises(asyncssh.SFTPFailure, match="candidate, and wrong: line 3: spans: no such key"):
            async with files.open("/configuration/branchline.yaml", "w") as file:
                await file.write("spans: 1\n")
        with pytest.raises(asyncssh.SFTPFailure, match="UTF-8"):
            async with files.open("/configuration/candidate.yaml", "wb") as raw:
                await raw.write(b"\xff")
        with pytest.raises(asyncssh.SFTPFailure, match="larger than"):
            async with files.open("/configuration/candidate.yaml", "wb") as raw:
                await raw.write(b"x" * 600_000)
        with pytest.raises(asyncssh.SFTPFailure, match="larger than"):
            raw = await files.open("/configuration/candidate.yaml", "wb")
            await raw.write(b"x", offset=1 << 40)
        assert [one.text for one in document.edits] == ["spans: 1\n"]


async def test_a_put_that_is_cut_off_changes_nothing(tmp_path: Path) -> None:
    document = Document()
    async with console_at(tmp_path, document.answers()) as rig:
        connection = await rig.asyncssh()
        files = await connection.start_sftp_client()
        file = await files.open("/configuration/candidate.yaml", "w")
        await file.write("half of a ")
        connection.abort()
        await connection.wait_closed()
        assert (await rig.ssh("help"))[0] == 0
        assert document.edits == []


async def test_a_put_whose_channel_ends_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    """The connection lives on: it is the end of what is sent that cuts it off."""
    document = Document()
    async with console_at(tmp_path, document.answers()) as rig, rig.asyncssh() as connection:
        files = await connection.start_sftp_client()
        file = await files.open("/configuration/candidate.yaml", "w")
        await file.write("half of a ")
        files.exit()
        await files.wait_closed()
        assert (await connection.run("help")).exit_status == 0
        assert document.edits == [] and rig.box.sessions == []


async def test_a_candidate_is_put_back_as_made_from_what_it_was_made_from(tmp_path: Path) -> None:
    """Or a version that another person committed meanwhile would be lost."""
    document = Document()
    document.candidate, document.base = "mine", 6
    async with console_at(tmp_path, document.answers()) as rig, files_at(rig) as files:
        async with files.open("/configuration/candidate.yaml") as file:
            assert await file.read() == "mine"
        async with files.open("/configuration/candidate.yaml", "w") as file:
            await file.write("mine, edited")
        assert [(one.text, one.base) for one in document.edits] == [("mine, edited", 6)]


@pytest.mark.parametrize(("full", "most"), [("channel", 40), ("socket", 200)])
async def test_who_asks_and_takes_no_answer_is_answered_no_more(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str, most: int) -> None:
    """asyncssh keeps all that the other end does not take: answers wait for room, and not for ever."""
    monkeypatch.setattr(server, "STALLED_S", 3.0)
    async with console_at(tmp_path, Document().answers()) as rig, rig.asyncssh() as connection:
        recordings(rig)
        asked: list[GetPromptAudio] = []
        begun = asyncio.Event()

        def sound(request: GetPromptAudio) -> PromptAudio:
            asked.append(request)
            begun.set()
            return PromptAudio(octets=bytes(request.most_octets), sha256="", total=len(SOUND))
        rig.bus.replies[GetPromptAudio] = sound
        writer, reader, _ = await connection.open_session(
            subsystem="sftp", encoding=None, window=1 << 18 if full == "channel" else 1 << 30)

        def packet(kind: int, *parts: bytes) -> bytes:
            octets = bytes([kind]) + b"".join(parts)
            return len(octets).to_bytes(4, "big") + octets

        def string(octets: bytes) -> bytes:
            return len(octets).to_bytes(4, "big") + octets
        writer.write(packet(1, (3).to_bytes(4, "big")))
        writer.write(packet(3, bytes(4), string(b"/prompts/en/greeting.wav"), b"\0\0\0\1", bytes(4)))
        if full == "channel":
            reader.channel.pause_reading()        # so that its window is used up
        else:
            connection._transport.pause_reading()
        read = packet(5, bytes(4), string(bytes(4)), bytes(8), (1 << 18).to_bytes(4, "big"))
        writer.write(read * 2000)                 # for answers of 500 MB
        await asyncio.wait_for(begun.wait(), 10)
        before = -1
        while before != len(asked):               # no more are answered
            before = len(asked)
            assert (await rig.ssh("help"))[0] == 0
        assert 0 < before < most
        if full == "socket":
            async with asyncio.timeout(20):
                while rig.door.inside:
                    await rig.ssh("help")


async def test_each_role_sees_its_own(tmp_path: Path) -> None:
    document = Document()
    async with console_at(tmp_path, document.answers()) as rig:
        recordings(rig)
        async with files_at(rig, "walter") as files:
            assert sorted(await files.listdir("/")) == [".", "..", "prompts"]
            for path in ("/configuration/branchline.yaml", "/saved", "/recordings"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await files.stat(path)
        async with files_at(rig, "olga") as files:
            async with files.open("/configuration/branchline.yaml") as file:
                assert await file.read() == HEAD
            assert not document.asked[-1].secrets
            document.candidate = "x"
            assert "candidate.yaml" in await files.listdir("/configuration")
            assert "check.txt" not in await files.listdir("/configuration")
            with pytest.raises(asyncssh.SFTPNoSuchFile):           # mistakes quote what is wrong
                await files.open("/configuration/check.txt")
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="role admin"):
                await files.open("/configuration/candidate.yaml", "w")


async def test_recordings_are_for_who_may_and_are_taken_in_his_name(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        recordings(rig)
        rig.takes(people=[one.model_copy(update={"recordings": True}) for one in rig.console.config.people])
        async with files_at(rig, "walter") as files:
            [day] = [one for one in await files.listdir("/recordings") if one not in (".", "..")]
            names = [one for one in await files.listdir(f"/recordings/{day}") if one not in (".", "..")]
            assert names == ["abc-1.wav"]
            await files.get(f"/recordings/{day}/abc-1.wav", str(tmp_path / "taken"))
            assert (tmp_path / "taken").read_bytes() == RECORDED
            [opened] = [one for one in rig.bus.asked if isinstance(one, OpenRecording)]
            assert (opened.by, opened.purpose) == ("walter", "download")
            for path in ("abc-2.wav", "abc-1", "../abc-1.wav", ".wav"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await files.open(f"/recordings/{day}/{path}", "rb")


async def test_nothing_else_is_done(tmp_path: Path) -> None:
    async with console_at(tmp_path, Document().answers()) as rig, files_at(rig) as files:
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="whole"):
            await files.open("/configuration/branchline.yaml", asyncssh.FXF_WRITE | asyncssh.FXF_CREAT)
        for act in (files.mkdir("/x"), files.rmdir("/saved"), files.rename("/saved", "/x"),
                    files.posix_rename("/saved", "/x"), files.symlink("/etc/passwd", "/saved/x"),
                    files.link("/etc/passwd", "/saved/x"), files.statvfs("/"),
                    files.open("/saved/x", "w"), files.open("/configuration/branchline.yaml", "a"),
                    files.remove("/saved")):
            with pytest.raises(asyncssh.SFTPError):
                await act
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await files.readlink("/saved")
        held = [await files.open("/configuration/branchline.yaml") for _ in range(MOST_OPEN)]
        with pytest.raises(asyncssh.SFTPFailure, match="open already"):
            await files.open("/configuration/branchline.yaml")
        for one in held:
            await one.close()


@pytest.mark.parametrize("folder", [
    "/", "/configuration", "/configuration/versions", "/prompts", "/prompts/en", "/recordings",
    "/recordings/2030-03-17", "/saved", "/saved/support"])
async def test_a_folder_is_no_file(tmp_path: Path, folder: str) -> None:
    async with console_at(tmp_path, Document().answers()) as rig:
        recordings(rig)
        rig.takes_person("root", recordings=True)
        async with files_at(rig) as files:
            with pytest.raises((asyncssh.SFTPFailure, asyncssh.SFTPNoSuchFile)) as caught:
                await files.open(folder)
            assert "Uncaught" not in caught.value.reason


async def test_links_and_folders_in_saved_are_not_there(tmp_path: Path) -> None:
    async with console_at(tmp_path, Document().answers()) as rig:
        rig.box.saved.mkdir()
        (rig.box.saved / "link").symlink_to("/etc/passwd")
        (rig.box.saved / "folder").mkdir()
        (rig.box.saved / ".half.new").write_text("x")
        os.mkfifo(rig.box.saved / "pipe")
        (rig.box.saved / "real").write_text("x")
        async with files_at(rig) as files:
            assert sorted(await files.listdir("/saved")) == [".", "..", "real", "support"]
            for name in ("link", "folder", ".half.new", "pipe", "support/../link", "nothing"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await files.open(f"/saved/{name}")
                with pytest.raises(asyncssh.SFTPError):
                    await files.remove(f"/saved/{name}")
            assert (rig.box.saved / "link").is_symlink()


async def test_what_admins_saved_and_bundles_are_for_admins(tmp_path: Path) -> None:
    async with console_at(tmp_path, Document().answers()) as rig:
        save(rig.box.saved, "secrets", b"x", admins=True)
        save(rig.box.saved, "trace", b"x")
        bundles = rig.console.box.context.state_dir / "support" if rig.console.box else tmp_path
        bundles.mkdir()
        (bundles / "bundle.zip").write_bytes(b"x")
        async with files_at(rig, "olga") as files:
            assert sorted(await files.listdir("/saved")) == [".", "..", "trace"]
            for name in ("secrets", "support", "support/bundle.zip"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await files.stat(f"/saved/{name}")
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await files.open(f"/saved/{name}")
                with pytest.raises(asyncssh.SFTPError):
                    await files.remove(f"/saved/{name}")
            await files.remove("/saved/trace")
        async with files_at(rig) as files:
            assert sorted(await files.listdir("/saved")) == [".", "..", "secrets", "support"]
            assert "bundle.zip" in await files.listdir("/saved/support")
            await files.remove("/saved/secrets")


PARTS = [b"..", b".", b"", b"saved", b"support", b"configuration", b"versions", b"6.yaml", b"prompts", b"en",
         b"/", b"\\", b"%2e%2e", b"\x00", b"\xff", "中".encode(), b"~", b"*", b"secret", b"a" * 300, b"\n",
         b"..;", b"....", b"recordings", b"1970-01-01", b"9999-12-31", b"0.yaml", b"-1.yaml"]


async def test_no_path_leads_out(tmp_path: Path) -> None:
    """Hundreds made of tricks: each is one of the tree's files, or is not there."""
    chance = random.Random(4)
    async with console_at(tmp_path, Document().answers()) as rig:
        recordings(rig)
        rig.box.saved.mkdir()
        (rig.box.saved / "real").write_text("x")
        (rig.box.saved.parent / "secret").write_text("SECRET")
        rig.takes(people=[one.model_copy(update={"recordings": True}) for one in rig.console.config.people])
        async with files_at(rig) as files:
            for _ in range(400):
                path = b"/".join(chance.choice(PARTS) for _ in range(chance.randrange(1, 9)))
                with contextlib.suppress(asyncssh.SFTPError):
                    real = await files.realpath(path)
                    assert isinstance(real, bytes) and real.startswith(b"/") and b".." not in real.split(b"/")
                with contextlib.suppress(asyncssh.SFTPError):
                    await files.stat(path)
                with contextlib.suppress(asyncssh.SFTPError):
                    async with files.open(path, "rb") as file:
                        assert "SECRET" not in str(await file.read())


@given(st.binary(max_size=1200))
def test_any_octets_are_a_path_or_none(octets: bytes) -> None:
    try:
        names = names_of(octets)
    except NotThere:
        return
    assert not {"..", ".", ""} & set(names) and not any("/" in one or "\0" in one for one in names)
    assert names_of(path_of(names)) == names
