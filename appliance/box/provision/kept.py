"""What is kept of provisioning on the data partition, and what a boot makes of it. A boot waits: little is
imported.

`root` is / on a box.
"""

import contextlib
import fcntl
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from appliance.box.backup.durable import make_folder, move, sync_folder, write_file
from appliance.box.provision import plan

FOLDER = "data/provision"                         # paths are below the root folder
PROVISIONED = f"{FOLDER}/provisioned.json"
CLAIM = f"{FOLDER}/claim-code"
ADMIN_KEYS = "data/ssh/authorized_keys/admin"     # sshd: AuthorizedKeysFile /data/ssh/authorized_keys/%u
SETUP_CODE = "data/branchline/state/setup-code"   # webui's
CONFIG = "data/branchline/config"
RUN = "run/branchline-provision"
CANDIDATE = f"{RUN}/candidate.json"               # a network on trial: in memory, a boot takes it back
TOLD, CLAIM_NOW, CLAIM_LOCK = f"{RUN}/told", f"{RUN}/claim-code", f"{RUN}/claim-lock"
MADE_BY = 1                                       # raised with what plan.py makes: then it is made anew

CODE_SIGNS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"     # none that looks like another
WRONG_CODE_S = 2.0                                # after each: 30^12 guesses take a while

Json = dict[str, Any]


class Provisioned(NamedTuple):
    """`document`: as JSON, without the set-up code; `files`: what plan.py made of it."""

    source: str                                   # stick, dhcp, web, console, command
    at: float
    document: Json
    files: plan.Files
    made_by: int = MADE_BY


class Candidate(NamedTuple):
    """A network that is tried out. `until` and `at` of the clock since boot, which nobody sets."""

    network: list[Json]
    files: plan.Files
    at: float
    until: float


class Kept:
    """OSError: the disk."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def provisioned(self) -> Provisioned | None:
        """None: there is none, or it cannot be read, which is as good as none.

        What a later version of us added to it is passed over: after a roll-back the box is still itself.
        """
        try:
            record = json.loads((self.root / PROVISIONED).read_bytes())
            return Provisioned(**{name: record[name] for name in Provisioned._fields})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, provisioned: Provisioned) -> None:
        """The one step that makes the box a provisioned one."""
        write_file(self.root / PROVISIONED, json.dumps(provisioned._asdict(), indent=1).encode())

    def candidate(self) -> Candidate | None:
        try:
            return Candidate(**json.loads((self.root / CANDIDATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def try_out(self, candidate: Candidate | None) -> None:
        """None: nothing is on trial any more."""
        if candidate is None:
            (self.root / CANDIDATE).unlink(missing_ok=True)
        else:
            write_file(self.root / CANDIDATE, json.dumps(candidate._asdict()).encode())

    def claim_code(self) -> str:
        """What shows that a person has the box before him; made at the first call and kept.

        On a disk that takes nothing it is kept until the next boot.
        """
        if code := self.made_claim_code():
            return code
        import secrets  # here, and below: it brings OpenSSL, which the consoles' fronts do without

        code = "-".join("".join(secrets.choice(CODE_SIGNS) for _ in range(4)) for _ in range(3))
        try:
            write_file(self.root / CLAIM, code.encode())
        except OSError:
            write_file(self.root / CLAIM_NOW, code.encode())
        return code

    def made_claim_code(self) -> str:
        """"": none was made, or who asks may not know it."""
        for name in (CLAIM, CLAIM_NOW):
            try:
                if code := (self.root / name).read_text("ascii").strip():
                    return code
            except (OSError, UnicodeDecodeError):              # one that is damaged is none
                continue
        return ""

    def claims(self, typed: str) -> bool:
        """A wrong code costs WRONG_CODE_S."""
        import secrets

        wanted, given = ("".join(sign for sign in text.upper() if sign.isalnum() and sign.isascii())
                         for text in (self.claim_code(), typed))
        lock = self.root / CLAIM_LOCK
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
            if secrets.compare_digest(wanted, given):
                return True
            time.sleep(WRONG_CODE_S)
            return False

    def tell(self, text: str) -> None:
        """What the consoles show of the last attempt."""
        write_file(self.root / TOLD, text.encode())

    def told(self) -> str:
        """"": nothing."""
        try:
            return (self.root / TOLD).read_text(errors="replace")
        except OSError:
            return ""

    def write(self, files: plan.Files, time_zone: str = "UTC") -> None:
        """The files of a plan where they are read, in place of those that another plan made there."""
        folder = self.root / plan.NETWORK_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        stale = {*folder.glob("*-branchline-*.network"), *folder.glob("20-port*"),
                 self.root / plan.TIMESYNCD, self.root / plan.PTP4L}
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.new")
            new.write_text(text)
            new.chmod(0o644)
            new.rename(path)
            stale.discard(path)
        for path in stale:
            path.unlink(missing_ok=True)
        self._zone(time_zone)

    def boot(self) -> Provisioned | None:
        """Make what daemons of the system read; a document that is not there leaves DHCP and a claim code."""
        found = self.provisioned()
        if found is None:
            self.write(plan.unprovisioned())
            self.claim_code()
            hostname = plan.UNPROVISIONED
        else:
            if found.made_by != MADE_BY:          # another version of us kept it
                found = self._made_anew(found)
            self.write(found.files, found.document["time_zone"])
            hostname = found.document["hostname"]
        if self.root == Path("/"):
            socket.sethostname(hostname)
        return found

    def _made_anew(self, found: Provisioned) -> Provisioned:
        from appliance.box.provision.document import kept_document
        try:
            document = kept_document(found.document)
        except ValueError as error:               # of a later version: its files are texts, and hold
            print(f"the document of another version is left as it is: {error}", file=sys.stderr)
            return found
        new = Provisioned(found.source, found.at, document.model_dump(mode="json"), plan.files(document))
        with contextlib.suppress(OSError):        # a disk that takes nothing: made anew at each boot
            self.keep(new)
        return new

    def _zone(self, time_zone: str) -> None:
        link = self.root / "etc/localtime"
        link.parent.mkdir(parents=True, exist_ok=True)
        new = link.with_name(".localtime.new")
        new.unlink(missing_ok=True)
        new.symlink_to(f"/usr/share/zoneinfo/{time_zone}")
        new.rename(link)


def hostname(root: Path = Path("/")) -> str:
    """The box's own. A daemon that may not change it keeps seeing the one that it was started with."""
    try:
        return (root / "etc/hostname").read_text().strip() or socket.gethostname()
    except OSError:
        return socket.gethostname()


def since_boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def swap_folder(new: Path, place: Path) -> None:
    """`new` in the place of what is there, which goes to <name>.before; a power cut leaves one of the two."""
    make_folder(place.parent, 0o755)
    before = place.with_name(f"{place.name}.before")
    if place.exists():
        if before.exists():
            remove(before)
        move(place, before)
    move(new, place)


def remove(folder: Path) -> None:
    for path, folders, names in os.walk(folder, topdown=False):
        for name in names:
            (Path(path) / name).unlink()
        for name in folders:
            inner = Path(path) / name
            inner.unlink() if inner.is_symlink() else inner.rmdir()
    folder.rmdir()
    sync_folder(folder.parent)
