"""The pages: many people who look on while calls come, and every page with a year behind it."""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.bus.client import Bus
from tests.bench import centre_box
from tests.bench.figures import Kind, Say, Theme
from tests.bench.processes import cpu_s, memory
from tests.conftest import ROOT, bus_server_at
from tests.webui.running import webui_at
from tests.webui.test_daemon import Browser, set_up

BOARDS, WALLS = 30, 20
WAITING = 30
MEASURED_S = 20.0
SETTLED_S = 3.0

BOARD_P50, BOARD_P95, WALL_P50, WALL_P95 = (
    "caller comes, number is on the board, p50", "caller comes, number is on the board, p95",
    "next in line, wallboard shows it, p50", "next in line, wallboard shows it, p95")
CPU, RSS, ACDD, EVENTS = ("CPU of webui, 50 live pages", "memory of webui (RSS), 50 live pages",
                          "CPU of acdd beside it", "fragments that pages were sent")


def live(say: Say) -> dict[str, float]:
    return asyncio.run(_live(say))


async def _live(say: Say) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as exits:
        folder = Path(name)
        run_dir = exits.enter_context(bus_server_at(centre_box.lay_out(folder, _serves)))
        buses = [await Bus.connect(run_dir, user) for user in ("trunkd", "spand", "boxd")]
        trunkd, spand, boxd = buses
        lines = centre_box.Lines(trunkd)
        await trunkd.answer(lines.answer)
        await spand.answer(centre_box.done)
        acdd = exits.enter_context(centre_box.acdd(folder, run_dir))
        try:
            web, url = await asyncio.to_thread(exits.enter_context, webui_at(run_dir))
            browser = await asyncio.to_thread(set_up, web, url)
            await centre_box.filled(lines, boxd, WAITING)
            readers = exits.enter_context(_readers(run_dir))
            await asyncio.to_thread(_tell, readers, json.dumps({"url": url, "cookie": _cookie(browser)}))
            await asyncio.to_thread(_answer, readers)
            calls = asyncio.create_task(_calls(lines))
            await asyncio.sleep(SETTLED_S)
            _tell(readers, "begin")
            before, began = (cpu_s(web.process.pid), cpu_s(acdd.pid)), time.monotonic()
            await asyncio.sleep(MEASURED_S)
            spent_s = cpu_s(web.process.pid) - before[0], cpu_s(acdd.pid) - before[1]
            took_s, rss = time.monotonic() - began, memory(web.process.pid).rss_octets
            _tell(readers, "end")
            found = json.loads(await asyncio.to_thread(_answer, readers))
            calls.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await calls
        finally:
            for bus in buses:
                await bus.close()
            acdd.terminate()
            acdd.wait(centre_box.READY_S)
    boards, walls = found["board"], found["wall"]
    say(f"{len(boards)} and {len(walls)} changes seen, {found['octets'] / 1e6:.1f} MB/s")
    if len(boards) < BOARDS * MEASURED_S * 5 or len(walls) < WALLS * MEASURED_S:
        raise ValueError("this floor stands still")
    return {BOARD_P50: statistics.median(boards), BOARD_P95: _p95(boards), WALL_P50: statistics.median(walls),
            WALL_P95: _p95(walls), CPU: 100 * spent_s[0] / took_s, RSS: rss / 1e6,
            ACDD: 100 * spent_s[1] / took_s, EVENTS: found["events"]}


def _serves(queue: int, agent: int) -> bool:
    """Each agent two queues."""
    return queue % (centre_box.QUEUES // 2) == agent % (centre_box.QUEUES // 2)


async def _calls(lines: centre_box.Lines) -> None:
    """One comes and one is served, ten times a second."""
    began, number = time.monotonic(), 0
    while True:
        number += 1
        await asyncio.sleep(max(0.0, began + number / centre_box.CALLS_PER_S - time.monotonic()))
        await lines.arrive()
        await asyncio.sleep(0.5 / centre_box.CALLS_PER_S)
        await lines.hang_up()


@contextlib.contextmanager
def _readers(run_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.bench.page_readers", str(run_dir),
             str(BOARDS), str(WALLS)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    if not (line := process.stdout.readline()):
        raise ValueError("who looks at the pages has ended")
    return line


def _cookie(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


PAGES_LIVE = Theme(
    "pages-live", f"{BOARDS} supervisors' boards and {WALLS} wallboards, half of them in Chinese, look at a "
    f"box with acdd, its log on the disk, and webui: {centre_box.AGENTS} agents talk, {WAITING} callers wait "
    f"in {centre_box.QUEUES} queues, {centre_box.CALLS_PER_S:g} callers a second come and as many are "
    "served. From the line's word of a caller (CallIncoming on the bus) until his number has come to each "
    "board; from acdd's word (Board) until a wallboard tells since when the next in line of a queue on it "
    "waits. Who looks is a process of its own on the same machine.",
    (Kind(BOARD_P50, "ms"), Kind(BOARD_P95, "ms", "under 200"), Kind(WALL_P50, "ms"),
     Kind(WALL_P95, "ms", "under 200"), Kind(CPU, "% of a core", "under 20"), Kind(RSS, "MB", "under 200"),
     Kind(ACDD, "% of a core"), Kind(EVENTS, "events/s")), live)
