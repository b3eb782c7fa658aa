"""A flow file put in place at once; on an installed box by root, whose it is."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from appliance.box.document.place import octets_of, replace
from appliance.box.flows.folder import MOST_TEXT_OCTETS, Folder, outline
from appliance.box.privileged.verb import Tell, Value, Verb, VerbError
from appliance.bus.client import Refused
from appliance.errors import ConfigError

NEW = "flow.new"                                  # in the state folder: what root is to put in place


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: Annotated[str, msgspec.Meta(max_length=200)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]  # of the file NEW


def put(folder: Folder, file: str, text: str) -> None:
    """Whole or as it was. Refused: it is no flow, or another kind of file is there. OSError: as it was."""
    path = folder.path(file)
    if outline(text) is None:
        raise Refused(f"{file}: is no flow: it has neither start nor nodes")
    try:
        there = folder.text(file)
    except ConfigError as error:
        raise Refused(f"{error}: it is left alone") from None
    if there is not None and not is_ours(there):
        raise Refused(f"{file}: is there already, and is no flow")
    replace(path, text.encode(), like=folder.document)


def is_ours(text: str) -> bool:
    """A flow, or what an edit by hand has left of one: nothing with keys of something else."""
    return outline(text) is not None or "nodes:" in text or not text.strip()


def verb(environment: Mapping[str, str]) -> Verb:
    """root's: what boxd has left in the state folder becomes a flow file beside the document."""
    def write(asked: Written, tell: Tell) -> dict[str, Value]:
        try:
            folder = Folder(Path(environment["BRANCHLINE_CONFIG"]))
            new = Path(environment["BRANCHLINE_STATE_DIR"]) / NEW
        except KeyError as missing:
            raise VerbError(f"{missing} is not in /etc/branchline/defaults") from None
        octets = octets_of(new, MOST_TEXT_OCTETS)
        if hashlib.sha256(octets).hexdigest() != asked.sha256:
            raise VerbError(f"{new}: is not what was asked for")
        try:
            _all_owned(folder, asked.file)
            put(folder, asked.file, octets.decode("utf-8"))
        except UnicodeDecodeError:
            raise VerbError(f"{new}: is not UTF-8") from None
        except Refused as error:
            raise VerbError(str(error)) from None
        except OSError as error:
            raise VerbError(f"{asked.file}: {error.strerror}") from None
        return {}
    return Verb(Written, write)


def _all_owned(folder: Folder, file: str) -> None:
    """VerbError: somebody else could lead root elsewhere, by a folder on the way that is not its owner's."""
    owner, way = folder.folder.stat().st_uid, folder.folder
    for part in Path(file).parts[:-1]:
        way /= part
        found = way.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            raise VerbError(f"{file}: {way} is no folder of who owns {folder.folder}")
