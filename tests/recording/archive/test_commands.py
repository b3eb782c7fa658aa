"""branchline archive: what the hub does with an object, without a box."""

import json
from pathlib import Path

from click.testing import CliRunner

from appliance.config.archive import ArchiveConfig, OutboxConfig
from appliance.launch.archive import archive as command
from appliance.recording.archive import tending
from tests.recording.life.shelf import Shelf


def test_the_hub_opens_an_object_and_says_why_it_cannot(
        shelf: Shelf, archive: ArchiveConfig, tmp_path: Path) -> None:
    name = shelf.add(1, queue="sales")
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    tending.tend(shelf.parts, shelf.now)
    path = str(next((shelf.folder / "outbox").rglob("*.blr")))
    run = CliRunner().invoke
    shown = run(command, ["open", path, "--key", archive.key_file])
    assert json.loads(shown.output)["recording"] == name
    to = tmp_path / "audio.opus"
    assert run(command, ["open", path, "--key", archive.key_file, "--to", str(to)]).exit_code == 0
    assert to.read_bytes() == bytes([1]) * 1000
    assert {one.stat().st_mode & 0o777 for one in (to, to.with_suffix(".json"))} == {0o600}
    assert json.loads((tmp_path / "audio.json").read_text())["queue"] == "sales"
    again = run(command, ["open", path, "--key", archive.key_file, "--to", str(to)])
    assert again.exit_code != 0 and "is there already" in again.output
    made = run(command, ["new-key", str(tmp_path / "other")])
    assert made.exit_code == 0 and (tmp_path / "other").stat().st_mode & 0o777 == 0o600
    wrong = run(command, ["open", path, "--key", str(tmp_path / "other"), "--to", str(tmp_path / "x.opus")])
    assert wrong.exit_code == 1 and "it is sealed with the key" in wrong.output
    assert not (tmp_path / "x.opus").exists()
    assert run(command, ["open", str(tmp_path / "none"), "--key", archive.key_file]).exit_code != 0
