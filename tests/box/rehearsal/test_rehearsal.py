"""Days played again by boxd: what may be ordered, one at a time, stopped, broken off, kept."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.box import results
from appliance.box.rehearsal import area as area_module
from appliance.box.rehearsal.area import BESIDE, MOST_CPU_S, MOST_MEMORY_OCTETS, Rehearsing, command
from appliance.box.rehearsal.kept import FOLDER, MOST, Kept
from appliance.box.rehearsal.ordered import days, mistake
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    BeginRehearsal,
    Event,
    GetRehearsal,
    GetRehearsals,
    Rehearsal,
    RehearsalOrder,
    RehearsalReply,
    Rehearsals,
    RehearsalState,
    StopRehearsal,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])
ORDER = RehearsalOrder(days=["2026-03-02"], changes=["agents=+2"])
SOON_S = 20.0
CAPSET = {"x86_64": 126, "aarch64": 91}           # the system call's number


@pytest.mark.parametrize(("changes", "why"), [
    ({"days": []}, "days: from 1"), ({"days": ["2026-03-02"] * 2}, "each once"),
    ({"days": [f"2026-03-{day:02}" for day in range(1, 9)]}, "days: from 1"),
    ({"days": ["--config=x"]}, "no day"),
    ({"days": ["20260302"]}, "no day"), ({"seeds": 0}, "seeds"), ({"seeds": 10 ** 9}, "seeds"),
    ({"interval_min": 1}, "interval_min"), ({"title": "x\n"}, "title"), ({"title": "x" * 101}, "title"),
    ({"changes": ["agents=+1"] * 41}, "changes"), ({"changes": ["box=/etc/shadow"]}, "no change"),
    ({"changes": ["--state-dir=/"]}, "no change"), ({"changes": ["agents=+1,box=/x"]}, "no change"),
    ({"changes": ["agents=" + "9" * 500]}, "no change")])
def test_what_may_not_be_ordered(changes: dict[str, Any], why: str) -> None:
    assert mistake(ORDER) == ""
    assert why in mistake(msgspec.structs.replace(ORDER, **changes))


class Box:
    def __init__(self, folder: Path, bus: Bus, run_dir: Path) -> None:
        self.said: asyncio.Queue[Event] = asyncio.Queue()
        self.context = Context("boxd", CONFIG, folder, run_dir, bus, asyncio.Event(),
                               config_path=folder / "branchline.yaml")
        self.area = Rehearsing(self.context)

    async def ask(self, request: Any) -> Any:
        return await self.area.answers[type(request)](request)

    async def begin(self) -> str:
        reply = await self.ask(BeginRehearsal(order=ORDER, by="li"))
        assert isinstance(reply, RehearsalReply)
        return reply.rehearsal.rehearsal

    async def until(self, *phases: str) -> Rehearsal:
        async with asyncio.timeout(SOON_S):
            while True:
                said = await self.said.get()
                if isinstance(said, RehearsalState) and said.rehearsal.phase in phases:
                    return said.rehearsal


@contextlib.asynccontextmanager
async def boxd(run_dir: Path, folder: Path) -> AsyncIterator[Box]:
    bus, webui = await Bus.connect(run_dir, "boxd"), await Bus.connect(run_dir, "webui")
    box = Box(folder, bus, run_dir)
    await webui.hear("boxd", box.said.put)
    task = asyncio.create_task(box.area.run(box.context.stop))
    try:
        yield box
    finally:
        box.context.stop.set()
        await asyncio.wait_for(task, SOON_S)
        await bus.close()
        await webui.close()


def player(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """In place of the simulator."""
    script = folder / "player.py"
    script.write_text(text)
    monkeypatch.setattr(area_module, "PLAYER", (sys.executable, str(script)))


async def test_it_is_kept_before_it_is_said_and_one_at_a_time(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player(monkeypatch, tmp_path, """import json, sys
print('{"of": 2}', flush=True)
print('{"done": 1}', flush=True)
print(json.dumps({'result': {'args': sys.argv}}))""")
    async with boxd(bus_server, tmp_path) as box:
        name = await box.begin()
        with pytest.raises(Refused, match="one runs"):
            await box.begin()
        ended = await box.until("done")
        assert ended.rehearsal == name and ended.trouble == ""
        found = await box.ask(GetRehearsal(rehearsal=name))
        assert "2026-03-02" in found.result["args"] and "--what-if=agents=+2" in found.result["args"]
        assert json.loads((tmp_path / FOLDER / f"{name}.json").read_text())["rehearsal"]["phase"] == "done"
        await box.ask(StopRehearsal(rehearsal=name))                 # removed
        assert (await box.ask(GetRehearsals())) == Rehearsals(rehearsals=[], days=[])
        for gone in (name, "../../etc/passwd", ""):
            with pytest.raises(Refused):
                await box.ask(GetRehearsal(rehearsal=gone))
            with pytest.raises(Refused):
                await box.ask(StopRehearsal(rehearsal=gone))


async def test_it_is_stopped_or_broken_off_and_its_child_is_gone(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    player(monkeypatch, tmp_path, f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
                                  "print('{\"of\": 9}', flush=True)\ntime.sleep(60)")
    async with boxd(bus_server, tmp_path) as box:
        name = await box.begin()
        assert (await box.until("running")).of == 9
        await box.ask(StopRehearsal(rehearsal=name))
        assert (await box.ask(GetRehearsal(rehearsal=name))).rehearsal.phase == "stopped"
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)
        await box.begin()
        await box.until("running")
    assert {one.phase for one in Kept(tmp_path / FOLDER).all()} == {"stopped", "broken-off"}
    killed = Rehearsal(rehearsal="1900000000-00000000", order=ORDER, by="li", began_at=1.0, phase="running")
    Kept(tmp_path / FOLDER).keep(killed, {})                         # boxd was killed meanwhile
    async with boxd(bus_server, tmp_path) as box:
        assert (await box.until("broken-off")).rehearsal == killed.rehearsal


@pytest.mark.parametrize(("text", "why"), [
    ("print('junk')", "no JSON"), ("print('[1]')", "no JSON"), ("print('{\"done\": \"x\"}')", "no JSON"),
    ("import sys; sys.exit('2026-03-02: no call of that day can be played')", "no call of that day"),
    ("import os; os.kill(os.getpid(), 24)", "of the processor"),
    ("import os; os.kill(os.getpid(), 9)", "too little memory"),
    ("print('{\"result\": {\"x\": \"' + 'y' * 10_000_000 + '\"}}')", "too large")])
async def test_why_it_could_not_be(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    player(monkeypatch, tmp_path, text)
    async with boxd(bus_server, tmp_path) as box:
        await box.begin()
        assert why in (await box.until("failed")).trouble
        assert box.context.failure is None


async def test_it_is_said_when_the_disk_did_not_take_what_it_came_to(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player(monkeypatch, tmp_path, "print('{\"result\": {}}')")
    async with boxd(bus_server, tmp_path) as box:
        name = await box.begin()

        def full(path: Path, octets: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        monkeypatch.setattr(results, "write_file", full)
        ended = await box.until("done", "failed")
        assert (ended.phase, ended.rehearsal) == ("failed", name) and "No space left" in ended.trouble
        assert (await box.ask(GetRehearsal(rehearsal=name))).rehearsal == ended
        assert (await box.ask(GetRehearsals())).rehearsals == [ended]
        assert set(box.area.beside) == set(box.area.answers)


async def test_a_stop_waits_for_a_beginning_that_is_on_its_way(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player(monkeypatch, tmp_path, "import time; time.sleep(60)")
    async with boxd(bus_server, tmp_path) as box:
        keep, loop = box.area._kept.keep, asyncio.get_running_loop()
        half, onward = asyncio.Event(), threading.Event()

        def slow(one: Rehearsal, result: dict[str, Any]) -> None:
            keep(one, result)
            loop.call_soon_threadsafe(half.set)
            assert onward.wait(SOON_S)
        monkeypatch.setattr(box.area._kept, "keep", slow)
        beginning = asyncio.create_task(box.begin())
        await half.wait()
        waiting = (await box.ask(GetRehearsals())).rehearsals
        stopping = asyncio.create_task(box.ask(StopRehearsal(rehearsal=waiting[0].rehearsal)))
        await asyncio.sleep(0)                    # it is asked
        assert not stopping.done()
        onward.set()
        await stopping
        assert waiting[0].rehearsal == await beginning
        assert (await box.ask(GetRehearsals())).rehearsals[0].phase == "stopped"


def test_the_child_begins_where_a_service_may_not_set_capabilities() -> None:
    """As sandbox.conf has it: capset answers EPERM, and setpriv needs it for all that it does."""
    script = f"""import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
refuse, let = (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, {CAPSET[os.uname().machine]}), refuse, let]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
more = [ctypes.c_ulong(0)] * 3
if libc.prctl(38, ctypes.c_ulong(1), *more) or libc.prctl(22, ctypes.c_ulong(2), program, *more[1:]):
    sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])"""
    def run(*command: str) -> int:
        return subprocess.run([sys.executable, "-c", script, *command], timeout=SOON_S, check=False,
                              stderr=subprocess.DEVNULL).returncode
    assert run("true") == 0
    if shutil.which("setpriv"):
        assert run("setpriv", "--pdeathsig", "KILL", "true") != 0    # the filter is one
    assert run(*BESIDE, "true") == 0


async def test_the_child_gets_what_nobody_else_wants(tmp_path: Path) -> None:
    says = ("import os, resource, json; print(json.dumps([os.nice(0), os.sched_getscheduler(0), "
            "resource.getrlimit(resource.RLIMIT_AS)[0], *resource.getrlimit(resource.RLIMIT_CPU)]))")
    child = await asyncio.create_subprocess_exec(
        *BESIDE, sys.executable, "-c", says, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    assert json.loads(out) == [19, os.SCHED_IDLE, MOST_MEMORY_OCTETS, MOST_CPU_S, MOST_CPU_S + 10]
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != MOST_CPU_S
    order = msgspec.structs.replace(ORDER, changes=["agents=+2", "calls=+10%"])
    one = Rehearsal(rehearsal="x", order=order, by="li", began_at=0.0, phase="waiting")
    bus: Any = None                               # nobody is asked anything
    words = command(one, Context("boxd", CONFIG, tmp_path, tmp_path, bus, asyncio.Event()))
    assert [word for word in words if "what-if" in word] == ["--what-if=agents=+2", "--what-if=calls=+10%"]


def test_old_ones_go_and_files_of_others_are_passed_over(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for number in range(MOST + 5):
        kept.keep(Rehearsal(rehearsal=f"19000000{number:02}-00000000", order=ORDER, by="li", began_at=number,
                            phase="done"), {"n": number})
    (tmp_path / "1900000099-00000000.json").write_text("{")
    (tmp_path / "../evil.json").write_text("{}")
    again = Kept(tmp_path)
    assert len(again.all()) == MOST and again.all()[0].began_at == MOST + 4
    found = again.get(again.all()[0].rehearsal)
    assert found is not None and found.result == {"n": MOST + 4}
    assert again.get("../evil") is None
    assert days(tmp_path, time.time()) == []
