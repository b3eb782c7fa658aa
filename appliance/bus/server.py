"""nats-server for one box: its configuration and one user per daemon, each with the least it needs.

The launcher writes them, or root before the bus's unit starts; nobody else sees another daemon's password.
"""

import json
import os
import pwd
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from appliance.bus.credentials import credentials_file
from appliance.bus.messages import DAEMONS, MAY_ASK

SERVER = "bus"                                    # who reads the server's own configuration
SBIN = "/usr/sbin"                                # Debian's nats-server; not in an ordinary user's PATH


def program() -> str:
    """The path of nats-server; its bare name when it is not installed."""
    path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{SBIN}"
    return shutil.which("nats-server", path=path) or "nats-server"


def permissions(daemon: str) -> dict[str, object]:
    """What nats-server lets this user do."""
    return {
        "publish": [f"evt.{daemon}.>", *(
            f"req.{one}.>" if isinstance(one, str) else f"req.{one.owner}.{one.__name__}"
            for one in MAY_ASK[daemon])],
        "subscribe": ["evt.>", f"req.{daemon}.>", f"_INBOX.{daemon}.>"],
        "allow_responses": True,
    }


def write(run_dir: Path, port: int, kept: Mapping[str, str] = MappingProxyType({}),
          own: Callable[[int, str], None] = lambda descriptor, who: None) -> Path:
    """Write the server's configuration and all credentials below `run_dir`; the configuration's path.

    Passwords are new but for those `kept` of daemons, files are 0600 in a 0700 folder; `own` gives each to
    whom it is for.
    """
    folder = run_dir / "bus"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = []
    for daemon in DAEMONS:
        password = kept.get(daemon) or secrets.token_urlsafe(24)
        users.append({"user": daemon, "password": password, "permissions": permissions(daemon)})
        card = {"url": f"nats://127.0.0.1:{port}", "user": daemon, "password": password}
        _write_private(credentials_file(run_dir, daemon), json.dumps(card), own, daemon)
    config = {
        "server_name": "branchline", "listen": f"127.0.0.1:{port}", "max_payload": 8 * 1024 * 1024,
        "max_pending": 32 * 1024 * 1024, "max_connections": 64, "max_subscriptions": 64,
        "write_deadline": "2s", "authorization": {"timeout": 2, "users": users},
    }
    path = folder / "nats-server.json"            # its own syntax is a superset of JSON
    _write_private(path, json.dumps(config, indent=1), own, SERVER)
    return path


def kept(run_dir: Path) -> dict[str, str]:
    """Daemon -> password, of those that were written since the machine was started: who has one goes on."""
    found = {}
    for daemon in DAEMONS:
        try:
            found[daemon] = str(json.loads(credentials_file(run_dir, daemon).read_text())["password"])
        except (OSError, ValueError, KeyError):
            continue
    return found


def wait_until_serving(port: int, within_s: float) -> None:
    """Return when the server answers on loopback; TimeoutError after `within_s`."""
    until = time.monotonic() + within_s
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as probe:
                if probe.recv(5) == b"INFO ":
                    return
        except OSError as error:
            if time.monotonic() > until:
                raise TimeoutError(f"nats-server does not answer on 127.0.0.1:{port} ({error})") from None
        time.sleep(0.02)                          # nats-server has no ready signal; its first word is one


def _write_private(path: Path, text: str, own: Callable[[int, str], None], who: str) -> None:
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        own(descriptor, who)
        file.write(text)
    new.rename(path)


def _give(descriptor: int, who: str) -> None:
    user = pwd.getpwnam(f"branchline-{who}")
    os.fchown(descriptor, user.pw_uid, user.pw_gid)


def main(argv: list[str]) -> int:
    """`python -m appliance.bus.server RUN_DIR PORT`: as root, before the bus of a box starts."""
    run_dir = Path(argv[0])
    write(run_dir, int(argv[1]), kept(run_dir), _give)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
