"""branchline up: everything is checked, then the bus, the daemons and the rest run until told to stop."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from appliance.box.backup.format import BackupError
from appliance.box.backup.restoring import pending
from appliance.box.backup.wishing import wished
from appliance.box.ssh.place import PORT_FILE
from appliance.bus import server
from appliance.bus.client import Bus
from appliance.bus.messages import DAEMONS, DaemonUp, Event, Heartbeat
from appliance.bus.runner import EX_CONFIG
from appliance.centre import heard
from appliance.centre.entry.load import box_zone, load_entrance
from appliance.centre.flow import Flow
from appliance.centre.flow.names import load_flows
from appliance.config.backup import ORIGIN_FILE
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.launch import demo_box, place, prompts, restore
from appliance.launch.console import Console
from appliance.launch.logbook import LogBook
from appliance.launch.place import CannotStart
from appliance.launch.supervisor import Child, Program, Supervisor
from appliance.media import speech
from appliance.media.prompts import Library, PromptError

BUS_S = 10.0                                      # the longest that the bus may take to serve
CONSOLE_S = 5.0                                   # its port may be another's: the box is ready all the same
WISH_S = 0.5                                      # between two looks whether a restore is wished
ONE_WISH_S = 1.0                                  # signals within it are one: `timeout 9 make run` sends two

BUS, RECORDING, SPAN, TRUNK, CENTRE, FAR_END = range(6)              # stages: the higher stops first
DAEMONS_OF = {                                    # daemon -> python -m what, stage
    "spand": (("appliance.span",), SPAN), "trunkd": (("appliance.trunk.daemon",), TRUNK),
    "acdd": (("appliance.centre.daemon",), CENTRE), "recordd": (("appliance.recording.daemon",), RECORDING),
    "boxd": (("appliance.box.daemon",), CENTRE), "webui": (("webui.daemon",), CENTRE)}
_ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1",
    "OPENBLAS_NUM_THREADS": "1"}                  # nothing multiplies matrices; its threads only take memory


@dataclass(frozen=True, slots=True)
class Options:
    config: Path                                  # not looked at with `demo`
    state_dir: Path
    run_dir: Path
    demo: bool = False
    port: int | None = None                       # instead of the configuration's web.port


def check(path: Path, with_prompts: bool = True, text: str | None = None) -> Config:
    """The configuration, its flows and their prompts. ConfigError has a line for every mistake.

    `text` is read as if it were in the file.
    """
    config = load(path, text)
    flows: list[Flow] = []
    wrong = []
    try:
        flows += load_flows(config.centre).values()
    except ConfigError as error:
        wrong.append(str(error))
    try:
        load_entrance(config, box_zone())
    except ConfigError as error:
        wrong.append(str(error))
    if with_prompts:
        library = Library(Path(config.media.prompts))
        texts = prompts.vocabulary(list(speech.CURRENCIES))
        begun_in = [rule.language for rule in config.centre.entry if rule.language]
        spoken = {*begun_in, *(language for one in flows for language in one.languages)}
        for name in sorted(heard.prompts(flows, config.centre.queues, config.media, begun_in)
                           | heard.promised(config.centre, spoken, config.recording)):
            try:
                library.get(name)
            except PromptError as error:
                wrong.append(f"{error}; it says: {texts[name]}" if name in texts else str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return config


def run(options: Options, console: Console) -> int:
    """Run the box until a signal; sysexits' code. CannotStart, ConfigError: nothing was started."""
    while True:
        with _prepared(options, console) as (prepared, config):
            box = _Box(prepared, config, console)
            code = asyncio.run(box.run())
        if not box.again:
            return code
        console.tell("A restore is wished: everything starts anew.")


@contextlib.contextmanager
def _prepared(options: Options, console: Console) -> Iterator[tuple[Options, Config]]:
    """All that can be known to be wrong before anything is started; the folders are ours until the end."""
    for program, package in ((server.program(), "nats-server"), ("setpriv", "util-linux")):
        if shutil.which(program) is None:
            raise CannotStart(f"{program} is not installed: apt-get install {package}")
    run_dir = place.near(options.run_dir)
    place.check_run_dir(run_dir)
    if not options.demo and not wished(options.state_dir):           # a restore may be about to bring it back
        check(options.config)                     # before a folder is made
    state_dir = place.make(options.state_dir, 0o750)
    with place.lock(place.make(run_dir, 0o750)), place.lock(state_dir):
        if pending(state_dir) and not wished(state_dir):
            raise CannotStart(f"{state_dir}: a restore was cut off there: finish it with `branchline backup "
                              "restore --to` and that folder", os.EX_CONFIG)
        _restore(state_dir, options, console)
        path = demo_box.lay_out(state_dir / "demo", run_dir) if options.demo else options.config.absolute()
        (run_dir / ORIGIN_FILE).write_text(str(path), encoding="utf-8")
        config = check(path, with_prompts=False)
        port = config.web.port if options.port is None else options.port
        port = port or place.free_port()          # here and once: a webui that is started again has it, too
        if port != config.web.port:
            config = config.model_copy(update={"web": config.web.model_copy(update={"port": port})})
            path = (run_dir / "branchline.yaml").absolute()
            path.write_text(yaml.safe_dump(config.model_dump(), allow_unicode=True), encoding="utf-8")
        place.check_port_free(config.web.host, config.web.port)
        if options.demo:
            media = config.media
            prompts.build(demo_box.CATALOGUE, Path(media.prompts), [media.currency], console.tell)
        check(path)
        yield Options(path, state_dir, run_dir, options.demo, options.port), config


def _restore(state_dir: Path, options: Options, console: Console) -> None:
    """What somebody wished for on the page, before a daemon has a file open."""
    document = state_dir / "demo" / options.config.name if options.demo else options.config.absolute()
    try:
        found = restore.fulfil(state_dir, document)
    except BackupError as error:
        raise CannotStart(str(error), os.EX_IOERR) from None
    if found is not None:
        console.tell(f"Not restored: {found.error}" if found.error else
                     f"Restored: the backup of {found.box}." if found.act == "restore" else
                     "The box is as it was before the restore.")


class _Box:
    """`again`: it ended because it is to start anew."""

    def __init__(self, options: Options, config: Config, console: Console) -> None:
        self.again = False
        self._options, self._config, self._console = options, config, console
        self._url_file = options.run_dir / "web.url"
        self._console_port = options.run_dir / PORT_FILE
        self._began = time.monotonic()

    async def run(self) -> int:
        book = LogBook(self._options.state_dir)

        def say(name: str, text: str) -> None:
            self._console.say(name, text)
            book.say(name, text)
        supervisor, stop = Supervisor(say, _ENVIRONMENT), asyncio.Event()
        _on_signals(supervisor, stop)
        try:
            bus = await self._start_bus(supervisor)
            try:
                await self._run(supervisor, bus, stop)
            finally:
                await bus.close()
        finally:
            await supervisor.stop()
            book.close()
        return self._verdict(supervisor)

    async def _start_bus(self, supervisor: Supervisor) -> Bus:
        run_dir, port = self._options.run_dir, place.free_port()
        path = server.write(run_dir, port)
        child = supervisor.start(Program(
            "bus", (server.program(), "-T=false", "-c", str(path)), BUS, ("[INF]", "Plaintext passwords")))
        try:
            async with asyncio.timeout(BUS_S):
                await _serving(port, child)
        except TimeoutError:
            raise CannotStart(f"nats-server does not answer on 127.0.0.1:{port} in {BUS_S:g} s") from None
        return await Bus.connect(run_dir, "webui")

    async def _run(self, supervisor: Supervisor, bus: Bus, stop: asyncio.Event) -> None:
        options = self._options
        self._url_file.unlink(missing_ok=True)
        self._console_port.unlink(missing_ok=True)
        ready = await self._watch(bus)
        for name in DAEMONS:
            module, stage = DAEMONS_OF[name]
            supervisor.start(Program(name, (
                sys.executable, "-m", *module, "--config", str(options.config),
                "--state-dir", str(options.state_dir), "--run-dir", str(options.run_dir)), stage))
        if options.demo:
            for program in demo_box.exchanges(self._config, options.state_dir / "demo", FAR_END):
                supervisor.start(program)
        stopped, is_ready = asyncio.create_task(stop.wait()), asyncio.create_task(ready.wait())
        wish = asyncio.create_task(self._wished())
        ends: list[asyncio.Future[Any]] = [stopped, supervisor.failed, wish]
        await asyncio.wait([*ends, is_ready], return_when=asyncio.FIRST_COMPLETED)
        if is_ready.done():
            self._console.tell(self._welcome())
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        self.again = wish.done() and not stopped.done()
        for one in (stopped, is_ready, wish):
            one.cancel()

    async def _wished(self) -> None:
        """Return when a restore is wished for: the file that says so outlives any of us."""
        there = False
        while not there:
            await asyncio.sleep(WISH_S)
            there = wished(self._options.state_dir)

    def _verdict(self, supervisor: Supervisor) -> int:
        """The exit code; why it is not 0 is the last thing said."""
        if not supervisor.failed.done():
            return 0
        child = supervisor.failed.result()
        said = [line for line in child.tail if not line.startswith(("INFO ", "WARNING "))]
        self._console.tell("\n".join([f"{child.program.name} cannot start:", *said]))
        return EX_CONFIG

    async def _watch(self, bus: Bus) -> asyncio.Event:
        """Set when every daemon was heard and the page's address is known, soon after that of the console."""
        ready, waited_for = asyncio.Event(), set(DAEMONS)
        loop, until = asyncio.get_running_loop(), 0.0

        async def hear(event: Event) -> None:
            nonlocal until
            if isinstance(event, DaemonUp | Heartbeat):
                waited_for.discard(event.daemon)
                if not waited_for and self._url_file.exists():
                    until = until or loop.time() + CONSOLE_S
                    if (self._config.console.port is None or self._console_port.exists()
                            or loop.time() >= until):
                        ready.set()
        await bus.hear("*", hear)
        return ready

    def _welcome(self) -> str:
        options = self._options
        url = self._url_file.read_text().strip()
        with contextlib.suppress(OSError):        # until there is an administrator
            url += f"setup?code={(options.state_dir / 'setup-code').read_text().strip()}"
        command = shlex.quote(str(Path(sys.executable).with_name("branchline")))
        run_dir = shlex.quote(str(options.run_dir.absolute()))
        return "\n".join([
            "",
            f"Branchline is ready after {time.monotonic() - self._began:.1f} s.",
            f"  web page     {url}",
            f"  recordings   {options.state_dir / 'recordings'}/YYYY/MM/DD",
            f"  settings     {options.config}",
            *self._console_by_ssh(),
            *(["  to try       watch the board: calls come by themselves; open a contact, play its recording"]
              if options.demo else []),
            f"  also         {command} status --run-dir {run_dir}",
            f"               {command} trace {self._config.spans[0].name} --out d-channel.pcap "
            f"--run-dir {run_dir}",
            "  Ctrl-C       ends everything", ""])


    def _console_by_ssh(self) -> list[str]:
        """How to get there; nothing where it does not listen."""
        options, address = self._options, self._config.console.address
        if self._config.console.port is None or not self._console_port.exists():
            return []
        port = self._console_port.read_text().strip()
        key = options.state_dir / "demo" / demo_box.CONSOLE_KEY
        if not options.demo or not key.exists():
            return [f"  console      ssh -p {port} NAME@{address}"]
        person = f"{demo_box.CONSOLE_PERSON}@{address}"
        return [f"  console      ssh -p {port} -i {shlex.quote(str(key))} {person}"]


async def _serving(port: int, child: Child) -> None:
    """Return when the server says its first word; CannotStart when its process ends instead."""
    while not child.ended.is_set():
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            word = await reader.read(5)
            writer.close()
            if word == b"INFO ":
                return
        await asyncio.sleep(0.02)                 # it has no ready signal
    raise CannotStart(f"nats-server ended at once: {child.tail[-1] if child.tail else 'it said nothing'}")


def _on_signals(supervisor: Supervisor, stop: asyncio.Event) -> None:
    """The first one asks to stop; one that comes ONE_WISH_S later does not ask."""
    loop, asked_at = asyncio.get_running_loop(), 0.0

    def signalled() -> None:
        nonlocal asked_at
        if not stop.is_set():
            asked_at = loop.time()
        elif loop.time() > asked_at + ONE_WISH_S:
            supervisor.kill()
        stop.set()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, signalled)
