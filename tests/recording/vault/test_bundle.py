"""Exports: signed, whole, told of in the chain; any change, and any other box's work, is found anywhere."""

import copy
import hashlib
import io
import os
import random
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from appliance.bus.messages import MAY_ASK, Exported, ExportRecordings, ExportTo, GetBoxKey
from appliance.errors import StateError
from appliance.launch.asking import beside
from appliance.launch.cli import main
from appliance.recording.vault import bundle as bundles
from appliance.recording.vault import chain
from appliance.recording.vault.bundle import EXPORTS
from appliance.recording.vault.bundle_check import Finding, check
from appliance.recording.vault.requests import ANSWERS, LEAST_FREE
from tests.recording.vault.box import Box, make_box

AUDIO = b"RIFF" + bytes(range(256)) * 40

Two = tuple[str, str]                             # recordings


def export(box: Box, *recordings: str, to_path: str = "", passphrase: str = "") -> Path:
    made = ANSWERS[ExportTo](box.parts, ExportTo(
        recordings=list(recordings), by="li", why="dispute 4711", to_path=to_path, passphrase=passphrase))
    assert isinstance(made, Exported)
    path = Path(made.path)
    assert path.stat().st_size == made.octets
    return path


def fingerprint(box: Box) -> str:
    key: str = ANSWERS[GetBoxKey](box.parts, GetBoxKey()).fingerprint    # type: ignore[attr-defined]
    return key


def bad(octets: bytes, by: str = "") -> list[Finding]:
    return [finding for finding in check(io.BytesIO(octets), by) if not finding.good]


def members(octets: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def packed(files: dict[str, bytes]) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return octets.getvalue()


@pytest.fixture
def two(box: Box) -> Two:
    names = box.record(1, AUDIO), box.record(2, AUDIO[::-1])
    box.say("listened", names[0])
    box.say("listened", f"{9:032x}")              # of another, which is not exported
    return names


def test_a_bundle_holds_and_has_what_is_known(box: Box, two: Two) -> None:
    path = export(box, *two)
    octets = path.read_bytes()
    assert (path.parent, path.stat().st_mode & 0o777) == (box.parts.folder.resolve() / "exports", 0o640)
    assert list(path.parent.iterdir()) == [path]
    assert bad(octets, fingerprint(box)) == []
    files = members(octets)
    assert files[f"recordings/{two[0]}.wav"] == AUDIO
    assert files[f"recordings/{two[1]}.wav"] == AUDIO[::-1]
    assert b"dispute 4711" in files["manifest.json"]
    assert "录音" in files["README.txt"].decode()
    with box.parts.database.read() as connection:
        assert [entry.kind for entry in chain.of_recording(connection, two[0])] == [
            "recorded", "listened", "exported"]
        assert chain.verify(connection) is None


def test_openssl_agrees(box: Box, two: Two, tmp_path: Path) -> None:
    """As README.txt says it."""
    with zipfile.ZipFile(export(box, *two)) as archive:
        archive.extractall(tmp_path)
    def said(command: str) -> bytes:
        return subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True).stdout

    assert b"Verified Successfully" in said("openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin "
                                            "-in manifest.json -sigfile manifest.sig")
    key = said("openssl pkey -pubin -in public-key.pem -outform DER")[-32:]
    assert hashlib.sha256(key).hexdigest() == fingerprint(box)


def test_every_changed_octet_of_a_member_is_found(box: Box, two: Two) -> None:
    octets = export(box, *two).read_bytes()
    whole, places = members(octets), random.Random(7).sample(range(len(octets)), 600)
    for at in [*range(200), *range(len(octets) - 200, len(octets)), *places]:
        changed = octets[:at] + bytes([octets[at] ^ (1 << at % 8)]) + octets[at + 1:]
        assert bad(changed) or members(changed) == whole             # the zip's own: times, versions


def test_every_member_is_looked_at(box: Box, two: Two) -> None:
    files = members(export(box, *two).read_bytes())
    assert bad(packed(files)) == []
    for name, file in files.items():
        assert bad(packed({**files, name: bytes([file[0] ^ 1]) + file[1:]})), name
        assert bad(packed({**files, name: file[:-1]})), name
        assert bad(packed({one: files[one] for one in files if one != name})), name
    assert bad(packed({**files, "recordings/more.wav": b"more"}))
    one, other = (f"recordings/{name}.wav" for name in two)
    swapped = {**files, one: files[other], other: files[one]}
    assert {finding.subject for finding in bad(packed(swapped))} == {one, other}
    assert bad(b"no zip at all")
    assert bad(b"")


def test_another_boxs_bundle_is_not_this_ones(box: Box, two: Two, tmp_path: Path) -> None:
    other = make_box(tmp_path / "other")
    forged = export(other, other.record(1, AUDIO), other.record(2, AUDIO)).read_bytes()
    assert bad(forged) == []
    assert [finding.subject for finding in bad(forged, fingerprint(box))] == ["signature"]
    files = members(export(box, *two).read_bytes())
    mixed = {**files, "manifest.json": members(forged)["manifest.json"]}
    assert bad(packed(mixed))
    other.parts.database.close()


def test_a_long_chain_is_tied_at_the_heads_beside_the_entries(
        box: Box, two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "WHOLE_SPAN", 10)
    for number in range(60):
        box.clock[0] += 600.0
        box.say("listened", two[0] if number == 30 else f"{9:032x}")
        with box.parts.database.write() as connection:
            box.parts.chain.sign_when_due(connection, box.clock[0])
    octets = export(box, *two).read_bytes()
    assert bad(octets, fingerprint(box)) == []
    assert members(octets)["chain.json"].count(b'"before"') == 3
    assert members(octets)["chain.json"].count(b'"signature"') >= 9


def test_nothing_is_overwritten_and_no_link_is_followed(box: Box, two: Two, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_text("mine")
    (tmp_path / "link.zip").symlink_to(tmp_path / "elsewhere.zip")
    (tmp_path / "folder").symlink_to(tmp_path / "recordings")
    for wanted, said in (("there.zip", "is there already"), ("link.zip", "is there already"),
                         ("folder/new.zip", "not followed"), ("no/new.zip", "make it"),
                         ("../new.zip", "'..'")):
        with pytest.raises(StateError, match=said):
            export(box, two[0], to_path=str(tmp_path / wanted))
    for name in ("a/b.zip", "..", "."):
        with pytest.raises(StateError, match="without folders"):
            export(box, two[0], to_path=name)
    assert (tmp_path / "there.zip").read_text() == "mine"
    assert not (tmp_path / "elsewhere.zip").exists()
    assert export(box, two[0], to_path=str(tmp_path / "new.zip")).exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        "there.zip", "link.zip", "folder", "recordings", "new.zip"}


def test_what_cannot_be_exported_leaves_nothing(box: Box, two: Two, monkeypatch: pytest.MonkeyPatch,
                                               ) -> None:
    with pytest.raises(StateError, match="no such recording"):
        export(box, two[0], f"{77:032x}")
    with pytest.raises(StateError, match="1 to 1000"):
        export(box)
    first, second = sorted(box.parts.folder.glob("*/*/*/*.blr"))
    kept = second.read_bytes()
    for wrong in (first.read_bytes(), kept[:-1], kept[:2000] + bytes([kept[2000] ^ 1]) + kept[2001:]):
        second.write_bytes(wrong)
        with pytest.raises(StateError, match=f"{two[1]}: cannot be exported"):
            export(box, *two)
    second.unlink()
    with pytest.raises(StateError, match="its file is gone"):
        export(box, *two)

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StateError, match="No space left"):
            export(box, two[0])
    assert list((box.parts.folder / "exports").iterdir()) == []


def test_a_passphrase_seals_the_whole_and_is_in_no_message(box: Box, two: Two, tmp_path: Path) -> None:
    path = export(box, *two, passphrase="correct horse")
    assert path.name.endswith(".zip.sealed")
    assert AUDIO[:100] not in path.read_bytes()
    for asked in (ExportRecordings(recordings=[], by="li", why="", passphrase="correct horse"),
                  ExportTo(recordings=[], by="li", why="", to_path="", passphrase="correct horse")):
        assert "horse" not in repr(asked) + str(asked)
    with box.parts.database.read() as connection:
        assert "horse" not in str(chain.page(connection))
    run, out = CliRunner(), tmp_path / "plain.zip"
    good = run.invoke(main, ["verify", str(path), "--fingerprint", fingerprint(box), "--unseal", str(out)],
                      env={"BRANCHLINE_PASSPHRASE": "correct horse"})
    assert (good.exit_code, bad(out.read_bytes())) == (0, []), good.output
    wrong = run.invoke(main, ["verify", str(path)], input="wrong\n")
    assert (wrong.exit_code, "passphrase does not open it" in wrong.output) == (1, True)
    path.write_bytes(path.read_bytes()[:-1])
    assert run.invoke(main, ["verify", str(path)], input="correct horse\n").exit_code == 1


def test_the_command_says_what_holds_and_what_does_not(box: Box, two: Two, tmp_path: Path) -> None:
    path, run = export(box, *two), CliRunner()
    good = run.invoke(main, ["verify", str(path), "--fingerprint", fingerprint(box).upper()])
    assert (good.exit_code, "all holds" in good.output, "BAD" in good.output) == (0, True, False)
    assert run.invoke(main, ["verify", str(path), "--fingerprint", "00" * 32]).exit_code == 1
    octets = bytearray(path.read_bytes())
    octets[octets.index(AUDIO) + 5000] ^= 1
    path.write_bytes(octets)
    told = run.invoke(main, ["verify", str(path)])
    assert told.exit_code == 1
    assert f"BAD  recordings/{two[0]}.wav" in told.output


def test_the_pages_name_no_file_and_fill_no_disk(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ExportTo not in MAY_ASK["webui"]
    assert "to_path" not in ExportRecordings.__struct_fields__
    name = box.record(1, b"talk" * 1000)
    disk = os.statvfs(box.parts.folder)
    free = int(LEAST_FREE * disk.f_blocks) + 1    # blocks; fewer than the recording has are above what stays
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(
        f_bavail=free, f_blocks=disk.f_blocks, f_frsize=512))
    with pytest.raises(StateError, match="would leave less than 3% of its disk free"):
        ANSWERS[ExportRecordings](box.parts, ExportRecordings(recordings=[name], by="li", why="dispute"))
    assert list((box.parts.folder / EXPORTS).iterdir()) == []


def test_a_zip_that_would_take_days_is_refused_at_once(tmp_path: Path) -> None:
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(1101):
            archive.writestr(f"recordings/{number}.opus", b"")
    assert [found.text for found in check(many)] == ["has 1101 members: 1100 are the most that a box makes"]
    over = io.BytesIO()
    with zipfile.ZipFile(over, "w") as archive:
        archive.writestr("one", b"x" * 100_000)
        for number in range(100):                 # each says to lie where the first does
            twin = copy.copy(archive.infolist()[0])
            twin.filename = twin.orig_filename = f"twin{number}"
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    assert [found.text for found in check(over)] == ["its members lie over one another"]


def test_what_strangers_wrote_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("manifest.json", "manifest.sig", "public-key.pem"):
            archive.writestr(name, "\x1b[2J\x1b]0;all holds\x07")
    said = CliRunner().invoke(main, ["verify", str(path)])
    assert (said.exit_code, "BAD" in said.output) == (1, True)
    line = beside("\x1b[31mgood  ", "names \u202egpo.exe\x9b1m and 录音\u3000一号", None)
    assert line == "\\x1b[31mgood  names \\u202egpo.exe\\x9b1m and 录音\u3000一号"
    assert all(one.isprintable() for one in said.output.replace("\n", ""))
