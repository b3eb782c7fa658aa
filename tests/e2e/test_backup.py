"""A box is backed up while it works, and another one is made from the backup."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import GetContacts, GetRecorder, SearchRecordings
from appliance.centre.rebuild import rebuild
from tests.e2e.calls import branchline, contact_of, heard_again, talk
from tests.e2e.rig import CONFIG, FLOW, Rig
from webui.users import Users, session_key

PASSPHRASE = "one safe of many words"
SOON_S = 20.0


@pytest.fixture
def rig_options(tmp_path: Path) -> dict[str, Any]:
    return {"config": {**CONFIG, "backup": {"path": str(tmp_path / "stick"), "mounted": False}},
            "flow": FLOW}


def command(*words: object, said: str = PASSPHRASE) -> str:
    """What `branchline backup` prints. AssertionError: it fails."""
    done = subprocess.run([sys.executable, "-m", "appliance.launch", "backup", *map(str, words)],
                          input=said + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_box_is_made_from_a_backup_that_was_taken_during_calls(rig: Rig, tmp_path: Path) -> None:
    users = Users(rig.state_dir / "users.sqlite")
    users.create_first("admin", "correct horse")
    command("passphrase", "--state-dir", rig.state_dir, "--passphrase-file", "-")
    before = talk(rig)
    before.caller.hang_up()
    contact = contact_of(rig, before.caller.calling, within_s=SOON_S)
    recording = contact.segments[-1].recording
    sound = heard_again(rig, recording, tmp_path)
    during = talk(rig)

    made = Path(branchline(rig, "backup", "now").partition(":")[0])

    during.caller.hang_up()
    contact_of(rig, during.caller.calling, within_s=SOON_S)
    assert [path.name for path in (tmp_path / "stick").iterdir()] == [made.name]
    assert PASSPHRASE.encode() not in made.read_bytes()
    held = command("verify", made, "--state-dir", rig.state_dir)
    for name in ("acd", "recordings/recordings", "users", "lines", "traces"):
        assert f"good state/{name}.sqlite: whole" in held
    known = sorted(one.contact for one in rig.bus.ask(GetContacts(offset=0, limit=100)).contacts)
    signed = session_key(rig.state_dir / "session-key")
    audio = rig.folder / "audio"
    rig.kill_everything(power_cut=True)
    shutil.copytree(rig.state_dir / "recordings", audio, ignore=shutil.ignore_patterns(
        "*.sqlite*", "keys", "journal"))
    shutil.rmtree(rig.state_dir)                  # the box burns down; the audio was in the archive
    config = rig.config_path.parent
    shutil.rmtree(config)

    told = command("restore", made, "--to", rig.state_dir, "--config-to", config, "--passphrase-file", "-")
    assert "copy YYYY/MM/DD" in told
    shutil.copytree(audio, rig.state_dir / "recordings", dirs_exist_ok=True)
    rig.start_everything()

    contacts = rig.bus.ask_until(GetContacts(offset=0, limit=100), lambda there: all(
        one.state == "ended" for one in there.contacts), SOON_S).contacts
    assert sorted(one.contact for one in contacts) == known          # that of the call that went on, too
    assert rig.bus.ask(SearchRecordings()).rows[0].recording == recording
    again = heard_again(rig, recording, tmp_path)
    assert (again.left.tobytes(), again.right.tobytes()) == (sound.left.tobytes(), sound.right.tobytes())
    assert not rig.bus.ask(GetRecorder()).warnings
    branchline(rig, "recordings", "verify-chain")
    assert "restored" in branchline(rig, "recordings", "chain")      # and that what came after is not in it
    assert Users(rig.state_dir / "users.sqlite").sign_in("admin", "correct horse")
    assert session_key(rig.state_dir / "session-key") == signed
    after = talk(rig)                             # it works
    after.caller.hang_up()
    contact_of(rig, after.caller.calling, within_s=SOON_S)
    listed = branchline(rig, "backup", "list")
    assert "no backups" not in listed and "passphrase" not in listed          # it goes on by itself
    assert rig.complaints() == []
    for daemon in ("boxd", "acdd"):
        rig.kill(daemon)
    rows = rebuild(rig.state_dir)
    assert rows["contacts"] == len(known) + 1
