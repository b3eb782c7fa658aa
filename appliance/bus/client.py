"""The bus as a daemon sees it: say, hear, ask, answer. NATS carries it; this file is the only one that knows.

Events of one owner are heard in the order they were said, requests to it answered in the order they came.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from appliance.bus.messages import EVENTS, PROTOCOL, REQUESTS, Event, Message, Reply, Request
from appliance.errors import BranchlineError

R = TypeVar("R", bound=Reply)

log = logging.getLogger(__name__)


class BusError(BranchlineError):
    """The request was not answered: nobody there, too late, or the owner could not."""


class Refused(BusError):
    """The owner said no; the text is for people. A handler raises it to say so."""


class BusAway(BusError):
    """No server can be reached with these credentials."""


class _No(msgspec.Struct, frozen=True):
    refused: str


def credentials_file(run_dir: Path, daemon: str) -> Path:
    """JSON {"url", "user", "password"}, mode 0600, written by whoever starts the server."""
    return run_dir / "bus" / f"{daemon}.json"


class Bus:
    """One daemon's connection. Goes on by itself when the server comes back; `on_back` is told then."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self._client = client
        self._back: list[Callable[[], Awaitable[None]]] = []

    @classmethod
    async def connect(cls, run_dir: Path, name: str, within_s: float = 5.0) -> "Bus":
        """Connect as daemon `name`. BusAway: no credentials, no server, or it does not know us."""
        path = credentials_file(run_dir, name)
        try:
            card = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise BusAway(f"{path}: cannot read the bus credentials ({error}): is the box started?") from None
        client = Client()
        bus = cls(name, client)
        last = ""

        async def on_error(error: Exception) -> None:
            nonlocal last
            last = str(error)
            log.debug("bus: %s", error)

        async def on_disconnected() -> None:
            if not client.is_closed:              # close() comes here, too
                log.warning("bus: connection lost, trying again")

        async def on_reconnected() -> None:
            log.info("bus: back")
            for tell in bus._back:
                await tell()

        try:
            await asyncio.wait_for(client.connect(
                card["url"], user=card["user"], password=card["password"], name=name,
                inbox_prefix=f"_INBOX.{name}".encode(), allow_reconnect=True, max_reconnect_attempts=-1,
                reconnect_time_wait=1, connect_timeout=2, ping_interval=5, max_outstanding_pings=2,
                error_cb=on_error, disconnected_cb=on_disconnected, reconnected_cb=on_reconnected),
                within_s)
        except (TimeoutError, OSError, KeyError, nats.errors.Error) as error:
            with contextlib.suppress(Exception):
                await client.close()
            raise BusAway(f"bus: {card['url']}: {last or error or 'no answer'}") from None
        return bus

    def on_back(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Call `tell` whenever the connection is back after a loss: what was said meanwhile was not heard."""
        self._back.append(tell)

    async def say(self, event: Event) -> None:
        """Publish. While the server is away the last few are kept by the client, older ones are lost."""
        kind = type(event)
        owner = self.name if kind.owner == "*" else kind.owner
        with contextlib.suppress(nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError):
            await self._client.publish(f"evt.{owner}.{kind.__name__}", msgspec.json.encode(event))

    async def hear(self, owner: str, handler: Callable[[Event], Awaitable[None]]) -> None:
        """Every event of `owner` ("*": of all), one at a time, in order. A handler's error is logged."""
        async def on_message(msg: Msg) -> None:
            kind = EVENTS.get(msg.subject.rpartition(".")[2])
            if kind is None:
                log.warning("bus: %s: an event unknown to this version", msg.subject)
                return
            try:
                await handler(_decode(msg.data, kind))
            except Exception:
                log.exception("bus: %s", msg.subject)
        await self._client.subscribe(f"evt.{owner}.>", cb=on_message)
        await self._client.flush()

    async def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """The owner's reply. Refused: it said no. BusError: no answer."""
        kind = type(request)
        subject = f"req.{kind.owner}.{kind.__name__}"
        try:
            msg = await self._client.request(subject, msgspec.json.encode(request), timeout=timeout_s)
        except nats.errors.NoRespondersError:
            raise BusError(f"{kind.__name__}: {kind.owner} is not there") from None
        except (TimeoutError, nats.errors.TimeoutError):
            raise BusError(f"{kind.__name__}: {kind.owner} did not answer in {timeout_s:g} s") from None
        except nats.errors.Error as error:
            raise BusError(f"{kind.__name__}: {error or type(error).__name__}") from None
        try:
            if (msg.headers or {}).get("Refused"):
                raise Refused(msgspec.json.decode(msg.data, type=_No).refused)
            reply: R = _decode(msg.data, kind.reply_type())
        except msgspec.MsgspecError as error:
            raise BusError(f"{kind.__name__}: {kind.owner} answered what nobody can read: {error}") from None
        return reply

    async def answer(self, handler: Callable[[Request[Any]], Awaitable[Reply]]) -> None:
        """Serve the requests to this daemon, one at a time, in order. Unknown ones and errors are refused."""
        async def on_message(msg: Msg) -> None:
            name = msg.subject.rpartition(".")[2]
            try:
                kind = REQUESTS.get(name)
                if kind is None:
                    raise Refused(f"{name}: unknown to this version of {self.name}")
                await msg.respond(msgspec.json.encode(await handler(_decode(msg.data, kind))))
            except Refused as no:
                await self._refuse(msg, str(no))
            except Exception as error:
                log.exception("bus: %s", msg.subject)
                await self._refuse(msg, f"{self.name}: {name}: {error}")
        await self._client.subscribe(f"req.{self.name}.>", cb=on_message)
        await self._client.flush()

    async def _refuse(self, msg: Msg, text: str) -> None:
        if msg.reply:
            body = msgspec.json.encode(_No(text))
            await self._client.publish(msg.reply, body, headers={"Refused": "1"})

    async def close(self) -> None:
        with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError, OSError):
            await asyncio.wait_for(self._client.drain(), 2.0)
        if not self._client.is_closed:
            await self._client.close()


def _decode(data: bytes, kind: type[Any]) -> Any:
    message: Message = msgspec.json.decode(data, type=kind)
    if message.v != PROTOCOL:
        raise Refused(f"{kind.__name__}: protocol {message.v}, this box speaks {PROTOCOL}: finish the update")
    return message
