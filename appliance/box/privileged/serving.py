"""root's side of one connection: `python -m appliance.box.privileged.serving`, started for it by systemd.

The connection is the standard input. Who is at its other end is asked of the kernel (SO_PEERCRED).
"""

import contextlib
import fcntl
import logging
import os
import pwd
import resource
import socket
import struct
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from appliance.box.privileged.verb import BUSY, MOST_OCTETS, Order, Outcome, Progress, Verb, VerbError
from appliance.errors import BranchlineError

ASKS = ("root", "branchline-boxd")                # users
SAYS_WITHIN_S = 10.0
LOCK = Path("/run/branchline-root.lock")          # held by a verb that runs alone; no daemon's

_PEER = struct.Struct("iII")                      # pid, uid, gid: unix(7)

log = logging.getLogger(__name__)


def serve(line: socket.socket, verbs: Mapping[str, Verb], allowed: Collection[int], lock: Path) -> None:
    """Hear one order, do it, say what came of it. `allowed`: uids."""
    line.settimeout(SAYS_WITHIN_S)
    pid, uid, _ = _PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))

    def tell(text: str, share: float) -> None:
        _say(line, Progress(text, share))

    try:
        if uid not in allowed:
            raise VerbError(f"user {uid} may not ask this")
        order = _read(line)
        if (verb := verbs.get(order.verb)) is None:
            raise VerbError(f"{order.verb[:40]!r}: no such verb, there are {', '.join(sorted(verbs))}")
        try:
            arguments = msgspec.json.decode(order.arguments, type=verb.arguments)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise VerbError(f"{order.verb}: {error}") from None
        with _alone(lock, order.verb) if not verb.beside else contextlib.nullcontext():
            log.info("%s for pid %d, user %d", order.verb, pid, uid)
            outcome = Outcome(result=verb.act(arguments, tell))
    except BranchlineError as no:
        log.warning("refused: %s", no)
        outcome = Outcome(refused=str(no)[:MOST_OCTETS // 4])
    except Exception as error:
        log.exception("failed")
        outcome = Outcome(refused=f"failed: {error}"[:MOST_OCTETS // 4])
    _say(line, outcome)


def _read(line: socket.socket) -> Order:
    octets = b""
    try:
        while not octets.endswith(b"\n"):
            more = line.recv(MOST_OCTETS + 1 - len(octets))
            octets += more
            if not more or len(octets) > MOST_OCTETS:
                raise VerbError(f"no order: one line of JSON, at most {MOST_OCTETS} octets")
        return msgspec.json.decode(octets, type=Order)
    except OSError:
        raise VerbError(f"no order within {SAYS_WITHIN_S:g} s") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise VerbError(f"no order: {error}") from None


@contextlib.contextmanager
def _alone(lock: Path, verb: str) -> Iterator[None]:
    """VerbError: another one is under way."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise VerbError(f"{file.read(40) or 'another'} {BUSY}") from None
        file.truncate(0)
        file.write(verb)
        file.flush()
        yield
        file.truncate(0)


def _say(line: socket.socket, what: Progress | Outcome) -> None:
    """Who asked may be gone: the verb goes on."""
    with contextlib.suppress(OSError):
        line.sendall(msgspec.json.encode(what) + b"\n")


def main() -> int:
    from appliance.box.privileged.verbs import VERBS  # tests of this file need no verb of the box

    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    allowed = [pwd.getpwnam(name).pw_uid for name in ASKS]
    with socket.socket(fileno=os.dup(0)) as line:
        serve(line, VERBS, allowed, LOCK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
