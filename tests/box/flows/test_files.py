"""Which files are flows, that no name leads out of the folder, and how root puts one in place."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.box.flows.folder import Folder
from appliance.box.flows.place import NEW, Written, put, verb
from appliance.box.privileged.verb import VerbError
from appliance.bus.client import Refused
from appliance.errors import ConfigError

DOCUMENT = """\
spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]
centre:
  inbound: [{trunk: telco, called: "5001", flow: main.yaml}]
  entry: [{name: night, called: "6xxx", flow: night/menu.yaml}]
"""
FLOW = "start: end\nnodes:\n  end: {kind: hangup}\n"
THROUGH = "start: sub\nnodes:\n  sub: {kind: flow, file: ../main.yaml, next: end}\n  end: {kind: hangup}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    box = tmp_path / "box"
    (box / "night").mkdir(parents=True)
    (box / "branchline.yaml").write_text(DOCUMENT)
    (box / "main.yaml").write_text(FLOW)
    (box / "night" / "menu.yaml").write_text(THROUGH)
    (box / "other.yaml").write_text("queues: []\n")
    return Folder(box / "branchline.yaml")


def test_flows_are_known_by_what_is_in_them_and_by_who_uses_them(folder: Folder, tmp_path: Path) -> None:
    (folder.folder / ".hidden.yaml").write_text(FLOW)
    (folder.folder / "broken.yaml").write_text("nodes: [")
    (tmp_path / "secret.yaml").write_text(FLOW)
    (folder.folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder.folder / "away").symlink_to(tmp_path)
    (folder.folder / "ring.yaml").symlink_to("ring.yaml")
    os.mkfifo(folder.folder / "pipe.yaml")
    assert folder.files() == ["main.yaml", "night/menu.yaml"]
    used = folder.used()
    assert used.called == {"main.yaml", "night/menu.yaml"}
    assert used.by == {"main.yaml": ["centre.inbound[0].flow", "night/menu.yaml: nodes.sub"],
                       "night/menu.yaml": ["centre.entry.night.flow"]}


@pytest.mark.parametrize("file", [
    "", "/etc/passwd", "../x.yaml", "a/../../x.yaml", "..", "a/b/c/d/e.yaml", "main.yml", "main.yaml\n",
    ".hidden.yaml", "a//b.yaml", "a\\b.yaml", "x" * 300 + ".yaml", "branchline.yaml", "link.yaml",
    "away/x.yaml", "ring.yaml", "\x00.yaml", "a b.yaml", "~root.yaml", "-rf.yaml"])
def test_no_name_leads_elsewhere(file: str, folder: Folder, tmp_path: Path) -> None:
    (folder.folder / "link.yaml").symlink_to(tmp_path / "x.yaml")
    (folder.folder / "away").symlink_to(tmp_path)
    (folder.folder / "ring.yaml").symlink_to("ring.yaml")
    with pytest.raises(Refused):
        folder.path(file)
    with pytest.raises(Refused):
        folder.text(file)
    with pytest.raises(Refused):
        put(folder, file, FLOW)


def test_what_cannot_be_read_is_said(folder: Folder) -> None:
    assert folder.text("none.yaml") is None and folder.text("main.yaml/x.yaml") is None
    (folder.folder / "long.yaml").write_text("# " + "x" * 300_000)
    os.mkfifo(folder.folder / "pipe.yaml")
    (folder.folder / "octets.yaml").write_bytes(b"\xff\xfe")
    for file, why in (("long.yaml", "larger than"), ("pipe.yaml", "is no file"), ("octets.yaml", "UTF-8")):
        with pytest.raises(ConfigError, match=why):
            folder.text(file)


def test_a_file_is_read_again_when_it_has_changed(folder: Folder) -> None:
    assert folder.text("main.yaml") == FLOW
    (folder.folder / "main.yaml").write_text(FLOW + "# more\n")
    assert folder.text("main.yaml") == FLOW + "# more\n"


def test_only_flows_are_put_and_only_over_flows(folder: Folder) -> None:
    put(folder, "main.yaml", THROUGH)
    assert folder.text("main.yaml") == THROUGH
    os.chmod(folder.document, 0o604)
    put(folder, "new.yaml", FLOW)
    assert (folder.folder / "new.yaml").stat().st_mode & 0o777 == 0o604
    for file, text, why in (("main.yaml", "spans: []", "is no flow"),
                            ("other.yaml", FLOW, "is there already"),
                            ("main.yaml", "start: [", "is no flow")):
        with pytest.raises(Refused, match=why):
            put(folder, file, text)


def test_root_takes_only_what_was_asked_for_and_is_a_flow(folder: Folder, tmp_path: Path) -> None:
    new = tmp_path / NEW
    write = verb({"BRANCHLINE_CONFIG": str(folder.document), "BRANCHLINE_STATE_DIR": str(tmp_path)})

    def ask(file: str, octets: bytes, sha256: str = "") -> None:
        new.write_bytes(octets)
        write.act(Written(file, sha256 or hashlib.sha256(octets).hexdigest()), lambda text, share: None)

    for file, octets, sha256, why in (
            ("main.yaml", FLOW.encode(), "0" * 64, "is not what was asked for"),
            ("main.yaml", b"\xff", "", "is not UTF-8"), ("main.yaml", b"x" * 300_000, "", "larger than"),
            ("main.yaml", b"spans: []", "", "is no flow"), ("../x.yaml", FLOW.encode(), "", "is called like"),
            ("branchline.yaml", FLOW.encode(), "", "is the configuration"),
            ("no/folder.yaml", FLOW.encode(), "", "No such file")):
        with pytest.raises(VerbError, match=why):
            ask(file, octets, sha256)
    new.unlink()
    new.symlink_to("/etc/hostname")
    with pytest.raises(VerbError):
        write.act(Written("main.yaml", "0" * 64), lambda text, share: None)
    new.unlink()
    assert folder.text("main.yaml") == FLOW
    ask("main.yaml", THROUGH.encode())
    assert folder.text("main.yaml") == THROUGH
    (folder.folder / "ours").mkdir()
    (folder.folder / "there").symlink_to("ours")
    with pytest.raises(VerbError, match="is no folder of who owns"):         # who could lead elsewhere by it
        ask("there/x.yaml", FLOW.encode())
    if os.geteuid() == 0:
        os.chown(folder.folder / "ours", 65534, 65534)
        with pytest.raises(VerbError, match="is no folder of who owns"):
            ask("ours/x.yaml", FLOW.encode())
    with pytest.raises(VerbError, match="is not in /etc/branchline/defaults"):
        verb({}).act(Written("main.yaml", "0" * 64), lambda text, share: None)
