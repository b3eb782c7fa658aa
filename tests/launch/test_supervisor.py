"""Children that are real processes: they die, print, refuse to stop; back-off by arithmetic."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.launch.supervisor import Backoff, Program, Supervisor
from tests.conftest import ROOT


class Said:
    """What the supervisor's children said, and a wait for it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._more = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._more.set()

    async def wait_for(self, part: str, times: int = 1) -> list[str]:
        """Lines with `part` as soon as there are so many."""
        async with asyncio.timeout(15):
            while len(found := [line for _, line in self.lines if part in line]) < times:
                self._more.clear()
                await self._more.wait()
        return found


def python(name: str, script: str, stage: int = 1) -> Program:
    return Program(name, (sys.executable, "-u", "-S", "-c", textwrap.dedent(script)), stage)


WAITS = "import os, signal; print('pid', os.getpid()); signal.pause()"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> None:
    """Wait until the process, which is no child of ours, is over."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


@pytest.fixture
async def said() -> Said:
    return Said()


@pytest.fixture
async def supervisor(said: Said) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(said, {"FROM_LAUNCHER": "1"})
    yield supervisor
    supervisor.kill()
    await supervisor.stop()


def test_back_off_doubles_to_a_limit_and_starts_anew_after_a_calm_time() -> None:
    backoff = Backoff(first_s=0.2, most_s=10.0, calm_s=30.0)
    assert [backoff.after(0.0) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert [backoff.after(lived_s) for lived_s in (29.9, 30.0, 1.0)] == [10.0, 0.2, 0.4]


async def test_what_dies_is_started_again_and_says_why(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(python("spand", WAITS))
    (first,) = await said.wait_for("pid ")
    os.kill(int(first.split()[1]), signal.SIGKILL)
    assert await said.wait_for("starts again") == ["killed by SIGKILL; starts again in 0.2 s"]
    first, second = await said.wait_for("pid ", times=2)
    assert first != second
    supervisor.start(python("acdd", "import sys; print('bad luck', file=sys.stderr); sys.exit(70)"))
    endings = await said.wait_for("exit code", times=2)
    assert endings[1] == "ended with exit code 70; starts again in 0.4 s"
    assert ("acdd", "bad luck") in said.lines


async def test_a_wrong_configuration_is_not_tried_again(supervisor: Supervisor, said: Said) -> None:
    child = supervisor.start(python("acdd", "import sys; print('flow.yaml:3: no'); sys.exit(78)"))
    assert await asyncio.wait_for(supervisor.failed, 10) is child
    assert list(child.tail) == ["flow.yaml:3: no"]
    assert [line for _, line in said.lines if "again" in line] == []


async def test_stops_stage_by_stage_and_kills_what_will_not(
        supervisor: Supervisor, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.launch.supervisor.STOP_S", 0.3)
    polite = """
        import signal, sys
        def end(*_): print('NAME ends'); sys.exit(0)
        signal.signal(signal.SIGTERM, end); print('NAME ready'); signal.pause()
    """
    for name, stage in (("bus", 0), ("spand", 2), ("acdd", 4)):
        supervisor.start(python(name, polite.replace("NAME", name), stage))
    supervisor.start(python("stuck", """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN); print('stuck ready')
        while True: time.sleep(1)
    """, 3))
    await said.wait_for("ready", times=4)
    await asyncio.wait_for(supervisor.stop(), 10)
    assert [line for _, line in said.lines if "ready" not in line] == [
        "acdd ends", "does not stop within 0.3 s: killed", "spand ends", "bus ends"]


async def test_what_waits_for_its_next_start_stops_too(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(python("acdd", "raise SystemExit(1)"))
    await said.wait_for("in 0.8 s")
    await asyncio.wait_for(supervisor.stop(), 2)


async def test_output_of_any_kind_is_lines(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(python("trunkd", r"""
        import os, signal
        os.write(1, b'first\n' + bytes(range(128, 256)) + b'\nno end')
        os.close(1), os.close(2)
        signal.pause()
    """))
    assert await said.wait_for("no end")
    assert said.lines[0] == ("trunkd", "first")
    assert len(said.lines) == 3


async def test_chatter_is_kept_but_not_shown(supervisor: Supervisor, said: Said) -> None:
    script = "import signal; print('[INF] hello'); print('[ERR] trouble'); signal.pause()"
    program = python("bus", script)
    child = supervisor.start(Program("bus", program.argv, 0, ("[INF]",)))
    await said.wait_for("trouble")
    assert said.lines == [("bus", "[ERR] trouble")]
    assert list(child.tail) == ["[INF] hello", "[ERR] trouble"]


async def test_a_line_without_end_is_cut(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(python("trunkd", "import os, signal; os.write(1, b'x' * 300_000); signal.pause()"))
    assert len((await said.wait_for("xxx"))[0]) < 140_000


async def test_the_launchers_environment_reaches_the_child(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(python(
        "x", "import os; print('got', os.environ['FROM_LAUNCHER'], 'PATH' in os.environ)"))
    assert (await said.wait_for("got"))[0] == "got 1 True"


async def test_a_program_that_is_not_there_is_said(supervisor: Supervisor, said: Said) -> None:
    supervisor.start(Program("ghost", ("/nonexistent/program",), 1))
    assert "/nonexistent/program" in (await said.wait_for("nonexistent"))[0]


async def test_sigkill_of_the_launcher_takes_the_children(tmp_path: Path) -> None:
    launcher = tmp_path / "launcher.py"
    launcher.write_text(textwrap.dedent(f"""
        import asyncio, sys
        from appliance.launch.supervisor import Program, Supervisor
        async def run():
            supervisor = Supervisor(lambda name, line: print(line, flush=True), {{}})
            for name in ("one", "two"):
                supervisor.start(Program(name, (sys.executable, "-u", "-S", "-c", {WAITS!r}), 1))
            await asyncio.Event().wait()
        asyncio.run(run())
    """))
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(launcher), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout is not None
    pids = []
    async with asyncio.timeout(15):
        for _ in range(2):
            pids.append(int((await process.stdout.readline()).split()[1]))
        assert all(map(is_alive, pids))
        process.kill()
        await process.wait()
        for pid in pids:
            await gone(pid)
