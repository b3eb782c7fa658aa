"""The box's keys: private, durable, whole or put aside; an older one is destroyed for good."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from appliance.errors import Unavailable
from appliance.recording.vault.keys import Keys, fingerprint, pem
from appliance.store.sealed import KeyGone, Tampered, Wrapped

KEY = b"k" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "keys"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_made_once_and_for_the_owner_only(folder: Path) -> None:
    old_mask = os.umask(0)
    try:
        keys = Keys(folder)
    finally:
        os.umask(old_mask)
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    again = Keys(folder)
    assert (again.ids, again.public_key) == (keys.ids, keys.public_key)
    assert again.unwrap(keys.wrap(KEY)) == KEY
    assert load_pem_public_key(pem(keys.public_key)) == Ed25519PublicKey.from_public_bytes(keys.public_key)
    assert len(fingerprint(keys.public_key)) == 64


def test_keys_that_others_could_read_are_closed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    Keys(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    folder.chmod(0o755)
    Keys(folder)
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert "others could read it" in caplog.text


def test_an_older_key_opens_until_it_is_destroyed(folder: Path) -> None:
    keys = Keys(folder)
    first, wrapped = keys.current, keys.wrap(KEY)
    octets = next(folder.glob(f"*{first}*")).read_bytes()
    os.link(next(folder.glob(f"*{first}*")), folder / "what the disk keeps")
    second = keys.rotate()
    assert Keys(folder).ids == keys.ids == [first, second]
    assert keys.unwrap(wrapped) == KEY
    with pytest.raises(ValueError):
        keys.forget(second)
    keys.forget(first)
    assert octets[:32] not in (folder / "what the disk keeps").read_bytes()
    with pytest.raises(KeyGone):
        keys.unwrap(wrapped)
    assert Keys(folder).ids == [second]
    with pytest.raises(ValueError):
        keys.forget(first)
    assert Keys(folder).rotate() != second
    assert Keys(folder).ids[0] == second


def test_a_damaged_key_is_put_aside(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = Keys(folder)
    wrapped, public = keys.wrap(KEY), keys.public_key
    for path in folder.iterdir():
        path.write_bytes(b"\xff" + path.read_bytes()[1:])
    again = Keys(folder)
    assert again.ids != keys.ids
    assert again.public_key != public
    assert "restored from a backup" in caplog.text
    with pytest.raises(KeyGone):
        again.unwrap(wrapped)
    assert len(list(folder.glob("*.damaged"))) == 2


def test_a_power_cut_while_a_key_is_made_leaves_none_or_all(folder: Path) -> None:
    ids = Keys(folder).ids
    (folder / ".000002-0123.key.new").write_bytes(b"half")
    assert Keys(folder).ids == ids
    assert not list(folder.glob(".*"))


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(Unavailable, match="keys of recordings cannot be read or made"):
        Keys(tmp_path / "keys")


def test_a_changed_wrapped_key_is_found_and_no_secret_is_shown(folder: Path) -> None:
    keys = Keys(folder)
    wrapped = keys.wrap(KEY)
    with pytest.raises(Tampered):
        keys.unwrap(Wrapped(wrapped.by, bytes([wrapped.octets[0] ^ 1]) + wrapped.octets[1:]))
    secrets = [path.read_bytes()[:32] for path in folder.iterdir()]
    shown = repr(keys) + repr(wrapped) + str(vars(keys)["_signing"])
    assert not any(secret.hex() in shown or repr(secret)[2:-1] in shown for secret in secrets)
