"""A box's folders are its user's own: what a stranger could put there would be followed."""

import os
from pathlib import Path

import pytest

from appliance.launch import place
from appliance.launch.place import CannotStart


def test_a_folder_that_all_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(CannotStart, match=r"run: belongs to another user, or all may write there") as caught:
        place.make(folder, 0o750)
    assert caught.value.code == os.EX_NOPERM
    folder.chmod(0o775)                           # a group is trusted: somebody has put people into it
    assert place.make(folder, 0o750) == folder


@pytest.mark.parametrize("through_link", [False, True])
def test_a_folder_of_another_user_is_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_link: bool) -> None:
    folder = place.make(tmp_path / "run", 0o750)
    if through_link:
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    assert place.make(folder, 0o750) == folder
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(CannotStart, match="belongs to another user"):
        place.make(folder, 0o750)
