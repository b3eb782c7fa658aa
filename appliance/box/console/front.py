"""What a console shows while nobody is before it, in so little memory that there may be one on every port.

`python -m appliance.box.console.front`: a key starts the menu in its place (branchline console --once); the
unit starts it anew when the menu has ended.
"""

import os
import socket
import sys
import time

from appliance.box.console.terminal import Gone, Idle, Terminal
from appliance.box.console.words import Language, words
from appliance.box.provision.kept import SETUP_CODE, Kept
from appliance.box.provision.plan import FILE

LOOK_S = 5.0
MENU = ("/usr/bin/branchline", "console", "--once")
WEB_URL, WEB_CERTIFICATE = "run/branchline/web.url", "run/branchline/web.certificate"    # webui's
FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))         # RFC 5737, RFC 3849


def addresses() -> list[str]:
    """Those that somebody else may reach, by asking the kernel which one it would send from."""
    found = []
    for family, far in FAR:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))           # sends nothing
                found.append(str(probe.getsockname()[0]))
            except OSError:
                continue
    return found


def lines(kept: Kept, language: Language) -> list[str]:
    """The box's name and addresses; of a new one the codes that it is claimed with, too."""
    said = [f"Branchline  {socket.gethostname()}",
            words(language, "addresses", what=", ".join(addresses()) or words(language, "none")),
            *pages(kept, language)]
    if kept.provisioned() is None:
        said += ["", words(language, "new", code=kept.claim_code())]
        try:
            said.append(words(language, "set-up", code=(kept.root / SETUP_CODE).read_text().strip()))
        except OSError:                           # webui has not made it yet, or there is an administrator
            pass
        said += [words(language, "ways", file=FILE), *kept.told().splitlines()]
    return said


def pages(kept: Kept, language: Language) -> list[str]:
    """Where a browser finds the pages and by what it knows them; nothing while only this machine may come."""
    try:
        scheme, _, here = (kept.root / WEB_URL).read_text().strip().rstrip("/").partition("://")
        certificate = (kept.root / WEB_CERTIFICATE).read_text().strip()
    except OSError:
        return []
    port = here.rpartition(":")[2]
    hosts = [f"[{address}]" if ":" in address else address for address in addresses()]
    reached = [f"{scheme}://{host}:{port}" for host in hosts]
    return [words(language, "pages", what=" ".join(reached) or words(language, "none")),
            words(language, "certificate", what=certificate)]


def language_of(kept: Kept) -> Language:
    found = kept.provisioned()
    return "zh" if found is not None and found.document.get("language") == "zh" else "en"


def show(terminal: Terminal, kept: Kept) -> None:
    """Until a key; anew whenever what there is to show has changed. Gone: the line was hung up."""
    shown: list[str] = []
    while True:
        language: Language = "en" if os.environ.get("TERM") == "linux" else language_of(kept)
        said = [*lines(kept, language), "", words(language, "key")]
        if said != shown:
            terminal.clear()
            terminal.say("\n".join(said))
            shown = said
        if terminal.pressed(LOOK_S):
            return


def main() -> int:
    try:
        with Terminal(sys.stdin.fileno(), sys.stdout.fileno(), LOOK_S) as terminal:
            show(terminal, Kept())
    except (Gone, Idle):
        time.sleep(1.0)                           # a port without hardware is hung up at once
        return 0
    os.execv(MENU[0], MENU)


if __name__ == "__main__":
    sys.exit(main())
