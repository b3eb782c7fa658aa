"""The folder of prompts: who did what, versions before, and whole files whatever happens."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.bus.messages import (
    CopyPrompt,
    DeletePrompt,
    DraftPrompt,
    GetPrompt,
    GetPromptAudio,
    GetPromptPeaks,
    GetPrompts,
    KeepPrompt,
    PromptUse,
    RestorePrompt,
    UploadPrompt,
)
from appliance.config.sources import SpeechConfig
from appliance.errors import StateError
from appliance.media import g711
from appliance.media.prompts import Library, wav
from appliance.recording.prompts import drafts, requests, shelf
from appliance.span.sounds import Sounds
from tests.recording.prompts.desk import Desk, hz_of, pcm, tone
from tests.recording.vault.box import make_box


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    box = make_box(tmp_path / "recordings")
    folder = tmp_path / "prompts"
    folder.mkdir()
    yield Desk(box, folder)
    box.parts.database.close()


def test_what_there_is_how_it_came_and_what_it_says(desk: Desk) -> None:
    desk.there("zh/greeting", tone(500))
    desk.there("zh/number/1", tone(600, 0.5))
    desk.there("music/default", tone(700, 2.0))
    desk.there("en/said", tone(800))
    (desk.folder / ".made.json").write_text(json.dumps({"en/said": "en 160 -16 Hello there"}))
    (desk.folder / "zh/bad.wav").write_bytes(b"RIFF nonsense")
    (desk.folder / "zh/.hidden.wav").write_bytes(b"")
    found = {one.name: one for one in desk.ask(GetPrompts()).prompts}
    assert {name: one.made for name, one in found.items()} == {
        "zh/greeting": "unknown", "zh/number/1": "box", "music/default": "box", "en/said": "text",
        "zh/bad": "unknown"}
    assert [found[name].text for name in ("en/said", "zh/number/1", "zh/greeting")] == [
        "Hello there", "一", ""]
    assert (found["zh/number/1"].length_ms, found["music/default"].length_ms) == (500, 2000)
    assert "is not a WAV file" in found["zh/bad"].wrong
    assert found["zh/greeting"].level_dbm0 == pytest.approx(20 * np.log10(8000 / g711.PEAK_0DBM0), abs=0.2)
    needed = desk.ask(GetPrompts(most=1)).needed
    assert needed["zh/number/1"] == "一" and needed["en/number/1"] == "one"
    page = desk.ask(GetPrompts(after="music/default", most=2))
    assert [one.name for one in page.prompts] == ["zh/bad", "zh/greeting"] and page.more


def test_a_file_is_brought_kept_replaced_and_had_again(desk: Desk) -> None:
    desk.there("zh/greeting", tone(500))
    desk.put("zh/greeting", 1000)
    desk.put("zh/greeting", 1500)
    assert desk.hz("zh/greeting") == 1500
    reply = desk.ask(GetPrompt(name="zh/greeting"))
    assert [(one.act, one.by, one.there) for one in reply.versions] == [
        ("put", "ann", True), ("put", "ann", True), ("found", "", True)]
    assert (reply.info.made, reply.info.by, reply.info.versions) == ("uploaded", "ann", 2)
    first = reply.versions[-1].number
    assert hz_of(desk.ask(GetPromptAudio(name="zh/greeting", version=first)).octets[58:]) == 500
    desk.ask(RestorePrompt(by="bob", name="zh/greeting", number=first))
    assert desk.hz("zh/greeting") == 500
    again = desk.ask(GetPrompt(name="zh/greeting"))
    assert (again.versions[0].act, again.info.by, again.info.made) == ("restored", "bob", "unknown")


def test_only_some_of_the_versions_before_are_kept(desk: Desk) -> None:
    numbers = [desk.put("zh/greeting", 300 + 100 * turn) for turn in range(9)]
    reply = desk.ask(GetPrompt(name="zh/greeting"))
    assert [one.there for one in reply.versions] == [True] * (shelf.VERSIONS + 1) + [False] * 3
    kept = list((desk.box.parts.folder / "prompts" / "kept").iterdir())
    assert len(kept) == shelf.VERSIONS + 1
    with pytest.raises(StateError, match="is not kept any more"):
        desk.ask(RestorePrompt(by="bob", name="zh/greeting", number=numbers[0]))
    desk.ask(RestorePrompt(by="bob", name="zh/greeting", number=numbers[4]))
    assert desk.hz("zh/greeting") == 700


def test_a_draft_is_heard_cut_and_levelled_before_it_is_kept(desk: Desk) -> None:
    upload = desk.bring(pcm(1000, 3.0))
    draft = desk.ask(DraftPrompt(by="ann", upload=upload))
    assert draft.length_ms == 3000 and "16000 Hz" in draft.told
    with pytest.raises(StateError, match="bring it again"):
        desk.ask(DraftPrompt(by="ann", upload=upload))               # it is used up
    cut = desk.ask(DraftPrompt(by="ann", draft=draft.draft, from_ms=500, to_ms=1500, level_dbm0=-20.0))
    assert (cut.length_ms, cut.level_dbm0) == (1000, pytest.approx(-20.0, abs=0.3))
    told = desk.ask(GetPromptPeaks(draft=cut.draft, parts=10))
    assert told.length_ms == 1000 and len(told.peaks) == 10 and max(told.peaks) < 60
    assert not list(desk.folder.rglob("*.wav"))
    desk.ask(KeepPrompt(by="ann", name="en/new", draft=cut.draft, new=True))
    assert Library(desk.folder).get("en/new").octets.size == 8000
    with pytest.raises(StateError, match="there is one of that name"):
        desk.ask(KeepPrompt(by="ann", name="en/new", draft=cut.draft, new=True))
    from_prompt = desk.ask(DraftPrompt(by="ann", name="en/new", to_ms=600))
    assert from_prompt.length_ms == 600


def test_a_text_is_spoken(desk: Desk) -> None:
    draft = desk.ask(DraftPrompt(by="ann", text="您好，欢迎致电。", language="zh"))
    assert draft.length_ms > 800 and draft.level_dbm0 == pytest.approx(-16.0, abs=0.5)
    desk.ask(KeepPrompt(by="ann", name="zh/hello", draft=draft.draft))
    assert desk.ask(GetPrompt(name="zh/hello")).info.text == "您好，欢迎致电。"
    desk.box.parts.config.media.speech = SpeechConfig(command=["/nowhere/engine", "{voice}"])
    with pytest.raises(StateError, match="/nowhere/engine: No such file"):
        desk.ask(DraftPrompt(by="ann", text="hello", language="en"))


def test_who_uses_it_keeps_it(desk: Desk) -> None:
    desk.put("zh/greeting", 1000)
    desk.uses = {"zh/greeting": [PromptUse(kind="flow", where="main.yaml", what="hello")]}
    for request in (DeletePrompt(by="ann", name="zh/greeting"),
                    CopyPrompt(by="ann", name="zh/greeting", to="zh/hi", move=True)):
        with pytest.raises(StateError, match=r"is used by flow main\.yaml hello"):
            desk.ask(request)
    desk.uses = None
    with pytest.raises(StateError, match="acdd is away"):
        desk.ask(DeletePrompt(by="ann", name="zh/greeting"))
    assert desk.hz("zh/greeting") == 1000
    desk.uses = {}
    desk.ask(CopyPrompt(by="ann", name="zh/greeting", to="en/greeting"))
    desk.ask(CopyPrompt(by="ann", name="zh/greeting", to="zh/hi", move=True))
    desk.ask(DeletePrompt(by="ann", name="en/greeting"))
    assert [one.name for one in desk.ask(GetPrompts()).prompts] == ["zh/hi"]
    gone = desk.ask(GetPrompt(name="en/greeting"))
    assert gone.info is None and [one.act for one in gone.versions] == ["deleted", "copied"]
    desk.ask(RestorePrompt(by="bob", name="en/greeting", number=gone.versions[-1].number))
    assert desk.hz("en/greeting") == 1000


def test_what_is_put_here_is_not_made_from_its_text_any_more(desk: Desk) -> None:
    desk.there("zh/greeting", tone(500))
    made = desk.folder / ".made.json"
    made.write_text(json.dumps({"zh/greeting": "cmn 240 -16 你好", "zh/other": "cmn 240 -16 别的"}))
    desk.put("zh/greeting", 1000)
    assert list(json.loads(made.read_text())) == ["zh/other"]
    assert desk.ask(GetPrompt(name="zh/greeting")).versions[-1].text == "你好"


@pytest.mark.parametrize("name", [
    "../x", "/etc/passwd", "zh/../../x", "zh//x", "zh/x.wav", "ZH/x", "zh\\x", "", "zh/x\0",
    "zh/" + "x" * 100, ".made", "zh/\n", "zh/ü"])
def test_no_name_leads_out_of_the_folder(desk: Desk, name: str) -> None:
    draft = desk.draft(1000)
    before = {path for path in desk.folder.parent.rglob("*")}
    for request in (KeepPrompt(by="ann", name=name, draft=draft), GetPrompt(name=name),
                    DeletePrompt(by="ann", name=name), RestorePrompt(by="ann", name=name, number=1),
                    GetPromptAudio(name=name), CopyPrompt(by="ann", name=name, to="zh/x")):
        with pytest.raises(StateError):
            desk.ask(request)
    assert {path for path in desk.folder.parent.rglob("*")} == before


def test_a_link_out_of_the_folder_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(wav(tone(900)))
    (desk.folder / "zh").mkdir()
    (desk.folder / "zh/link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(StateError, match="leads out of"):
        desk.ask(GetPromptAudio(name="zh/link"))
    desk.put("zh/link", 1000)
    assert hz_of(Library(tmp_path).get("secret").octets) == 900 and desk.hz("zh/link") == 1000


def test_uploads_have_limits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(upload: str, at: int, total: int, octets: bytes) -> Any:
        return desk.ask(UploadPrompt(upload=upload, at=at, total=total, octets=octets))
    for wrong in (("x" * 32, 0, 10, b""), ("../../../../tmp/x" + "0" * 15, 0, 10, b""),
                  ("a" * 32, 0, drafts.UPLOAD_OCTETS + 1, b""), ("a" * 32, 0, 0, b""),
                  ("a" * 32, -1, 10, b"x"), ("a" * 32, 5, 10, b"x"), ("a" * 32, 0, 10, b"x" * 11)):
        with pytest.raises(StateError):
            add(*wrong)
    names = [f"{number:032x}" for number in range(drafts.UPLOADS + 1)]
    for name in names:
        assert add(name, 0, 10, b"12345").octets == 5
    folder = desk.box.parts.folder / "prompts" / "brought"
    assert sorted(os.listdir(folder)) == names[1:]
    with pytest.raises(StateError, match="took its place"):
        add(names[0], 5, 10, b"12345")
    desk.box.clock[0] += drafts.GOOD_S + 1
    requests.tend(desk.box.parts, desk.box.clock[0])
    assert os.listdir(folder) == []


def test_drafts_go_when_there_are_too_many_or_they_are_old(desk: Desk) -> None:
    desk.there("zh/a", tone(500))
    first = desk.ask(DraftPrompt(by="ann", name="zh/a")).draft
    for _ in range(drafts.DRAFTS):
        last = desk.ask(DraftPrompt(by="ann", name="zh/a")).draft
    with pytest.raises(StateError, match="make it anew"):
        desk.ask(KeepPrompt(by="ann", name="zh/b", draft=first))
    desk.box.clock[0] += drafts.GOOD_S + 1
    requests.tend(desk.box.parts, desk.box.clock[0])
    with pytest.raises(StateError, match="make it anew"):
        desk.ask(KeepPrompt(by="ann", name="zh/b", draft=last))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("delete", [False, True])
@pytest.mark.parametrize("kill_at", range(12))
def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(
        desk: Desk, monkeypatch: pytest.MonkeyPatch, kill_at: int, delete: bool) -> None:
    """Every call that reaches the disk is a place to die at, before it and after it."""
    desk.put("zh/greeting", 500)
    old = (desk.folder / "zh/greeting.wav").read_bytes()
    draft = desk.draft(1500)
    steps = iter(range(1000))

    def dying(real: Any) -> Any:
        def act(*args: Any, **kwargs: Any) -> Any:
            step, before = next(steps), kill_at % 2 == 0
            if step == kill_at // 2 and before:
                raise Killed
            done = real(*args, **kwargs)
            if step == kill_at // 2:
                raise Killed
            return done
        return act

    request = DeletePrompt(by="ann", name="zh/greeting") if delete else KeepPrompt(
        by="ann", name="zh/greeting", draft=draft)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "rename", dying(Path.rename))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        killed = False
        try:
            desk.ask(request)
        except Killed:
            killed = True
    place = desk.folder / "zh/greeting.wav"
    now = place.read_bytes() if place.exists() else None
    new = None if delete else wav(desk.box.parts.prompts.draft(draft).octets)
    assert now in (old, new)
    desk.box.parts.prompts = drafts.Drafts()      # a new recordd
    requests.tend(desk.box.parts, desk.box.clock[0])
    after = place.read_bytes() if place.exists() else None
    assert after in (old, new) and (killed or after == new)
    if now == new:
        assert after == new
    newest = desk.ask(GetPrompt(name="zh/greeting")).versions[0]
    told = "" if after is None else hashlib.sha256(after).hexdigest()
    with desk.box.parts.database.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT sha256, done FROM prompt_versions WHERE number = ?", (newest.number,)).one()
    assert tuple(row) == (told, 1)
    assert desk.put("zh/greeting", 700) > newest.number and desk.hz("zh/greeting") == 700


def test_a_full_disk_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("zh/greeting", 500)
    count = len(desk.ask(GetPrompt(name="zh/greeting")).versions)
    draft = desk.draft(1500)

    def full(self: Path, to: Path) -> None:
        if self.parent == desk.folder / "zh":
            raise OSError(28, "No space left on device")
        os.rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            desk.ask(KeepPrompt(by="ann", name="zh/greeting", draft=draft))
    assert desk.hz("zh/greeting") == 500
    assert len(desk.ask(GetPrompt(name="zh/greeting")).versions) == count
    desk.ask(KeepPrompt(by="ann", name="zh/greeting", draft=draft))
    assert desk.hz("zh/greeting") == 1500


def test_a_change_that_cannot_be_done_stops_no_other_prompt(
        desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("zh/stuck", 500)
    real = Path.rename

    def dies(self: Path, to: Path) -> Path:
        if to == desk.folder / "zh/stuck.wav":
            raise Killed
        return real(self, to)

    def fails(self: Path, to: Path) -> Path:
        if to == desk.folder / "zh/stuck.wav":
            raise OSError(5, "Input/output error")
        return real(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies)
        with pytest.raises(Killed):
            desk.put("zh/stuck", 700)
        patch.setattr(Path, "rename", fails)
        requests.tend(desk.box.parts, desk.box.clock[0])
        desk.put("zh/other", 900)
    assert (desk.hz("zh/stuck"), desk.hz("zh/other")) == (500, 900)
    # What comes later holds: the one before it is not done after it.
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "finish", lambda parts: None)
        desk.put("zh/stuck", 1100)
    requests.tend(desk.box.parts, desk.box.clock[0])
    assert desk.hz("zh/stuck") == 1100


def test_others_may_read_what_a_daemon_wrote(desk: Desk) -> None:
    before = os.umask(0o027)                      # of branchline-recordd.service
    try:
        desk.put("zh/greeting", 500)
    finally:
        os.umask(before)
    assert (desk.folder / "zh/greeting.wav").stat().st_mode & 0o777 == 0o644


def test_spand_plays_the_new_one_to_the_next_caller_and_the_old_one_on_to_who_hears_it(desk: Desk) -> None:
    desk.put("zh/greeting", 500)
    sounds = Sounds(Library(desk.folder), "cn")
    heard, wrong = sounds.compile(["prompt:zh/greeting"], False)
    assert heard is not None and wrong == "" and hz_of(heard.octets) == 500
    desk.put("zh/greeting", 1500)
    now, _ = sounds.compile(["prompt:zh/greeting"], False)
    assert now is not None and hz_of(now.octets) == 1500 and hz_of(heard.octets) == 500
    first = desk.ask(GetPrompt(name="zh/greeting")).versions[-1].number
    desk.ask(RestorePrompt(by="ann", name="zh/greeting", number=first))
    again, _ = sounds.compile(["prompt:zh/greeting"], False)
    assert again is not None and hz_of(again.octets) == 500
