"""Who looks at live pages, as a program of its own: python -m tests.bench.page_readers RUN_DIR BOARDS WALLS.

URL and cookie come as JSON on stdin, then a line to begin and one to end; what came of it goes to stdout as
JSON: ms from a word on the bus to each page that shows it. Of boards: from the line's word of a caller until
his number is there; of walls: from acdd's word until it shows since when the next in line of a queue waits.
"""

import asyncio
import json
import math
import re
import sys
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from appliance.bus.client import Bus
from appliance.bus.messages import Board, CallIncoming, Event

NUMBER = re.compile(rb"139\d{8}")
SINCE = re.compile(rb'data-since=\\"([0-9.]+)')
SHOWN = 6                                         # queues of a wall; of others it does not tell
NEVER_MS = 10_000.0
LONGEST_OCTETS = 16 * 1024 * 1024                 # of one event of a stream


class Readers:
    def __init__(self, url: str, cookie: str) -> None:
        self._url, self._cookie = urlsplit(url), cookie
        self.said: dict[bytes, float] = {}        # by mark
        self.seen: dict[str, list[dict[bytes, float]]] = defaultdict(list)
        self.events = self.octets = 0

    async def hear(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, CallIncoming):
            self.said.setdefault(event.calling.encode(), now)
        if isinstance(event, Board):
            for queue in event.queues[:SHOWN]:
                self.said.setdefault(b"%.3f" % queue.oldest_since, now)

    async def read(self, path: str, mark: "re.Pattern[bytes]", language: str) -> None:
        """Until cancelled; raises when the stream ends."""
        reader, writer = await asyncio.open_connection(
            self._url.hostname, self._url.port, limit=LONGEST_OCTETS)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: box\r\nAccept: text/event-stream\r\n"
                     f"Cookie: {self._cookie}; language={language}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(f"{path}: {head.decode(errors='replace')}")
        seen: dict[bytes, float] = {}
        self.seen[path].append(seen)
        while True:
            event = await reader.readuntil(b"\n\n")
            now = time.monotonic()
            self.events, self.octets = self.events + 1, self.octets + len(event)
            for one in set(mark.findall(event)) - seen.keys():
                seen[one] = now

    def found(self, path: str, since: float, until: float) -> list[float]:
        """ms from each word until a page shows what it said or what came after; NEVER_MS: it did not."""
        marks = [(one, at) for one, at in sorted(self.said.items(), key=lambda pair: pair[1])
                 if at >= since and any(one in seen for seen in self.seen[path])]
        found = []
        for seen in self.seen[path]:
            shown = math.inf
            for one, at in reversed(marks):
                shown = min(shown, seen.get(one, math.inf))
                if at < until:
                    found.append(min(1000 * (shown - at), NEVER_MS))
        return found


BOARD, WALL = "/floor/events?lines=1", "/floor/wall/events?lines=1"      # as live.js asks


async def run(run_dir: Path, boards: int, walls: int) -> None:
    loop, stdin = asyncio.get_running_loop(), sys.stdin
    start = json.loads(stdin.readline())
    readers = Readers(start["url"], start["cookie"])
    bus = await Bus.connect(run_dir, "boxd")
    for daemon in ("trunkd", "acdd"):
        await bus.hear(daemon, readers.hear)
    async with asyncio.TaskGroup() as group:
        pages = [group.create_task(readers.read(BOARD, NUMBER, ("zh", "en")[place % 2]))
                 for place in range(boards)]
        pages += [group.create_task(readers.read(WALL, SINCE, ("zh", "en")[place % 2]))
                  for place in range(walls)]
        print("there", flush=True)
        await loop.run_in_executor(None, stdin.readline)
        began, events, octets = time.monotonic(), readers.events, readers.octets
        await loop.run_in_executor(None, stdin.readline)
        ended, events, octets = time.monotonic(), readers.events - events, readers.octets - octets
        await asyncio.sleep(2.0)
        print(json.dumps({
            "board": readers.found(BOARD, began, ended - 2.0),
            "wall": readers.found(WALL, began, ended - 2.0),
            "events": events / (ended - began), "octets": octets / (ended - began)}), flush=True)
        for page in pages:
            page.cancel()
    await bus.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
