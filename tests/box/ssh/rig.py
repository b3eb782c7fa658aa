"""A console that listens on loopback, in this process, on a box whose other daemons are answers of a test."""

import asyncio
import contextlib
import shlex
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import asyncssh

from appliance.box.area import Area
from appliance.box.commands.box import Box
from appliance.box.ssh.area import Console
from appliance.box.ssh.door import Door
from appliance.box.ssh.host_key import new_key
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import ChannelList, GetChannels, GetSpans, Reply, Request, SpanList
from appliance.bus.runner import Context
from appliance.config.console import ConsoleConfig, ConsolePersonConfig
from appliance.config.schema import Config, SpanConfig
from appliance.store.audit import Audit

SPAN = SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")
PATIENCE_S = 20.0

Answer = Callable[[Any], Reply]


class Daemons:
    """In place of the bus: replies by the kind of request."""

    def __init__(self) -> None:
        self.replies: dict[type[Request[Any]], Answer] = {}
        self.asked: list[Request[Any]] = []

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reply:
        self.asked.append(request)
        if type(request) not in self.replies:
            raise BusError(f"{type(request).__name__}: nobody is there")
        return self.replies[type(request)](request)


class Own(Area):
    """boxd's own answers."""

    def __init__(self, replies: Mapping[type[Request[Any]], Answer]) -> None:
        def answers(answer: Answer) -> Any:
            async def reply(request: Any) -> Reply:
                return answer(request)
            return reply
        self.answers = {kind: answers(answer) for kind, answer in replies.items()}


@dataclass
class Key:
    path: Path
    public: str


def key_at(path: Path) -> Key:
    private, public = new_key()
    path.write_bytes(private)
    path.chmod(0o600)
    path.with_suffix(".pub").write_text(public + "\n")
    return Key(path, public)


@dataclass
class Rig:
    """`ssh` and `sftp` are OpenSSH's, with no settings of whoever runs the tests."""

    console: Console
    box: Box
    bus: Daemons
    folder: Path
    keys: dict[str, Key]
    admin_keys: list[str] = field(default_factory=list)

    @property
    def door(self) -> Door:
        assert self.console.door is not None
        return self.console.door

    @property
    def audit(self) -> Audit:
        assert self.door.audit is not None
        return self.door.audit

    def takes(self, **settings: Any) -> None:
        """A configuration that differs in these keys."""
        self.console.take(self.console.config.model_copy(update=settings))

    def takes_person(self, named: str, **keys: Any) -> None:
        self.takes(people=[one.model_copy(update=keys) if one.name == named else one
                           for one in self.console.config.people])

    def asyncssh(self, name: str = "root", **options: Any) -> Any:
        """A connection by asyncssh: awaited, or a context."""
        if "client_keys" not in options:
            options["client_keys"] = [str(self.keys[name].path)]
        return asyncssh.connect("127.0.0.1", self.port, username=name, known_hosts=None, **options)

    @property
    def port(self) -> int:
        return self.console.port

    def options(self, name: str = "root") -> list[str]:
        known = self.folder / "known_hosts"
        if not known.exists():
            known.write_text(f"[127.0.0.1]:{self.port} {self.console.key.public}\n")
        return ["-F", "none", "-i", str(self.keys[name].path), "-o", "IdentitiesOnly=yes", "-o",
                f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]

    def command(self, *words: str, name: str = "root", more: tuple[str, ...] = ()) -> list[str]:
        return ["ssh", *self.options(name), *more, "-p", str(self.port), f"{name}@127.0.0.1", *words]

    def no_spans(self) -> None:
        """What `monitor spans` asks is answered: it goes on, and there are none."""
        self.bus.replies |= {GetSpans: lambda _: SpanList(spans=[]),
                             GetChannels: lambda _: ChannelList(spans=[])}

    async def ssh(self, *words: str, name: str = "root", more: tuple[str, ...] = (), given: bytes = b""
                  ) -> tuple[int, str, str]:
        return await run(self.command(*words, name=name, more=more), given)

    async def sftp(self, batch: str, name: str = "root") -> tuple[int, str, str]:
        return await run(["sftp", *self.options(name), "-b", "-", "-P", str(self.port),
                          f"{name}@127.0.0.1"], batch.encode())

    def spelled(self, *words: str, name: str = "root") -> str:
        """For a terminal."""
        return shlex.join(["ssh", *self.options(name), "-p", str(self.port), "-t",
                           f"{name}@127.0.0.1", *words])


async def run(command: list[str], given: bytes = b"") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_S):
        out, wrong = await process.communicate(given)
    return process.returncode or 0, out.decode(), wrong.decode()


PEOPLE = (("root", "admin"), ("olga", "operate"), ("walter", "watch"))


def config(keys: Mapping[str, Key], **more: Any) -> ConsoleConfig:
    people = [ConsolePersonConfig(name=name, role=role, keys=[keys[name].public], language="en")  # type: ignore[arg-type]
              for name, role in PEOPLE]
    # Debian's OpenSSH 9.2 knows no ML-KEM.
    return ConsoleConfig.model_validate({"port": 0, "people": people, "older_clients": True} | more)


@contextlib.asynccontextmanager
async def console_at(folder: Path, own: Mapping[type[Request[Any]], Answer] | None = None,
                     given: list[socket.socket] | None = None, **settings: Any) -> AsyncIterator[Rig]:
    """Settings of the section `console`, beside one person of each role; sockets as systemd's."""
    keys = {name: key_at(folder / name) for name, _ in PEOPLE}
    bus, admin_keys = Daemons(), list[str]()

    async def known() -> list[str]:
        return admin_keys
    whole = Config(spans=[SPAN], console=config(keys, **settings))
    context = Context("boxd", whole, folder / "state", folder / "run", cast(Bus, bus), asyncio.Event())
    for one in (context.state_dir, context.run_dir):
        one.mkdir()
    console = Console(context, lambda: "branch-12", known)
    console.given = given or []
    box = console.box = Box(context, [console, Own(own or {})])
    running = asyncio.create_task(console.run(context.stop))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await console.listening.wait()
        yield Rig(console, box, bus, folder, keys, admin_keys)
    finally:
        context.stop.set()
        await asyncio.wait_for(running, PATIENCE_S)
