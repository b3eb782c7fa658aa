"""One syslog server: connected to, written to, tried again while it is away. UDP, TCP, TLS.

A connection that the server closes is seen at once, one whose server is gone without a word in UNHEARD_S;
what TCP took and never delivered is not known to anybody (RFC 6587 has no acknowledgement), so it may take
little, and numbers in the messages show a gap.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable

from appliance.box.syslog.message import MOST_DATAGRAM, MOST_OCTETS, Box, TimeQuality, counted
from appliance.box.syslog.waiting import Waiting
from appliance.bus.messages import LogLine
from appliance.config.syslog import SyslogServerConfig
from appliance.store.private import open_to_all

CONNECT_S, WRITE_S, CLOSE_S = 10.0, 30.0, 1.0
UNHEARD_S = 30                                    # nothing of what was sent is acknowledged by TCP
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 30.0)             # the last one until a connection has lasted
LASTED_S = 60.0                                   # then it is new when it breaks: tried soon, and said again
GAP_S = 0.002                                     # between datagrams: nobody says that they are too many
MOST_SENT_OCTETS = 16 * 1024                      # that TCP has and the server has not; Linux doubles it
MOST_SAID = 8

log = logging.getLogger(__name__)


class Sending:
    """`quality`: of the time of day, as it is when a message is written."""

    def __init__(self, config: SyslogServerConfig, box: Box,
                 quality: Callable[[], TimeQuality | None]) -> None:
        self._config, self._quality = config, quality
        self._waiting = Waiting(config.most_waiting, config.level, config.facility, box,
                                MOST_DATAGRAM if config.transport == "udp" else MOST_OCTETS)
        self._news = asyncio.Event()
        self._said = set[str]()                   # since a connection lasted

    def add(self, line: LogLine) -> None:
        self._waiting.add(line)
        self._news.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            try:
                if self._config.transport == "udp":
                    await self._datagrams()
                else:
                    await self._connection()
                why = "the server has closed the connection"
            except (OSError, TimeoutError, ValueError) as error:        # ValueError: no name at all
                why = str(error) or "no answer in time"
            if loop.time() >= began + LASTED_S:
                failures = 0
                self._said.clear()
            self._say(logging.WARNING, f"{why}; tried again until it is there")
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    def _say(self, level: int, text: str) -> None:
        """Once: one that comes and goes fills no log."""
        if text not in self._said:
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said.add(text)
            log.log(level, "syslog: %s: %s", self._config.name, text)

    async def _datagrams(self) -> None:
        """OSError: the name or the way there is not known, or nobody is there."""
        loop, config = asyncio.get_running_loop(), self._config
        way, troubles = await loop.create_datagram_endpoint(
            lambda: _Troubles(self._news.set), remote_addr=(config.host, config.to_port))
        self._say(logging.INFO, f"to {config.host} port {config.to_port} by UDP")
        try:
            while troubles.error is None:
                if (first := self._waiting.first(self._quality())) is None:
                    await self._more()
                    continue
                await troubles.room.wait()
                way.sendto(first[1])
                self._waiting.done(first[0])
                await asyncio.sleep(GAP_S)
            raise troubles.error
        finally:
            way.abort()

    async def _connection(self) -> None:
        """Until the server closes it. OSError, SSLError, TimeoutError: it cannot be used."""
        config = self._config
        context = await asyncio.to_thread(_context, config) if config.transport == "tls" else None
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                config.host, config.to_port, ssl=context,
                server_hostname=config.host if context is not None else None)
        closed = asyncio.create_task(_until_closed(reader))
        closed.add_done_callback(lambda _: self._news.set())
        try:
            _watch(writer)
            self._say(logging.INFO, f"connected to {config.host} port {config.to_port}")
            while not closed.done():
                if (first := self._waiting.first(self._quality())) is None:
                    await self._more()
                    continue
                writer.write(counted(first[1]))
                async with asyncio.timeout(WRITE_S):
                    await writer.drain()
                self._waiting.done(first[0])
                await asyncio.sleep(0)            # many that wait are not the only ones here
        finally:
            closed.cancel()
            await _close(writer)

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()


class _Troubles(asyncio.DatagramProtocol):
    """What comes back for datagrams: nobody is there; and whether there is room for more."""

    def __init__(self, told: Callable[[], None]) -> None:
        self.error: Exception | None = None
        self.room = asyncio.Event()
        self.room.set()
        self._told = told

    def error_received(self, exc: Exception) -> None:
        self.error = exc
        self.room.set()
        self._told()

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()


def _watch(writer: asyncio.StreamWriter) -> None:
    """TCP has what was written before more is (but 64 KB with TLS), and a server that is gone is noticed."""
    writer.transport.set_write_buffer_limits(high=1)
    end = writer.get_extra_info("socket")
    for level, option, value in (
            (socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_SENT_OCTETS),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, UNHEARD_S),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_S * 1000)):
        end.setsockopt(level, option, value)


async def _close(writer: asyncio.StreamWriter) -> None:
    """With a word (RFC 5425 4.4), but nobody waits for one who does not listen."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):               # SSLError is one, too
        pass
    finally:
        writer.transport.abort()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """A syslog server says nothing: what it does say is thrown away."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while await reader.read(4096):
            pass


def _context(config: SyslogServerConfig) -> ssl.SSLContext:
    """Its certificate must be good and for its name. OSError, SSLError: a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if config.certificate_file:
            if open_to_all(os.stat(config.certificate_file).st_mode):
                raise OSError("its key can be read by anybody on the box: chmod 600")
            context.load_cert_chain(config.certificate_file)
    except OSError as error:                      # SSLError is one, too
        files = " or ".join(name for name in (config.ca_file, config.certificate_file) if name)
        raise OSError(f"{files}: {error.strerror or error}") from None
    return context
