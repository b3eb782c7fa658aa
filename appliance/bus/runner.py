"""What every daemon's main does the same: arguments, configuration, bus, heartbeat, signals, exit codes.

Exit codes are sysexits': 78 the configuration, 69 the bus or a port is not there, 70 our own fault.
"""

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.bus.client import Bus, BusAway
from appliance.bus.messages import DaemonUp, Heartbeat
from appliance.bus.notify import Manager
from appliance.config.load import load, text_of
from appliance.config.schema import Config
from appliance.errors import ConfigError, Unavailable

EX_UNAVAILABLE, EX_SOFTWARE, EX_CONFIG = 69, 70, 78
HEARTBEAT_S = 1.0
FED_IN_ITS_TIME = 4                               # the watchdog: one that is late does not matter then
UMASK = 0o027                                     # what daemons make is not for strangers on the machine
LINE_CHARACTERS = 2000
CANDIDATE = "candidate/branchline.yaml"           # in the run folder, while it is tried out

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Context:
    """What a daemon's parts are made from."""

    name: str
    config: Config
    state_dir: Path                               # outlives a power cut
    run_dir: Path                                 # sockets, the ring: gone after a boot
    bus: Bus
    stop: asyncio.Event
    facts: dict[str, float] = field(default_factory=dict)    # the daemon's own figures for its heartbeat
    started_at: float = field(default_factory=time.time)
    failure: Exception | None = None              # what the daemon ends with
    config_path: Path = Path()                    # the document that `config` was read from
    manager: Manager = field(default_factory=Manager)
    is_well: Callable[[], bool] = lambda: True    # asked a few times in each time of the watchdog

    def read(self, candidate: bool = False) -> Config:
        """The configuration document as it is now, or its candidate as if it were there. ConfigError."""
        return load(self.config_path, text_of(self.run_dir / CANDIDATE) if candidate else None)

    def keep(self, part: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `part` beside serve(). Its error ends the daemon, which without it would only seem to work."""
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and isinstance(error := task.exception(), Exception):
                self.fail(error)
        task = asyncio.create_task(part)
        task.add_done_callback(ended)
        return task

    def fail(self, error: Exception) -> None:
        """End the daemon with the first error that comes here; what fails while it ends goes to the log."""
        if self.failure is None:
            self.failure = error
        elif error is not self.failure:
            log.error("%s ends, and then: %r", self.name, error, exc_info=error)
        self.stop.set()

    async def up(self) -> None:
        """Say DaemonUp now and whenever the bus was away: call it when requests can be answered."""
        async def say() -> None:
            await self.bus.say(DaemonUp(daemon=self.name, pid=os.getpid(), started_at=self.started_at))
        self.bus.on_back(say)
        await say()
        self.manager.tell(READY="1", STATUS="up")


Serve = Callable[[Context], Awaitable[None]]


class OneLine(logging.Formatter):
    """A message is one line of bounded length, whatever strangers put in it: no forged lines, no escapes."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)[:LINE_CHARACTERS]
        return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def main(name: str, serve: Serve, argv: list[str] | None = None) -> int:
    """Run daemon `name` until SIGTERM or SIGINT. `serve` builds the parts, calls up(), ends on stop."""
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--check", action="store_true", help="read the configuration, say what is wrong, end")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    args = parser.parse_args(argv)
    os.umask(UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))                 # keys and what people say are in memory
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(levelname)s %(message)s"))
    logging.basicConfig(level=args.log_level.upper(), handlers=[handler])
    try:
        config = load(args.config)
        if args.check:
            return 0
        asyncio.run(_run(name, serve, config, args.state_dir, args.run_dir, args.config))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except (BusAway, Unavailable) as error:
        print(error, file=sys.stderr)
        return EX_UNAVAILABLE
    except Exception:
        log.exception("%s ends", name)
        return EX_SOFTWARE
    return 0


async def _run(name: str, serve: Serve, config: Config, state_dir: Path, run_dir: Path,
               config_path: Path = Path()) -> None:
    state_dir.mkdir(parents=True, exist_ok=True)
    bus = await Bus.connect(run_dir, name)
    context = Context(name, config, state_dir, run_dir, bus, asyncio.Event(), config_path=config_path)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, context.stop.set)
    beside = [context.keep(_beat(context)), context.keep(_watch_bus(bus)), context.keep(_feed(context))]
    try:
        await serve(context)
    except Exception as error:
        context.fail(error)
    finally:
        context.manager.tell(STOPPING="1", STATUS="ending")
        for task in beside:
            task.cancel()
        await bus.close()
    if context.failure is not None:
        raise context.failure


async def _watch_bus(bus: Bus) -> None:
    await bus.lost.wait()
    raise BusAway("bus: the server sends us away: this daemon has to be started anew")


async def _feed(context: Context) -> None:
    """Tell the watchdog that we are alive: the loop runs, the bus answers, the daemon says it is well."""
    while watchdog_s := context.manager.watchdog_s:
        if await context.bus.answers(watchdog_s / FED_IN_ITS_TIME) and context.is_well():
            context.manager.tell(WATCHDOG="1")
        await asyncio.sleep(watchdog_s / FED_IN_ITS_TIME)


async def _beat(context: Context) -> None:
    while True:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        await context.bus.say(Heartbeat(
            daemon=context.name, pid=os.getpid(), started_at=context.started_at, at=time.time(),
            rss_octets=_rss_octets(), cpu_s=usage.ru_utime + usage.ru_stime, facts=dict(context.facts)))
        await asyncio.sleep(HEARTBEAT_S)


def _rss_octets() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
