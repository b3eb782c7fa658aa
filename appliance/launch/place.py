"""Where a box lives on a disk: its folders, and the lock that keeps a second launcher out."""

import contextlib
import fcntl
import os
import pwd
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import Unavailable

SOCKET_PATH_OCTETS = 107                          # sun_path without its end, unix(7)
OWNERS = Path("/usr/share/branchline/owners.conf")                   # of an installed box, tmpfiles.d(5)
SOCKET_NAME_OCTETS = 40                           # the longest name below the run folder: a span's has 32


class CannotStart(Unavailable):
    """Why nothing was started, and what to do. `code` is sysexits'."""

    def __init__(self, text: str, code: int = os.EX_UNAVAILABLE) -> None:
        super().__init__(text)
        self.code = code


def make(folder: Path, mode: int) -> Path:
    """The folder, made if it is not there, as an absolute path. CannotStart: strangers may write there."""
    folder = folder.absolute()
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        owners, there = {folder.lstat().st_uid, folder.stat().st_uid}, folder.stat()
    except OSError as error:
        raise CannotStart(f"{folder}: {error.strerror}", os.EX_CANTCREAT) from None
    if owners != {os.geteuid()} or there.st_mode & stat.S_IWOTH:     # what is in it leads anywhere, then
        raise CannotStart(f"{folder}: belongs to another user, or all may write there: choose another "
                          "folder, or chown it to the user that starts the box and chmod o-w", os.EX_NOPERM)
    return folder


def become_owner(path: Path) -> None:
    """Of root: go on as the user whose the file is, as what is made beside it must be; of others: nothing."""
    with contextlib.suppress(FileNotFoundError):
        if os.geteuid() == 0 and (owner := path.stat().st_uid) != 0:
            user = pwd.getpwuid(owner)
            os.initgroups(user.pw_name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(owner)


def give_back() -> None:
    """What root made in the state folder of an installed box goes to the users of its daemons."""
    if os.geteuid() == 0 and OWNERS.exists():
        done = subprocess.run(["systemd-tmpfiles", "--create", OWNERS], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise CannotStart(f"systemd-tmpfiles --create {OWNERS}: {done.stderr.strip()}", os.EX_OSERR)


def near(folder: Path) -> Path:
    """The same folder, relative when it is below the working folder: a socket's path must not be long."""
    folder, here = folder.absolute(), Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def check_run_dir(run_dir: Path) -> None:
    """Sockets lie in it, and their paths must not be long."""
    most = SOCKET_PATH_OCTETS - SOCKET_NAME_OCTETS
    octets = len(os.fsencode(run_dir))
    if octets > most:
        raise CannotStart(f"{run_dir}: has {octets} octets, a folder for sockets at most {most}: "
                          f"choose a shorter one, e.g. --run-dir /tmp/branchline", os.EX_USAGE)


def check_port_free(host: str, port: int) -> None:
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(f"port {port} of {host}: {error.strerror}: stop what uses it, "
                              f"or choose another with --port (0: any free one)") from None


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. CannotStart names the process that has it, or why it cannot be held."""
    path = folder / "lock"
    try:
        file = path.open("a+")
    except OSError as error:                      # the folder is another user's, say
        raise CannotStart(f"{path}: {error.strerror}", os.EX_CANTCREAT) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip() or "?"
            raise CannotStart(f"{folder}: a box runs here already (pid {holder}): stop it, "
                              f"or choose another --run-dir and --state-dir") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
