"""The first configuration of a box: the example that comes with the package, with the lines of its board."""

import json
import os
import shutil
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import board
from appliance.box.backup.durable import make_folder, move, write_file
from appliance.box.provision.kept import CONFIG

EXAMPLE = "usr/share/branchline/example/branchline.yaml"         # paths are below the root folder
BOARD = "etc/branchline/board"
GROUP = "branchline"                                             # of the daemons, which read it
# Installers have nothing but a browser, which comes by HTTPS; a package leaves that to who installs it.
OWN, EVERYBODY = "127.0.0.1", str(IPv4Address(0))


def lay(root: Path = Path("/"), own: Callable[[int, str, str], None] = shutil.chown) -> bool:
    """True: it was written. Not over one that anybody has changed, nor where the board has no lines.

    OSError: the disk, or there is no example; BoardError; LookupError: there is no such group.
    """
    described = board.of_this_box(root / BOARD)
    if described is None or not described.spans:
        return False
    place = root / CONFIG / "branchline.yaml"
    example = (root / EXAMPLE).read_bytes()
    if place.exists() and place.read_bytes() != example:
        return False
    new = place.with_name("branchline.yaml.first")
    make_folder(place.parent, 0o750)
    write_file(new, text(example.decode(), described).encode())
    descriptor = os.open(new, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)    # a daemon may put links there
    try:
        own(descriptor, "root", GROUP)
        os.fchmod(descriptor, 0o640)
    finally:
        os.close(descriptor)
    move(new, place)
    return True


def text(example: str, described: board.Board) -> str:
    """`example` with the spans and the line card of the board in place of its own, which come first in it."""
    lines = [
        f"# {described.name}. The lines are the board's; numbers, queues and agents are to be written.",
        "# After a change: branchline check and reload; for a new span: systemctl restart branchline.target",
        "spans:",
        "  # docs/line.md has what a URL may say besides: line code, haul, impedance, CRC-4.",
        *(f"  - {{name: {span.name}, url: {json.dumps(span.url)}, side: user, trunk: telco}}"
          for span in described.spans)]
    if described.linecard:
        lines += ["", "cards:", f"  - {{name: linecard, control: {described.linecard.control}}}"]
    _, _, others = example.partition("\n\n")
    # Whoever installs it has the ssh of his own machine; what a finished box offers is for its owner to say.
    lines += ["", "# Lets in ssh of before 2024, such as Debian 12's; else newer ones alone: docs/ssh.md.",
              "console: {older_clients: true}"]
    others = others.replace(f"  host: {OWN}\n", f"  host: {EVERYBODY}    # by HTTPS: docs/certificate.md\n")
    return "\n".join([*lines, "", others])
