"""Commands about the box itself as a person types them, where nothing runs: their words and exit codes."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.launch.test_cli import CONFIG, branchline


def test_a_provisioning_document_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text("hostname: box-7\nnetwork: [{port: enp1s0}]\n")
    done = branchline(tmp_path, "provision", "check", "box.yaml")
    assert (done.returncode, done.stdout) == (
        0, "box.yaml: in order: box-7, 1 networks, 0 keys of administrators\n")
    path.write_text("hostname: box_7\n\nnetwork: [{ipv4: 1.2.3.4}]\n")
    done = branchline(tmp_path, "provision", "check", "box.yaml")
    assert (done.returncode, done.stdout) == (78, "")
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["box.yaml:1", "hostname"], ["box.yaml:3", "network[0].ipv4"]]


def test_a_bundle_is_made_where_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "branchline.yaml").write_text(CONFIG)
    done = branchline(tmp_path, "support", "-o", "b.zip")
    assert done.returncode == 0
    assert "not in it: asked, lines, traces: run/bus/boxd.json" in done.stderr
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.testzip() is None
        assert yaml.safe_load(archive.read("configuration.yaml"))["web"] == {"port": 0}
    done = branchline(tmp_path, "support", "-o", "nowhere/b.zip")
    assert (done.returncode, done.stderr) == (73, "nowhere/b.zip.part: No such file or directory\n")


@pytest.mark.parametrize("command", [
    ("provision", "show"), ("provision", "confirm"), ("clock",), ("clock", "set", "2031-05-24 12:00"),
    ("factory-reset", "--name", "x")])
def test_what_needs_a_running_box_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = branchline(tmp_path, *command)
    assert done.returncode == 69
    assert "is the box started?" in done.stderr


def test_the_unit_of_a_boot_takes_three_words_only() -> None:
    done = subprocess.run([sys.executable, "-m", "appliance.box.provision", "rm"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (64, "__main__.py: boot, revert or wait\n")
