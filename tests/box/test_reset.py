"""A factory reset with the power cut at every step, and what is left after the next boot."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.box.reset import erasing
from appliance.box.reset.wish import AUDIT, FLAG, Wish, ask, asked
from appliance.errors import Unavailable

SECRET = b"the key that opens everything"
CALLS = ("unlink", "rmdir", "fsync", "write", "rename", "open")


class PowerCut(BaseException):
    pass


def fill(data: Path) -> None:
    for name in ("branchline/state/recordings/keys/box.key", "ssh/ssh_host_ed25519_key", "provision/claim"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(SECRET)
    for name in ("branchline/state/acd.sqlite", "branchline/config/branchline.yaml", "log/journal/a.journal",
                 "update/history.json"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"x" * 5000)
    (data / "lost+found").mkdir()
    (data / "update/link").symlink_to("/etc/passwd")
    (data / "update/to-folder").symlink_to("/etc")


def no_trim(command: Sequence[str], within_s: float = 0.0) -> str:
    raise Unavailable("fstrim: not here")


def left(data: Path) -> set[str]:
    return {path.name for path in data.iterdir()}


def test_nothing_is_erased_that_nobody_wishes(tmp_path: Path) -> None:
    fill(tmp_path)
    before = left(tmp_path)
    assert not erasing.erase(tmp_path, no_trim)
    assert left(tmp_path) == before


def test_a_file_in_the_place_of_a_folder_is_erased_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "branchline").write_bytes(SECRET)
    ask(Wish("web", 1.0), tmp_path)
    assert erasing.erase(tmp_path, no_trim)
    assert left(tmp_path) == {AUDIT}


def test_a_cut_at_any_step_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)        # a disk's time
    real = {name: getattr(os, name) for name in CALLS}
    steps_left = 0

    def cutting(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal steps_left
            if steps_left == 0:
                raise PowerCut(name)
            steps_left -= 1
            return real[name](*args, **kwargs)
        return call

    cuts = 0
    while True:
        data = tmp_path / f"data-{cuts}"
        data.mkdir()
        fill(data)
        ask(Wish("console", 7.0), data)
        steps_left = cuts
        with monkeypatch.context() as patched:
            for name in CALLS:
                patched.setattr(os, name, cutting(name))
            try:
                erasing.erase(data, no_trim)
                break                             # so few steps are all that there are
            except PowerCut:
                pass
        secret = any(SECRET in path.read_bytes() for path in data.rglob("*")
                     if path.is_file() and not path.is_symlink())
        assert not secret or (data / "branchline/state/acd.sqlite").exists(), "keys go first"
        if asked(data) is not None:               # else it was cut after its last step
            assert erasing.erase(data, no_trim)
        assert left(data) == {"lost+found", AUDIT}
        lines = [json.loads(line) for line in (data / AUDIT).read_text().splitlines()]
        assert [(line["at"], line["source"]) for line in lines] == [(7.0, "console")]
        cuts += 1
    assert cuts > 40
    assert Path("/etc/passwd").exists()


def test_keys_are_overwritten_before_anything_else_goes(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    key = tmp_path / "branchline/state/recordings/keys/box.key"
    other_name = tmp_path.parent / "same-octets"
    os.link(key, other_name)                      # the same blocks under a name that is not erased
    ask(Wish("button", 1.0), tmp_path)

    def cut(path: Path) -> None:
        raise PowerCut(path)
    monkeypatch.setattr(erasing, "_remove", cut)
    with pytest.raises(PowerCut):
        erasing.erase(tmp_path, no_trim)
    assert other_name.read_bytes() == bytes(len(SECRET))
    assert (tmp_path / "branchline/state/acd.sqlite").exists()


def test_without_audit_not_a_word_is_left(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / AUDIT).write_text('{"at": 1}\n')
    ask(Wish("web", 2.0, audit=False), tmp_path)
    assert erasing.erase(tmp_path, no_trim)
    assert left(tmp_path) == {"lost+found"}


def test_a_damaged_flag_is_a_wish(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / FLAG).write_bytes(b"\0" * 20)
    assert erasing.erase(tmp_path, no_trim)
    assert FLAG not in left(tmp_path)
