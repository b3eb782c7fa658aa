"""The bus as a daemon sees it: say, hear, ask, answer. NATS carries it; this file is the only one that knows.

Events of one owner are heard in the order they were said, requests to it answered in the order they came.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from appliance.bus.credentials import credentials_file
from appliance.bus.messages import EVENTS, PROTOCOL, REQUESTS, Event, Message, Reply, Request
from appliance.errors import BranchlineError

R = TypeVar("R", bound=Reply)
T = TypeVar("T")

PENDING_MESSAGES = 20_000                         # of one owner, heard and not yet handled: more are lost
PENDING_OCTETS = 32 * 1024 * 1024
MOST_WAITING = 64                                 # requests of a kind that takes long: more are refused
MOST_REFUSAL = 16_000                             # characters of why not
CATCH_UP_S = 1.0                                  # between a loss and the asking anew that mends it

log = logging.getLogger(__name__)


class BusError(BranchlineError):
    """The request was not answered: nobody there, too late, or the owner could not."""


class Refused(BusError):
    """The owner said no; the text is for people. A handler raises it to say so."""


class BusAway(BusError):
    """No server can be reached with these credentials."""


class Unreadable(BusError):
    """Octets that are no message of this kind and version."""


class _No(msgspec.Struct, frozen=True):
    refused: str


class _Card(msgspec.Struct, frozen=True):
    """What a credentials file holds."""

    url: str
    user: str
    password: str


class Bus:
    """One daemon's connection. Goes on by itself when the server comes back; `on_back` is told then.

    `lost` is set when the server will not have us any more: other passwords, say. Only a new start helps.
    """

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.lost = asyncio.Event()
        self._client = client
        self._back: list[Callable[[], Awaitable[None]]] = []
        self._catching_up: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()             # answers that take long
        self._closing = False

    @classmethod
    async def connect(cls, run_dir: Path, name: str, within_s: float = 5.0) -> "Bus":
        """Connect as daemon `name`. BusAway: no credentials, no server, or it does not know us."""
        path = credentials_file(run_dir, name)
        try:
            card = msgspec.json.decode(path.read_bytes(), type=_Card)
        except (OSError, msgspec.MsgspecError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise BusAway(f"{path}: cannot read the bus credentials ({why}): is the box started? "
                          "--run-dir says where it runs") from None
        client = Client()
        bus = cls(name, client)
        last = ""

        async def on_error(error: Exception) -> None:
            nonlocal last
            last = str(error)
            if isinstance(error, nats.errors.SlowConsumerError):
                bus._catch_up(error.subject)
            elif "authorization violation" in last.lower():
                bus.lost.set()                    # the client would go on trying, a descriptor each time
            elif 'permissions violation for publish to "_inbox.' in last.lower():
                log.warning("bus: who asked waits no more, or the bus began anew: %s", error)
            elif "permissions violation" in last.lower():
                log.error("bus: %s", error)       # our own mistake: messages.MAY_ASK does not have it
            else:
                log.debug("bus: %s", error)

        async def on_disconnected() -> None:
            if not client.is_closed:              # close() comes here, too
                log.warning("bus: connection lost, trying again")

        async def on_reconnected() -> None:
            log.info("bus: back")
            await bus._tell_back()

        async def on_closed() -> None:
            if not bus._closing:
                bus.lost.set()

        try:
            await asyncio.wait_for(client.connect(
                card.url, user=card.user, password=card.password, name=name,
                inbox_prefix=f"_INBOX.{name}".encode(), allow_reconnect=True, max_reconnect_attempts=-1,
                reconnect_time_wait=1, connect_timeout=2, ping_interval=5, max_outstanding_pings=2,
                error_cb=on_error, disconnected_cb=on_disconnected, reconnected_cb=on_reconnected,
                closed_cb=on_closed),
                within_s)
        except (TimeoutError, OSError, nats.errors.Error) as error:
            bus._closing = True
            with contextlib.suppress(Exception):
                await client.close()
            raise BusAway(f"bus: {card.url}: {last or error or 'no answer'}") from None
        return bus

    def on_back(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Call `tell` after what was said was not heard: the connection was away, or too much came."""
        self._back.append(tell)

    async def _tell_back(self) -> None:
        for tell in self._back:
            await tell()

    def _catch_up(self, subject: str) -> None:
        """Something was not heard. Said and mended once for all that is lost in CATCH_UP_S."""
        async def later() -> None:
            await asyncio.sleep(CATCH_UP_S)
            await self._tell_back()
        if self._catching_up is None or self._catching_up.done():
            log.warning("bus: %s: more came than could be taken in, some of it is lost: asking anew", subject)
            self._catching_up = asyncio.create_task(later())

    async def say(self, event: Event) -> None:
        """Publish. While the server is away the client keeps the first few, those after them are lost."""
        kind = type(event)
        owner = self.name if kind.owner == "*" else kind.owner
        try:
            await self._client.publish(f"evt.{owner}.{kind.__name__}", msgspec.json.encode(event))
        except (nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError):
            pass                                  # on_back and `lost` tell of it
        except nats.errors.Error as error:
            log.error("bus: %s not said: %s", kind.__name__, error or type(error).__name__)

    async def hear(self, owner: str, handler: Callable[[Event], Awaitable[None]]) -> None:
        """Every event of `owner` ("*": of all), one at a time, in order. A handler's error is logged."""
        async def on_message(msg: Msg) -> None:
            kind = EVENTS.get(msg.subject.rpartition(".")[2])
            if kind is None:
                log.warning("bus: %s: an event unknown to this version", msg.subject)
                return
            try:
                await handler(_decode(msg.data, kind))
            except Unreadable as error:
                log.warning("bus: %s: %s", msg.subject, error)
            except Exception:
                log.exception("bus: %s", msg.subject)
        await self._subscribe(f"evt.{owner}.>", on_message)

    async def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """The owner's reply. Refused: it said no. BusError: no answer."""
        kind, asking = type(request), asyncio.current_task()
        subject = f"req.{kind.owner}.{kind.__name__}"
        cancelled = asking.cancelling() if asking is not None else 0
        try:
            msg = await self._client.request(subject, msgspec.json.encode(request), timeout=timeout_s)
        except nats.errors.NoRespondersError:
            raise BusError(f"{kind.__name__}: {kind.owner} is not there") from None
        except (TimeoutError, nats.errors.TimeoutError):
            raise BusError(f"{kind.__name__}: {kind.owner} did not answer in {timeout_s:g} s") from None
        except nats.errors.Error as error:
            raise BusError(f"{kind.__name__}: {error or type(error).__name__}") from None
        if asking is not None and asking.cancelling() > cancelled:
            raise asyncio.CancelledError          # Python 3.11's wait_for keeps it back when it has a result
        try:
            if (msg.headers or {}).get("Refused"):
                raise Refused(_read(msg.data, _No).refused)
            reply: R = _decode(msg.data, kind.reply_type())
        except Unreadable as error:
            raise BusError(f"{kind.__name__}: {kind.owner} answered what nobody can read: {error}") from None
        return reply

    async def answer(self, handler: Callable[[Request[Any]], Awaitable[Reply]],
                     beside: Collection[type[Request[Any]]] = ()) -> None:
        """Serve the requests to this daemon, one at a time, in order. Unknown ones and errors are refused.

        Those of `beside` take long: of one kind one at a time and in order, too, but no other one waits.
        """
        in_turn = {kind.__name__: asyncio.Lock() for kind in beside}
        waiting = Counter[str]()
        waiting_octets = 0

        async def on_message(msg: Msg) -> None:
            name = msg.subject.rpartition(".")[2]
            if not msg.reply.startswith("_INBOX."):
                log.warning("bus: %s: not done: its answer would go to %r", msg.subject, msg.reply)
                return                            # we may answer anywhere: nobody borrows our rights
            if (turn := in_turn.get(name)) is None:
                await serve(msg)
            elif waiting[name] >= MOST_WAITING or waiting_octets + len(msg.data) > PENDING_OCTETS:
                await self._refuse(msg, f"{name}: too many wait for an answer: ask again later")
            else:
                wait_for(turn, msg, name)

        def wait_for(turn: asyncio.Lock, msg: Msg, name: str) -> None:
            nonlocal waiting_octets

            def ended(task: asyncio.Task[None]) -> None:
                nonlocal waiting_octets
                self._tasks.discard(task)
                waiting[name] -= 1
                waiting_octets -= len(msg.data)

            waiting[name] += 1
            waiting_octets += len(msg.data)
            task = asyncio.create_task(one_by_one(msg, turn))
            self._tasks.add(task)
            task.add_done_callback(ended)

        async def one_by_one(msg: Msg, turn: asyncio.Lock) -> None:
            async with turn:
                await serve(msg)

        async def serve(msg: Msg) -> None:
            name = msg.subject.rpartition(".")[2]
            try:
                kind = REQUESTS.get(name)
                if kind is None:
                    raise Refused(f"{name}: unknown to this version of {self.name}")
                await msg.respond(msgspec.json.encode(await handler(_decode(msg.data, kind))))
            except (Refused, Unreadable) as no:
                await self._refuse(msg, str(no))
            except Exception as error:
                log.exception("bus: %s", msg.subject)
                await self._refuse(msg, f"{self.name}: {name}: {error}")
        await self._subscribe(f"req.{self.name}.>", on_message)

    async def _subscribe(self, subject: str, on_message: Callable[[Msg], Awaitable[None]]) -> None:
        await self._client.subscribe(subject, cb=on_message, pending_msgs_limit=PENDING_MESSAGES,
                                     pending_bytes_limit=PENDING_OCTETS)
        await self.flush()

    async def flush(self) -> None:
        """Return when the server has taken in what was said and subscribed before."""
        for _ in range(2):                        # the client's PING overtakes what it has still to write
            await self._client.flush()

    async def answers(self, within_s: float) -> bool:
        """Whether the server does. True while it is away, too: a new start of ours would not help."""
        if not self._client.is_connected:
            return True
        try:
            await asyncio.wait_for(self._client.flush(), within_s)
        except (TimeoutError, nats.errors.Error):
            return not self._client.is_connected
        return True

    async def _refuse(self, msg: Msg, text: str) -> None:
        with contextlib.suppress(nats.errors.Error):                 # who asked hears that nobody answered
            no = msgspec.json.encode(_No(text[:MOST_REFUSAL]))
            await self._client.publish(msg.reply, no, headers={"Refused": "1"})

    async def close(self) -> None:
        self._closing = True
        for task in (*self._tasks, self._catching_up):
            if task is not None:
                task.cancel()
        with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError, OSError):
            await asyncio.wait_for(self._client.drain(), 2.0)
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._client.close()


def _decode(data: bytes, kind: type[Any]) -> Any:
    message: Message = _read(data, kind)
    if message.v != PROTOCOL:
        raise Unreadable(
            f"{kind.__name__}: protocol {message.v}, this box speaks {PROTOCOL}: finish the update")
    return message


def _read(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"{kind.__name__}: {error}") from None
