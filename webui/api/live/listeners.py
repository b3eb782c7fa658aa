"""All live connections of programs, in one thread: a hundred that are silent cost no more than their sockets.

The web server hands a socket over when its request is answered. Programs with the same range share what is
read, compared and written for a topic. A second thread does nothing but wait for the mirror.
"""

import logging
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Flask

from webui.access.ranges import Range
from webui.access.sight import narrowed
from webui.alerts.store import Alerts
from webui.api.live import strangers, topics
from webui.api.live.shapes import SCOPES, Subscribe
from webui.api.live.speaking import AGAIN, GOING_AWAY, NO_TOKEN, POLICY, Said, Speaker
from webui.api.tokens import Client
from webui.mirror import Mirror
from webui.notices.store import Notices

MOST = 100                                        # connections
MOST_OF_TOKEN = 8
GAP_S = 0.05                                      # changes within it go together
PING_S = 15.0
SILENT_S = 45.0                                   # who answers no ping for so long is gone
FIRST_S = 10.0                                    # to say what he wants to hear of
LOOK_S = 5.0                                      # how soon a withdrawn token is noticed
MOST_BEHIND = 512 * 1024                          # octets that wait for who is slow
MOST_SAID, SAID_S = 30, 60.0                      # messages of a program, in so many seconds
LAST_S = 2.0                                      # to take the last words
READ_OCTETS = 16 * 1024
READS = 8                                         # of one connection, before the others have their turn

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Peer:
    """A program that listens. Times are monotonic."""

    sock: socket.socket
    speaker: Speaker
    client: Client | None                         # None: a stranger, who has to show a token first
    place: int | str                              # what it was reserved for
    token: str = field(repr=False)
    within: Range = field(repr=False)             # resolved
    hears: set[str] = field(default_factory=set)
    rest: bytes = b""                             # what came with the request and is not looked at yet
    out: deque[bytes] = field(default_factory=deque)     # whole messages; of the first what is left
    waiting: int = 0                              # octets in it
    began_at: float = 0.0
    heard_at: float = 0.0
    pinged_at: float = 0.0
    said: deque[float] = field(default_factory=deque)
    ends_at: float | None = None                  # no more is told; then it is closed

    def say(self, octets: bytes) -> None:
        if octets:
            self.out.append(octets)
            self.waiting += len(octets)

    def end(self, code: int, why: str) -> None:
        """What waits goes, but for what may have been begun; the last words follow it."""
        if self.ends_at is None:
            self.ends_at = time.monotonic() + LAST_S
            kept = list(self.out)[:1]
            self.out.clear()
            self.waiting = 0
            for octets in (*kept, self.speaker.close(code, why)):
                self.say(octets)


@dataclass(slots=True)
class _Group:
    """A topic as those see it who have the same range."""

    items: topics.Items
    seq: int = 1
    peers: set[Peer] = field(default_factory=set)


class Listeners:
    def __init__(self, app: Flask, mirror: Mirror, notices: Notices, alerts: Alerts,
                 known: Callable[[str], tuple[Client, Range] | None],
                 groups: Callable[[], Mapping[str, frozenset[str]]],
                 locked_out: Callable[[str], None]) -> None:
        """`known`: whose a token is now, and the range with groups resolved; asked within `app`'s context.
        `groups`: of agents. `locked_out`: an address showed wrong tokens, and waits."""
        self._app, self._mirror, self._notices, self._alerts = app, mirror, notices, alerts
        self._known, self._groups_of, self._locked_out = known, groups, locked_out
        self.strangers = strangers.Strangers()
        self._lock = threading.Lock()
        self._places: Counter[int | str] = Counter()             # by the token's number; a stranger's address
        self._arrived: deque[Peer] = deque()
        self._peers: set[Peer] = set()
        self._groups: dict[tuple[str, Range], _Group] = {}
        self._threads: list[threading.Thread] = []
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._looked_at = self._quiet_until = 0.0

    # --- from the threads of the web server

    def reserve(self, place: int | str) -> bool | None:
        """For one more connection of a token, or of a stranger's address. None: this one has all of its own;
        False: there is none left."""
        own = strangers.MOST_OF_ADDRESS if isinstance(place, str) else MOST_OF_TOKEN
        with self._lock:
            if self._places[place] >= own:
                return None
            unknown = sum(many for one, many in self._places.items() if isinstance(one, str))
            if (self._places.total() >= MOST or self._stopping.is_set()
                    or (isinstance(place, str) and unknown >= strangers.MOST)):
                return False
            self._places[place] += 1
            return True

    def take(self, peer: Peer) -> None:
        """Its place is reserved."""
        peer.sock.setblocking(False)
        peer.began_at = peer.heard_at = peer.pinged_at = time.monotonic()
        with self._lock:
            if not self._threads:
                self._begin()
            self._arrived.append(peer)
        self._wake()

    def stop(self) -> None:
        """Everybody is told that the box goes away; returns when the threads have ended."""
        self._stopping.set()
        with self._lock:
            threads = list(self._threads)
        if threads:
            self._wake()
        for thread in threads:
            thread.join(LAST_S + 3.0)

    def _begin(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self._threads = [threading.Thread(target=self._run, name="live", daemon=True),
                         threading.Thread(target=self._feed, name="live: mirror", daemon=True)]
        for thread in self._threads:
            thread.start()

    def _wake(self) -> None:
        with suppress(OSError):                   # it is awake, or has ended
            self._bell.send(b"!")

    # --- the mirror's thread

    def _feed(self) -> None:
        while not self._mirror.closed.is_set() and not self._stopping.is_set():
            floor = self._mirror.floor
            self._changed.set()
            self._wake()
            self._mirror.wait(floor, LOOK_S)
            self._mirror.closed.wait(GAP_S)
        self._stopping.set()
        self._wake()

    # --- the thread of all connections

    def _run(self) -> None:
        ends_at = None
        while ends_at is None or (self._peers and time.monotonic() < ends_at):
            for key, events in self._selector.select(0.1 if ends_at else LOOK_S):
                if key.data is None:
                    with suppress(BlockingIOError):
                        self._ear.recv(4096)
                else:
                    self._alone(key.data, self._ready, events)
            if self._stopping.is_set() and ends_at is None:
                ends_at = time.monotonic() + LAST_S
            with self._going_on():
                self._work(ends_at is not None)
        for peer in list(self._peers):
            self._drop(peer)
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _work(self, ending: bool) -> None:
        while self._arrived:
            peer = self._arrived.popleft()
            self._peers.add(peer)
            self._alone(peer, self._welcome)
        if ending:
            for peer in list(self._peers):
                self._alone(peer, Peer.end, GOING_AWAY, "the box goes away: come again")
        elif self._changed.is_set():
            self._changed.clear()
            self._publish()
        now = time.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._publish()                       # a notice may have begun or ended
            self._recheck()
        for peer in list(self._peers):
            self._alone(peer, self._tend, now)

    def _welcome(self, peer: Peer) -> None:
        self._selector.register(peer.sock, selectors.EVENT_READ, peer)
        self._ready(peer, selectors.EVENT_READ)   # TLS may hold octets already

    def _tend(self, peer: Peer, now: float) -> None:
        if peer.ends_at is None:
            self._join(peer)
            if now - peer.heard_at > SILENT_S and peer.speaker.answers:
                peer.end(GOING_AWAY, "no ping was answered")
            elif peer.client is None:
                if now - peer.began_at > strangers.TOKEN_S:
                    peer.end(NO_TOKEN, "say the token first")
            elif not peer.hears and now - peer.began_at > FIRST_S:
                peer.end(POLICY, "say what to subscribe to")
            elif now - peer.pinged_at >= PING_S:
                peer.pinged_at = now
                peer.say(peer.speaker.ping())
        self._flush(peer)
        if peer in self._peers and peer.ends_at is not None and (not peer.out or now >= peer.ends_at):
            self._drop(peer)

    def _join(self, peer: Peer) -> None:
        """Topics that he has subscribed to since: first all there is of each."""
        for topic in sorted(peer.hears):
            with self._going_on():
                group = self._groups.get((topic, peer.within))
                if group is None:
                    group = self._groups[topic, peer.within] = _Group(
                        topics.read(topic, self._moment(peer.within)))
                if peer not in group.peers:
                    peer.say(peer.speaker.tell(topic, topics.snapshot(topic, group.items, group.seq,
                                                                      time.time())))
                    group.peers.add(peer)

    def _moment(self, within: Range) -> topics.Moment:
        now = time.time()
        return topics.Moment(
            narrowed(self._mirror.floor, within), within, self._notices.valid(now),
            tuple(one for one in self._alerts.raised if one.told
                  and within.covers(one.within.resolved(self._groups_of()))))

    def _publish(self) -> None:
        moments: dict[Range, topics.Moment] = {}
        for (topic, within), group in list(self._groups.items()):
            if not group.peers:
                del self._groups[topic, within]
                continue
            with self._going_on():
                if within not in moments:
                    moments[within] = self._moment(within)
                items = topics.read(topic, moments[within])
                message = topics.change(topic, group.items, items, group.seq + 1, time.time())
                if message:
                    group.items, group.seq = items, group.seq + 1
                    for peer in list(group.peers):
                        self._alone(peer, self._tell, topic, message)

    def _tell(self, peer: Peer, topic: str, message: bytes) -> None:
        if peer.ends_at is not None:
            return
        if peer.waiting > MOST_BEHIND:
            peer.end(AGAIN, "too slow: come again and begin with a snapshot")
        else:
            peer.say(peer.speaker.tell(topic, message))

    def _recheck(self) -> None:
        """Tokens end, are withdrawn, and lose what who made them loses."""
        for peer in list(self._peers):
            if peer.client is None:
                continue
            with self._going_on():
                with self._app.app_context():
                    now = self._known(peer.token)
                if now is None or now[0].scopes != peer.client.scopes or now[1] != peer.within:
                    peer.end(POLICY, "the token is over, or may something else now")

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """What cannot be told at this moment keeps nobody from the rest, nor ends a stream."""
        try:
            yield
        except Exception:
            if time.monotonic() >= self._quiet_until:            # it may be so at each of many moments
                self._quiet_until = time.monotonic() + LOOK_S
                log.exception("live: not told")

    def _alone(self, peer: Peer, act: Callable[..., None], *given: Any) -> None:
        """Whatever one of them says, the others go on."""
        try:
            act(peer, *given)
        except Exception:
            log.exception("live: let go")
            self._drop(peer)

    def _ready(self, peer: Peer, events: int) -> None:
        if peer.rest:
            rest, peer.rest = peer.rest, b""
            self._hear(peer, *peer.speaker.receive(rest))
        if events & selectors.EVENT_WRITE:
            self._flush(peer)
        for _ in range(READS):
            if peer not in self._peers:
                return
            try:
                octets = peer.sock.recv(READ_OCTETS)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:
                octets = b""
            if not octets:
                self._drop(peer)
                return
            peer.heard_at = time.monotonic()
            self._hear(peer, *peer.speaker.receive(octets))
        else:
            if peer in self._peers and isinstance(peer.sock, ssl.SSLSocket) and peer.sock.pending():
                self._wake_for(peer)

    def _wake_for(self, peer: Peer) -> None:
        """The selector does not know of octets that lie in the TLS layer: the next turn looks there."""
        self._selector.unregister(peer.sock)
        self._peers.discard(peer)
        self._arrived.append(peer)
        self._wake()

    def _hear(self, peer: Peer, said: list[Said], answer: bytes) -> None:
        if peer.ends_at is not None:
            return
        peer.say(answer)
        if answer and peer.waiting > MOST_BEHIND:
            peer.end(AGAIN, "too slow: come again and begin with a snapshot")
        for one in said:
            if peer.ends_at is not None:
                return
            if one.over:
                peer.ends_at = time.monotonic() + LAST_S
            elif one.refused:
                peer.end(one.refused, one.why)
            elif peer.client is None:
                self._show(peer, str(peer.place), one.text)
            else:
                self._subscribe(peer, peer.client, one.text)

    def _show(self, peer: Peer, address: str, text: str) -> None:
        """A stranger's first words."""
        now, known = time.monotonic(), None
        try:
            token = strangers.shown(text)
        except ValueError as error:
            peer.end(NO_TOKEN, f"say the token first: {error}")
            return
        wait_s = self.strangers.wait_s(address, now)
        if not wait_s:
            with self._app.app_context():
                known = self._known(token)
        if known is None:
            if not wait_s and self.strangers.wrong(address, now):
                log.warning("live: wrong tokens from %s: it waits", address)
                with self._app.app_context():
                    self._locked_out(address)
            peer.end(NO_TOKEN, f"too many wrong tokens: wait {wait_s:.0f} s" if wait_s else
                     "there is no such token, or it is over")
            return
        self.strangers.right(address)
        if not self._move(peer, known[0].number):
            peer.end(POLICY, f"this token has {MOST_OF_TOKEN} live connections")
            return
        peer.client, peer.within = known
        peer.token, peer.began_at = token, now

    def _subscribe(self, peer: Peer, client: Client, text: str) -> None:
        now = time.monotonic()
        peer.said.append(now)
        while peer.said[0] < now - SAID_S:
            peer.said.popleft()
        if len(peer.said) > MOST_SAID:
            peer.end(POLICY, f"more than {MOST_SAID} messages in {SAID_S:g} s")
            return
        try:
            wanted = msgspec.json.decode(text, type=Subscribe).subscribe
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError) as error:
            peer.end(POLICY, str(error))
            return
        lacking = sorted({SCOPES[topic] for topic in wanted} - client.scopes)
        if lacking:
            peer.end(POLICY, f"the token's scopes lack {', '.join(lacking)}")
        else:
            peer.hears |= set(wanted)

    def _flush(self, peer: Peer) -> None:
        while peer.out and peer in self._peers:
            try:
                sent = peer.sock.send(peer.out[0])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                break
            except OSError:
                self._drop(peer)
                return
            peer.waiting -= sent
            if sent == len(peer.out[0]):
                peer.out.popleft()
            else:
                peer.out[0] = peer.out[0][sent:]
        want = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.out else 0)
        if peer in self._peers and self._selector.get_key(peer.sock).events != want:
            self._selector.modify(peer.sock, want, peer)

    def _drop(self, peer: Peer) -> None:
        if peer not in self._peers:
            return
        self._peers.discard(peer)
        for group in self._groups.values():
            group.peers.discard(peer)
        with suppress(KeyError, ValueError):
            self._selector.unregister(peer.sock)
        with suppress(OSError):
            peer.sock.shutdown(socket.SHUT_RDWR)
        peer.sock.close()
        self.release(peer.place)

    def _move(self, peer: Peer, token: int) -> bool:
        """A stranger's place is a token's from now on. False: it has all of its own."""
        with self._lock:
            if self._places[token] >= MOST_OF_TOKEN:
                return False
            self._places[token] += 1
            self._give_back(peer.place)
            peer.place = token
            return True

    def release(self, place: int | str) -> None:
        with self._lock:
            self._give_back(place)

    def _give_back(self, place: int | str) -> None:
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]
