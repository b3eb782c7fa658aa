"""A network of its own with a box's firewall, and strangers beyond it: how many connections get through.

`unshare --net python -m tests.box.walled PORT FROM TO MANY OTHER SECONDS`: MANY are begun at once from FROM,
then one from OTHER, which has so many seconds, all to TO. Says {"first": those of MANY that came about,
"other": whether that one did}.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
from typing import Any

from tests.conftest import ROOT

RULES = ROOT / "images/box/root/usr/lib/branchline-box/firewall.nft"
BOX = ("192.0.2.9/24", "2001:db8::9/32", "fe80::9/64")
NEIGHBOUR = ("fe80::2/64",)                       # of a card of its own on the same cable
STRANGERS = ("fe80::1/64", "fe80::1:1/64", "192.0.2.1/24", "192.0.2.2/24",
             "2001:db8:0:1::1/32", "2001:db8:0:1::2/32", "2001:db8:0:2::1/32")
PATIENCE_S = 20.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def up(card: str, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        ip("addr", "add", address, "dev", card, *(["nodad"] if ":" in address else []))
    ip("link", "set", card, "up")


def box(arguments: list[str]) -> str:
    """The box's side, which listens; the strangers are a process in another network."""
    subprocess.run(["nft", "-f", str(RULES)], check=True)
    ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
    beyond = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-m", "tests.box.walled", "beyond", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with beyond, socket.create_server(("::", int(arguments[0])), family=socket.AF_INET6, dualstack_ipv6=True,
                                      backlog=4096):
        if beyond.stdin is None or beyond.stdout is None or beyond.stdout.readline() != "here\n":
            raise RuntimeError("there is no second network")
        ip("link", "set", "far0", "netns", str(beyond.pid))
        up("lan0", BOX)
        print("go", file=beyond.stdin, flush=True)
        return beyond.stdout.readline()


def place(address: str, port: int, ours: str) -> tuple[Any, ...]:
    """Of an address of one cable only, by the card that has ours."""
    if not address.startswith("fe80:"):
        return address, port
    card = "far1" if f"{ours}/64" in NEIGHBOUR else "far0"
    return address, port, 0, socket.if_nametoindex(card)


def strangers(port: str, first: str, to: str, many: str, other: str, within_s: str) -> str:
    print("here", flush=True)
    sys.stdin.readline()
    ip("link", "add", "link", "far0", "name", "far1", "type", "macvlan", "mode", "bridge")
    up("far0", STRANGERS)
    up("far1", NEIGHBOUR)
    with selectors.DefaultSelector() as selector:
        lines = []
        for _ in range(int(many)):
            line = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET)
            line.setblocking(False)
            line.bind(place(first, 0, first))
            line.connect_ex(place(to, int(port), first))
            selector.register(line, selectors.EVENT_WRITE)
            lines.append(line)
        begun = 0
        while begun < 10 and (ready := selector.select(PATIENCE_S)):     # the first of them are there
            for key, _ in ready:
                selector.unregister(key.fileobj)
            begun += len(ready)
        try:
            with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET) as line:
                line.settimeout(float(within_s))
                line.bind(place(other, 0, other))
                line.connect(place(to, int(port), other))
            through = True
        except OSError:
            through = False
        begun += len(selector.select(0))
        for line in lines:
            line.close()
    return json.dumps({"first": begun, "other": through})


if __name__ == "__main__":
    if sys.argv[1] == "beyond":
        print(strangers(*sys.argv[2:]), flush=True)
    else:
        print(box(sys.argv[1:]), end="", flush=True)
    os._exit(0)                                   # without waiting for connections that never came about
