"""What seals this box's backups: a key made from the passphrase, which itself is kept nowhere.

Whoever has the box's disk has what is backed up anyway; what he must not have is a passphrase that people use
elsewhere, too. The passphrase alone opens a backup on any machine, without this file.
"""

import os
from pathlib import Path

from appliance.box.backup.durable import write_file
from appliance.box.backup.format import BackupError
from appliance.bus.messages.backup import PASSPHRASE_LEAST
from appliance.store.sealed import KEY_OCTETS, DerivedWrapper

FILE = "key"                                      # in the state folder's `backup`, 0600
_MAGIC = b"branchline backup key 1\n"


def keep(folder: Path, passphrase: str) -> None:
    """Make the key that later backups are sealed with. BackupError: too short, or the disk refuses it."""
    if len(passphrase) < PASSPHRASE_LEAST:
        raise BackupError(
            f"a passphrase has {PASSPHRASE_LEAST} characters at least: four words or more are good")
    store(folder, DerivedWrapper.of(passphrase))


def store(folder: Path, sealing: DerivedWrapper) -> None:
    """BackupError: the disk refuses it."""
    try:
        write_file(folder / FILE, _MAGIC + sealing.key + sealing.head)
    except OSError as error:
        raise BackupError(f"{folder / FILE}: cannot be written: {error.strerror}") from None


def kept(folder: Path) -> DerivedWrapper | None:
    """None: no passphrase was set. BackupError: the file is damaged."""
    path = folder / FILE
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            octets = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BackupError(f"{path}: cannot be read: {error.strerror}") from None
    if not octets.startswith(_MAGIC) or len(octets) <= len(_MAGIC) + KEY_OCTETS:
        raise BackupError(f"{path}: is damaged: set the passphrase again, `branchline backup passphrase`")
    octets = octets[len(_MAGIC):]
    return DerivedWrapper(octets[KEY_OCTETS:], octets[:KEY_OCTETS])
