"""The image's recipe and its small parts; what boots is shown by hil_tests/qemu."""

import json
import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

from appliance.box.update.slots import FOLDER, TRIES_FILE, block, read_block
from hil_tests.qemu import cuts
from images import esp, pki, recipe, release
from images.box import RECIPE, package
from images.tools import BuildError

EPOCH_S = 1_700_000_000


def test_the_recipe_is_right() -> None:
    found = recipe.load()
    assert len(set(found.packages)) == len(found.packages)
    assert len(set(found.without_modules)) == len(found.without_modules)
    assert len({value for _, value in found.partitions}) == 5


@pytest.mark.parametrize(("old", "new", "said"), [
    ("slot_mib = 512", "slot_mib = 5", "disk.slot_mib"),
    ('compression = "gzip"', 'compression = "zstd"', "squashfs.compression"),      # GRUB cannot read it
    ('suite = "bookworm"', "", "suite"),
    ("[disk]", "[disk", "line"),
])
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.PATH.read_text().replace(old, new))
    with pytest.raises(BuildError, match=f"recipe.toml.*{said}"):
        recipe.load(path)


def test_grub_understands_its_configuration(tmp_path: Path) -> None:
    config = tmp_path / "grub.cfg"
    config.write_text(esp.filled(recipe.load()))
    assert "@" not in config.read_text().replace('"@', "")
    subprocess.run(["grub-script-check", config], check=True)


def test_a_trial_that_nobody_decided_has_no_start_left(tmp_path: Path) -> None:
    """The script as it is, on folders of the test in place of the box's: it needs no Python and no GRUB."""
    tries, commands = tmp_path / "esp" / FOLDER / TRIES_FILE, tmp_path / "bin"
    for folder in ("data/update", "run", "bin", f"esp/{FOLDER}"):
        (tmp_path / folder).mkdir(parents=True)
    tries.write_bytes(block({"TRIES": "1", "TRIES_SEQ": "17"}))
    (tmp_path / "cmdline").write_text("ro branchline.esp=PARTUUID=8a2f-1 rauc.slot=B\n")
    (commands / "mount").write_text(
        f'#!/bin/sh\nfor to; do :; done; rmdir "$to"; ln -s {tmp_path}/esp "$to"\n')
    (commands / "umount").write_text('#!/bin/sh\nrm "$1"\n')
    for command in commands.iterdir():
        command.chmod(0o755)
    script = (RECIPE / "root/usr/lib/branchline-box/trial-over").read_text()
    for there in ("/data/", "/run/"):
        script = script.replace(there, f"{tmp_path}{there}")
    script = script.replace("/proc/cmdline", f"{tmp_path}/cmdline")
    subprocess.run(["sh", "-e", "-u"], input=script, text=True, check=True,
                   env={"PATH": f"{commands}:/usr/bin:/bin"})
    assert read_block(tries.read_bytes()) == {"TRIES": "3", "TRIES_SEQ": "17"}
    assert (tmp_path / "data/update/undecided").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="asks as other users")
def test_nobody_but_root_has_rauc_do_something(tmp_path: Path) -> None:
    """RAUC's own policy lets everybody. What is let through ends here with a service that does not start."""
    members = ["Mark", "InstallBundle", "GetSlotStatus"]
    (tmp_path / "de.pengutronix.rauc.service").write_text(
        "[D-BUS Service]\nName=de.pengutronix.rauc\nExec=/bin/false\n")
    ours = (RECIPE / "root/etc/dbus-1/system.d/branchline-box.conf").read_text()
    (tmp_path / "ours.conf").write_text(ours.replace("branchline-boxd", "daemon"))
    (tmp_path / "bus.conf").write_text(f"""<busconfig><listen>unix:tmpdir=/tmp</listen>
        <auth>EXTERNAL</auth><servicedir>{tmp_path}</servicedir>
        <policy context="default"><allow user="*"/><allow send_destination="*"/><allow receive_sender="*"/>
        <allow send_destination="de.pengutronix.rauc"/></policy>
        <include>{tmp_path}/ours.conf</include></busconfig>""")

    def asks(user: str, member: str) -> bool:
        said = subprocess.run(
            ["setpriv", f"--reuid={user}", "--clear-groups", "dbus-send", f"--bus={address}", "--print-reply",
             "--dest=de.pengutronix.rauc", "/", f"de.pengutronix.rauc.Installer.{member}"],
            capture_output=True, text=True).stderr
        assert ("AccessDenied" in said) != ("Spawn.ChildExited" in said), said
        return "AccessDenied" not in said

    command = ["dbus-daemon", f"--config-file={tmp_path}/bus.conf", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        try:
            assert bus.stdout is not None
            address = bus.stdout.readline().strip()
            may = {user: [member for member in members if asks(user, member)]
                   for user in ("root", "daemon", "nobody")}
        finally:
            bus.terminate()
    assert may == {"root": members, "daemon": ["GetSlotStatus"], "nobody": []}


def test_the_box_package_is_the_same_twice(tmp_path: Path) -> None:
    built = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        built.append(package(recipe.load(), "1.2.3", tmp_path / name, EPOCH_S))
    assert built[0].read_bytes() == built[1].read_bytes()
    said = subprocess.run(["dpkg-deb", "--fsys-tarfile", built[0]], capture_output=True, check=True).stdout
    config = subprocess.run(["tar", "-xO", "./etc/rauc/system.conf"], input=said, capture_output=True,
                            check=True)
    assert b"@" not in config.stdout and b"bootloader=custom" in config.stdout


def test_a_signer_is_whole_or_not_at_all(tmp_path: Path) -> None:
    assert pki.given(None, None, None) is None
    with pytest.raises(BuildError, match="go together"):
        pki.given("key", None, None)
    with pytest.raises(BuildError, match="no such file"):
        pki.given(str(tmp_path / "key"), tmp_path / "cert", tmp_path / "ring")


def test_the_bill_names_each_part() -> None:
    parts = [release.Part("deb", "tzdata", "2025b", "all", ("public-domain",), "ab" * 32),
             release.Part("pypi", "Click", "8.5", "", ("BSD-3-Clause",), "")]
    bill = json.loads(release.sbom(parts, "1.2.3", EPOCH_S))
    assert [one["purl"] for one in bill["components"]] == [
        "pkg:deb/debian/tzdata@2025b?arch=all", "pkg:pypi/click@8.5"]
    assert bill["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert release.sbom(parts, "1.2.3", EPOCH_S) == release.sbom(parts, "1.2.3", EPOCH_S)


def test_a_cut_keeps_what_was_flushed(tmp_path: Path) -> None:
    """Ten sectors, a flush after the fifth: those five are there after every later cut, the rest perhaps."""
    log, disk = tmp_path / "log", tmp_path / "disk"
    entries = [(sector, 1, 0) for sector in range(5)] + [(0, 0, cuts.FLUSH)]
    entries += [(sector, 1, cuts.FUA if sector == 9 else 0) for sector in range(5, 10)]
    octets = struct.pack("<QQQI", cuts.MAGIC, cuts.VERSION, len(entries), 512).ljust(512, b"\0")
    for sector, sectors, flags in entries:
        octets += struct.pack("<QQQQ", sector, sectors, flags, 0).ljust(512, b"\0")
        octets += bytes([sector + 1]) * 512 * sectors
    log.write_bytes(octets)
    writes = cuts.read(log)
    assert len(writes) == 11
    seen = set()
    for seed in range(40):
        disk.write_bytes(bytes(512 * 10))
        cuts.replay(log, cuts.survivors(writes, 11, random.Random(seed)), disk)
        there = tuple(disk.read_bytes()[sector * 512] == sector + 1 for sector in range(10))
        assert all(there[:5]) and there[9]
        seen.add(there)
    assert len(seen) > 8                          # of the sixteen ways to lose the others
    assert not any(write.octets for write in cuts.survivors(writes, 0, random.Random(0)))
