"""Packages: the same octets for the same input, modes as Policy wants them, byte code that a box loads."""

import importlib.machinery
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.bus.messages import DAEMONS
from images.packages import deb
from images.packages.__main__ import RECIPES, Places, lay_system
from images.packages.compiling import byte_code
from images.tools import run

EPOCH_S = 1_700_000_000
CONTROL = ("Package: {name}\nVersion: {version}\nArchitecture: {arch}\nInstalled-Size: {size_kib}\n"
           "Maintainer: A <a@example.com>\nDescription: a test\n")


def package(folder: Path, umask: int, names: list[str]) -> Path:
    """Of a tree whose files are made in this order, with this umask, now."""
    before = os.umask(umask)
    try:
        recipe, tree = folder / "recipe", folder / "tree"
        recipe.mkdir(parents=True)
        (recipe / "control").write_text(CONTROL)
        (recipe / "postinst").write_text("#!/bin/sh\n")
        for name in names:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(name)
        (tree / "usr/bin/tool").chmod(0o700)
        return deb.build(recipe, tree, {"name": "a", "version": "1", "arch": "all"}, folder, EPOCH_S)
    finally:
        os.umask(before)


def test_the_same_input_gives_the_same_octets_and_modes_are_policys(tmp_path: Path) -> None:
    names = ["etc/a.conf", "usr/bin/tool", "usr/share/a/b"]
    first = package(tmp_path / "1", 0o077, names)
    second = package(tmp_path / "2", 0o002, names[::-1])
    assert first.read_bytes() == second.read_bytes()
    listed = {line.split()[-1]: line[:10] for line in run(["dpkg-deb", "--contents", first]).splitlines()}
    assert (listed["./usr/bin/tool"], listed["./etc/a.conf"], listed["./usr/share/"]) == (
        "-rwxr-xr-x", "-rw-r--r--", "drwxr-xr-x")
    assert run(["dpkg-deb", "--info", first, "conffiles"]) == "/etc/a.conf\n"


@pytest.mark.parametrize(("kept", "docs"), [(True, ["of all", "of f"]), (False, [None, None])])
def test_byte_code_is_loaded_unchecked_with_docstrings_or_without(
        tmp_path: Path, kept: bool, docs: list[str | None]) -> None:
    source = tmp_path / "part.py"
    source.write_text('"""of all"""\nfrom __future__ import annotations\n\n\ndef f() -> int:\n    "of f"\n'
                      'class C:\n    "of C"\n')
    cached = Path(importlib.util.cache_from_source(str(source)))
    cached.parent.mkdir()
    cached.write_bytes(byte_code(source.read_bytes(), "/opt/part.py", kept))
    source.write_text("raise SystemExit('the source is not looked at')")
    spec = importlib.util.spec_from_file_location("part", source)
    assert spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert [module.__doc__, module.f.__doc__] == docs
    assert b"/opt/part.py" in cached.read_bytes() and bytes(tmp_path) not in cached.read_bytes()


def test_every_daemon_has_a_unit_that_begins_with_the_sandbox_and_a_user(tmp_path: Path) -> None:
    lay_system(tmp_path / "tree", Places(state="/data/state"))
    units = tmp_path / "tree/usr/lib/systemd/system"
    users = (tmp_path / "tree/usr/lib/sysusers.d/branchline.conf").read_text()
    target = (units / "branchline.target").read_text()
    for name in ("bus", *DAEMONS):
        unit = (units / f"branchline-{name}.service").read_text()
        assert f"User=branchline-{name}\n" in unit and f"\nu branchline-{name} " in users, name
        assert f"branchline-{name}.service" in target, name
        assert unit.startswith("[Service]\nNoNewPrivileges=yes\nCapabilityBoundingSet=\n"), name
        assert ("RestartPreventExitStatus=78" in unit) == (name in DAEMONS), name
    assert "d  /data/state " in (tmp_path / "tree/usr/lib/tmpfiles.d/branchline.conf").read_text()


def test_a_folder_is_whose_it_was_when_a_restore_gave_it_back() -> None:
    made, given = (dict[str, list[str]](), dict[str, list[str]]())
    for found, name in ((made, "tmpfiles.conf"), (given, "owners.conf")):
        for line in (RECIPES / "branchline" / name).read_text().splitlines():
            kind, path, *rest = [*line.split(), "", ""]
            if kind in ("d", "z", "Z") and path.startswith("{state}/"):
                found[path] = rest[1:3]
    assert made and {path: given.get(path) for path in made} == made


@pytest.mark.parametrize(("wished", "planned", "code", "ends", "ran"), [
    (False, False, 0, 0, False), (True, False, 0, 0, True), (False, True, 0, 0, True),
    (True, False, 137, 0, True), (True, True, 1, 1, True)])
def test_a_restore_that_ends_badly_keeps_only_a_half_restored_box_from_starting(
        tmp_path: Path, wished: bool, planned: bool, code: int, ends: int, ran: bool) -> None:
    lay_system(tmp_path / "tree", Places())
    unit = (tmp_path / "tree/usr/lib/systemd/system/branchline-restore.service").read_text()
    command = unit.partition("\nExecStart=")[2].partition("\n")[0]
    python, state = tmp_path / "python", tmp_path / "state"
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit {code}\n")
    python.chmod(0o755)
    for name, there in (("restore/wish", wished), ("restoring/plan.json", planned)):
        (state / name).parent.mkdir(parents=True)
        if there:
            (state / name).touch()
    words = shlex.split(command.replace("/opt/branchline/bin/python", str(python)))
    done = subprocess.run(words, check=False, env={
        "BRANCHLINE_STATE_DIR": str(state), "BRANCHLINE_CONFIG": "x", "PATH": os.environ["PATH"]})
    assert done.returncode == ends and (tmp_path / "ran").exists() == ran
    # A socket is ordered before sockets.target, and all services after that: it would go round in a circle.
    assert ".socket" not in unit


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o7777)


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd is not installed")
def test_prompts_of_any_depth_are_read_by_their_folders_group(tmp_path: Path) -> None:
    """What recordd makes there spand reads: after an installation, and after a restore by root."""
    config, given = tmp_path / "config", tmp_path / "given"
    for name in ("en/number/1.wav", "zh/number/1.wav", "music/default.wav"):
        (given / "prompts" / name).parent.mkdir(parents=True, exist_ok=True)
        (given / "prompts" / name).write_text("sound")
    lay_system(tmp_path / "tree", Places(config=str(config)))
    me = f"{os.getuid()} {os.getgid()}"
    config.mkdir()
    folder = config / "prompts/zh/number"
    for name in ("usr/lib/tmpfiles.d/branchline.conf", "usr/share/branchline/owners.conf"):
        lines = (tmp_path / "tree" / name).read_text().splitlines()
        mine = [one.replace("branchline-recordd branchline", me).replace("/usr/share/branchline", str(given))
                for one in lines if str(config / "prompts") in one]
        (tmp_path / "mine.conf").write_text("\n".join(mine) + "\n")
        run(["systemd-tmpfiles", "--create", tmp_path / "mine.conf"])
        modes = [mode(one) for one in (folder, folder.parent, folder / "1.wav")]
        assert modes == ["0o2755", "0o2755", "0o644"]
        folder.chmod(0o750)                       # as a restore lays them
        (folder / "1.wav").chmod(0o640)


def test_daemons_and_commands_begin_without_docstrings() -> None:
    """The package's byte code has none."""
    mains = ["appliance.span.daemon", "appliance.trunk.daemon", "appliance.centre.daemon",
             "appliance.recording.daemon", "appliance.box.daemon", "webui.daemon", "appliance.launch.cli"]
    assert run([sys.executable, "-OO", "-c", f"import {', '.join(mains)}; print('begun')"]).strip() == "begun"
