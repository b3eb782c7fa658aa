"""The file is replaced whole or not at all, by boxd or by root, whom it is left for."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.box.document.place import NEW, Written, replace, verb
from appliance.box.privileged.verb import VerbError

DOCUMENT = 'spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]\n'


def no_progress(text: str, share: float) -> None:
    pass


def test_mode_and_links_stay_and_nothing_is_left_over(tmp_path: Path) -> None:
    document, link = tmp_path / "box.yaml", tmp_path / "etc" / "branchline.yaml"
    document.write_text("old")
    document.chmod(0o640)
    link.parent.mkdir()
    link.symlink_to(document)
    replace(link, b"new")
    assert link.is_symlink() and document.read_text() == "new" and document.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["box.yaml", "etc"]


@pytest.mark.parametrize("fails", ["fsync", "fchmod", "rename"])
def test_a_disk_that_refuses_leaves_it_as_it_was(
        fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "box.yaml"
    document.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(Path if fails == "rename" else os, fails, refuse)
    with pytest.raises(OSError, match="No space"):
        replace(document, b"new")
    monkeypatch.undo()
    assert document.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["box.yaml"]


def test_root_takes_only_what_was_asked_for_and_is_a_document(tmp_path: Path) -> None:
    document, new = tmp_path / "branchline.yaml", tmp_path / NEW
    document.write_text("old")
    write = verb({"BRANCHLINE_CONFIG": str(document), "BRANCHLINE_STATE_DIR": str(tmp_path)})

    def ask(octets: bytes, sha256: str = "") -> None:
        new.write_bytes(octets)
        write.act(Written(sha256 or hashlib.sha256(octets).hexdigest()), no_progress)
    for octets, sha256, why in (
            (DOCUMENT.encode(), "0" * 64, "is not what was asked for"), (b"\xff\xfe", "", "is not UTF-8"),
            (b"x" * 2_000_000, "", "larger than")):
        with pytest.raises(VerbError, match=why):
            ask(octets, sha256)
    with pytest.raises(Exception, match=r"branchline\.yaml:1: spans: write a list"):
        ask(b"spans: 3")
    assert document.read_text() == "old"
    ask(DOCUMENT.encode())
    assert document.read_text() == DOCUMENT
    new.unlink()
    new.symlink_to("/etc/shadow")
    with pytest.raises(VerbError, match="symbolic links"):
        write.act(Written("0" * 64), no_progress)
    new.unlink()
    os.mkfifo(new)
    with pytest.raises(VerbError, match="is no file"):
        write.act(Written("0" * 64), no_progress)
    with pytest.raises(VerbError, match="BRANCHLINE_CONFIG"):
        verb({}).act(Written("0" * 64), no_progress)
