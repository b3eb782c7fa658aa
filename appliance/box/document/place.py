"""The file of the document replaced at once; on an installed box by root, whose it is."""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from appliance.box.backup.durable import sync_folder
from appliance.box.privileged.verb import Tell, Value, Verb, VerbError
from appliance.config.load import MAX_OCTETS, load

NEW = "document.new"                              # in the state folder: what root is to put in place


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]  # of the file NEW


def replace(path: Path, octets: bytes, like: Path | None = None) -> None:
    """Whole or as it was, over any power cut; whose it is and who may read it stay. OSError: as it was.

    A new file is as open as `like`.
    """
    path = path.resolve()                         # a link stays one
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    try:
        was = (like if like is not None and not path.exists() else path).stat()
        mode, owner = stat.S_IMODE(was.st_mode), (was.st_uid, was.st_gid)
    except FileNotFoundError:
        mode, owner = 0o640, None
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        new.rename(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def verb(environment: Mapping[str, str]) -> Verb:
    """root's: what boxd has left in the state folder becomes the document, when it is one."""
    def write(asked: Written, tell: Tell) -> dict[str, Value]:
        try:
            document = Path(environment["BRANCHLINE_CONFIG"])
            new = Path(environment["BRANCHLINE_STATE_DIR"]) / NEW
        except KeyError as missing:
            raise VerbError(f"{missing} is not in /etc/branchline/defaults") from None
        octets = octets_of(new)
        if hashlib.sha256(octets).hexdigest() != asked.sha256:
            raise VerbError(f"{new}: is not what was asked for")
        try:
            load(document, octets.decode("utf-8"))
            replace(document, octets)
        except UnicodeDecodeError:
            raise VerbError(f"{new}: is not UTF-8") from None
        except OSError as error:
            raise VerbError(f"{document}: {error.strerror}") from None
        return {}
    return Verb(Written, write)


def octets_of(path: Path, most_octets: int = MAX_OCTETS) -> bytes:
    """Of an ordinary file: boxd could have put anything there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise VerbError(f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise VerbError(f"{path}: is no file")
        octets = file.read(most_octets + 1)
    if len(octets) > most_octets:
        raise VerbError(f"{path}: larger than {most_octets} octets")
    return octets
