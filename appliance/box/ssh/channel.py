"""What carries a session or files inside a connection: asyncssh's channel, and what flows through it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import asyncssh
from asyncssh.channel import SSHChannel

from appliance.box.commands.screen import shown
from appliance.box.ssh.files.server import Files
from appliance.box.ssh.shell import decoder

READ_OCTETS = 4096
MOST_LINE_OCTETS = 16 * 1024                      # of a line that a program sends
MOST_BESIDE_OCTETS = 4096                         # of what is said beside files: some clients never take it
STALLED_S = 60.0                                  # the other end takes nothing: it is hung up on

Process = asyncssh.SSHServerProcess[bytes]


class Serves(Protocol):
    """The connection of a channel."""

    flows: asyncio.Event                          # set while the other end takes what it is told

    async def serve(self, process: Process) -> None: ...

    def files(self, channel: "SSHChannel[bytes]", ready: Callable[[], Awaitable[None]],
              say: Callable[[str], None]) -> Files: ...


class Channel(Process):
    """`gone` is called once, whatever became of it."""

    def __init__(self, visitor: Serves, gone: Callable[[], None]) -> None:
        super().__init__(visitor.serve, self._make_files, 3, False)
        self._visitor, self._gone = visitor, [gone]
        self._flows = asyncio.Event()             # as the connection's; asyncssh keeps the rest in memory
        self._flows.set()
        self._files: Files | None = None
        self._beside = 0

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp" and super().subsystem_requested(subsystem)

    def _make_files(self, channel: "SSHChannel[bytes]") -> Files:
        self._files = self._visitor.files(channel, self._ready, self._say)
        return self._files

    async def _ready(self) -> None:
        await self._flows.wait()
        await self._visitor.flows.wait()

    def _say(self, text: str) -> None:
        """On the terminal of who runs sftp, which shows no reasons of its own."""
        octets = f"{shown(text)}\n".encode()
        self._beside += len(octets)
        if self._beside <= MOST_BESIDE_OCTETS and not self.channel.is_closing():
            self.channel.write_stderr(octets)

    def pause_writing(self) -> None:
        self._flows.clear()
        super().pause_writing()
        if self._files is not None:               # or it would ask on, without taking an answer
            self.channel.pause_reading()

    def resume_writing(self) -> None:
        self._flows.set()
        super().resume_writing()
        if self._files is not None and not self._read_paused:        # for asyncssh's own buffer is full
            self.channel.resume_reading()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        super().data_received(data, datatype)
        if self._files is not None and not self._flows.is_set():
            self.channel.pause_reading()

    def eof_received(self) -> bool:
        if self._files is not None:
            self._files.cut_off()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._flows.set()
        if self._files is not None:
            self._files.exit()
        while self._gone:
            self._gone.pop()()
        super().connection_lost(exc)


class ChannelTerminal:
    """A Terminal of shell.py."""

    def __init__(self, process: Process, flows: asyncio.Event) -> None:
        self._process, self._flows, self._decoder = process, flows, decoder()

    async def read(self) -> str | tuple[int, int]:
        while True:
            try:
                octets = await self._process.stdin.read(READ_OCTETS)
            except asyncssh.TerminalSizeChanged as changed:
                return changed.width, changed.height
            except (asyncssh.BreakReceived, asyncssh.SignalReceived):
                return "\x03"
            except (asyncssh.Error, OSError):
                return ""
            if not octets:
                return ""
            if text := self._decoder.decode(octets):
                return text

    async def write(self, text: str) -> None:
        try:
            self._process.stdout.write(text.encode(errors="replace"))
            await self._process.stdout.drain()
        except asyncssh.Error as error:
            raise OSError(str(error)) from None
        await self._flows.wait()


class Lines:
    """What a program sends, line by line."""

    def __init__(self, process: Process) -> None:
        self._process, self._rest, self._ended = process, b"", False

    async def next(self) -> str | None:
        """None: there are no more."""
        while b"\n" not in self._rest and not self._ended and len(self._rest) <= MOST_LINE_OCTETS:
            try:
                octets = await self._process.stdin.read(READ_OCTETS)
            except (asyncssh.BreakReceived, asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
                continue
            self._ended = not octets
            self._rest += octets
        if not self._rest:
            return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")
