"""pysnmp's engine over our rows: messages, USM and UDP are its own; nothing else of the box imports it.

It takes 10 MB: imported only where the agent is on. Read only: SET is answered with notWritable.
Ref: RFC 3412-3414, 3826 (AES-128), 7860 (SHA-2), 3416.
"""

import asyncio
import logging
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config as usm
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context, ntforg
from pysnmp.error import PySnmpError
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c
from pysnmp.smi import error as smi_error
from pysnmp.smi.instrum import AbstractMibInstrumController

from appliance.box.snmp.gate import Host, Replies, Requests, plain
from appliance.box.snmp.notices import Notice
from appliance.box.snmp.pace import Pace
from appliance.box.snmp.tree import Oid, Value, oid, ticks
from appliance.box.snmp.view import UP_TIME, View
from appliance.config.snmp import SnmpConfig, SnmpTargetConfig
from appliance.errors import Unavailable

MOST_ROWS = 32                                    # of a GETBULK: one packet, so that nothing is fragmented
WAITING, OF_ONE = 128, 32                         # requests, of one host; more are lost, and asked again
SAY_S = 60.0                                      # between two lines of what cannot be read, or sent
INFORM_S, INFORM_AGAIN = 5, 4                     # until it is sent again, and how often
_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_ALL: Oid = (1, 3, 6, 1)
_AUTH = {"sha224": usm.USM_AUTH_HMAC128_SHA224, "sha256": usm.USM_AUTH_HMAC192_SHA256,
         "sha384": usm.USM_AUTH_HMAC256_SHA384, "sha512": usm.USM_AUTH_HMAC384_SHA512}
_TYPES: dict[str, Callable[[Any], Any]] = {
    "integer": rfc1902.Integer32, "string": rfc1902.OctetString, "oid": rfc1902.ObjectIdentifier,
    "counter32": rfc1902.Counter32, "counter64": rfc1902.Counter64, "gauge": rfc1902.Gauge32,
    "ticks": rfc1902.TimeTicks}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the files hold: pass phrases by user, communities by name."""

    users: dict[str, tuple[str, str]] = field(repr=False)
    communities: dict[str, str] = field(repr=False)


def listen(config: SnmpConfig) -> socket.socket | None:
    """Where the box may be asked; None: nowhere. Unavailable: the address or port cannot be had."""
    if not config.address:
        return None
    opened: socket.socket | None = None
    try:
        opened = socket.socket(socket.AF_INET6 if ":" in config.address else socket.AF_INET,
                               socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.bind((config.address, config.port))
    except OSError as error:
        if opened is not None:
            opened.close()
        raise Unavailable(f"snmp: {config.address} port {config.port}: {error.strerror or error}") from None
    return opened


async def begin(config: SnmpConfig, secrets: Secrets, opened: socket.socket | None, engine_id: bytes,
                boots: int, view: View) -> "Agent":
    """`opened`: of listen(), the agent's from now on. Unavailable: a socket or pysnmp fails."""
    agent: Agent | None = None
    try:
        engine = await asyncio.to_thread(_engine, config, secrets, engine_id, boots, view.up_s)
        agent = Agent(config, engine, view)
        await agent.set_up(secrets, opened, engine_id)
    except BaseException as error:
        if agent is not None:
            agent.close()
        if isinstance(error, PySnmpError):        # without its text, which may have a pass phrase in it
            raise Unavailable(f"snmp: pysnmp does not take it: {type(error).__name__}") from None
        if isinstance(error, OSError):
            raise Unavailable(f"snmp: {error.strerror or error}") from None
        raise
    return agent


class Agent:
    """Made by begin()."""

    def __init__(self, config: SnmpConfig, engine: SnmpEngine, view: View) -> None:
        self._config, self._engine, self._view = config, engine, view
        self._engine.register_transport_dispatcher(AsyncioDispatcher(loop=asyncio.get_running_loop()))
        self._hearing = _Hearing(engine)
        self._originator = ntforg.NotificationOriginator()

    async def set_up(self, secrets: Secrets, opened: socket.socket | None, engine_id: bytes) -> None:
        """Until it can be asked."""
        config = self._config
        for number, community in enumerate(config.communities):
            log.warning("snmp: community %s of %s: anybody on the way reads what is asked by SNMPv2c",
                        number + 1, ", ".join(community.sources))
        self._answer()
        transports: list[Any] = []
        if opened is not None:
            kind = _transport(config.address)
            asked = kind().open_server_mode(sock=opened)
            self._hearing.add(asked, Requests(config, secrets.communities, engine_id))
            usm.add_transport(self._engine, _domain(config.address), asked)
            transports.append(asked)
        replies = Replies(((target.address, secrets.communities.get(target.community, ""))
                           for target in config.targets), engine_id)
        for target in config.targets:
            domain = (*_domain(target.address), 2)                   # its socket goes out any way
            if usm.get_transport(self._engine, domain) is None:
                told = _transport(target.address)().open_client_mode()
                self._hearing.add(told, replies)
                usm.add_transport(self._engine, domain, told)
                transports.append(told)
            self._add_target(target, domain)
        for transport in transports:
            await transport._lport

    def close(self) -> None:
        self._hearing.stop()
        self._engine.close_dispatcher()

    def send(self, notice: Notice, objects: Iterable[tuple[Oid, Value]]) -> None:
        """To all targets; an inform that is never acknowledged is said in the log."""
        rows = [(UP_TIME, ticks(self._view.up_s())), (_TRAP_OID, oid(notice.kind)), *objects]
        for target in self._config.targets:
            pdu = (rfc1905.InformRequestPDU if target.inform else rfc1905.SNMPv2TrapPDU)()
            (v2c.apiPDU if target.inform else v2c.apiTrapPDU).set_defaults(pdu)
            v2c.apiPDU.set_varbinds(pdu, [(rfc1902.ObjectName(name), _asn1(value)) for name, value in rows])
            try:
                self._originator.send_pdu(self._engine, target.name, None, b"", pdu, self._sent,
                                          (target.name, notice.words))
            except Exception as error:            # pysnmp's own, of many kinds: the others are told even so
                log.warning("snmp: %s is not told %s: %.300r", target.name, notice.words, error)

    def _sent(self, engine: Any, handle: Any, trouble: Any, pdu: Any, about: tuple[str, str]) -> None:
        if trouble:
            log.warning("snmp: %s has not acknowledged %s: %s", *about, trouble)

    def _answer(self) -> None:
        answering = context.SnmpContext(self._engine)
        answering.context_names[b""] = _Rows(self._view)
        cmdrsp.GetCommandResponder(self._engine, answering)
        cmdrsp.NextCommandResponder(self._engine, answering)
        _Bulk(self._engine, answering)
        cmdrsp.SetCommandResponder(self._engine, answering)

    def _add_target(self, target: SnmpTargetConfig, domain: Oid) -> None:
        if target.user:
            usm.add_target_parameters(self._engine, target.name, target.user, "authPriv", 3)
        else:
            usm.add_target_parameters(self._engine, target.name, target.community, "noAuthNoPriv", 1)
        usm.add_target_address(self._engine, target.name, domain, (target.address, target.port), target.name,
                               INFORM_S * 100, INFORM_AGAIN)


class _Hearing:
    """What comes in by all sockets, in order: what their gates let in, and there is time for."""

    def __init__(self, engine: SnmpEngine) -> None:
        self._engine, self._loop, self._pace = engine, asyncio.get_running_loop(), Pace()
        self._waiting: deque[tuple[Any, bytes, Any, Host]] = deque()
        self._of = Counter[Host]()
        self._later: asyncio.Handle | None = None
        self._said_at: dict[str, float] = {}

    def add(self, transport: Any, gate: Requests | Replies) -> None:
        """One of pysnmp's transports."""
        transport.datagram_received = partial(self.heard, transport, gate)
        transport.error_received = partial(self._say, "cannot be sent")

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()
        self._waiting.clear()

    def heard(self, transport: Any, gate: Requests | Replies, datagram: bytes, address: Any) -> None:
        host = plain(address[0])
        wanted = gate.lets_in(datagram, host)
        if wanted is None or len(self._waiting) >= WAITING or self._of[host] >= OF_ONE:
            return
        self._waiting.append((transport, wanted, address, host))
        self._of[host] += 1
        if self._later is None:
            self._go_on()

    def _go_on(self) -> None:
        """One of them; between two the loop does what else there is."""
        self._later = None
        if not self._waiting:
            return
        if wait_s := self._pace.wait_s(self._loop.time()):
            self._later = self._loop.call_later(wait_s, self._go_on)
            return
        transport, datagram, address, host = self._waiting.popleft()
        self._of -= Counter((host,))              # without those that have none
        began = time.thread_time()                # of the processor: not what others took meanwhile
        self._hand_over(transport, datagram, address)
        self._pace.took(self._loop.time(), time.thread_time() - began)
        if self._waiting:
            self._later = self._loop.call_soon(self._go_on)

    def _hand_over(self, transport: Any, datagram: bytes, address: Any) -> None:
        """At once, not by the loop: what strangers send may make pysnmp fail, and would fill the log."""
        try:
            transport._callback_function(transport, address, datagram)
        except Exception as error:
            self._say(f"of {address[0]} cannot be read", error)
        for model in self._engine.security_models.values():
            if not model._cache.is_empty():       # of a message that is not answered it stays for ever
                model._cache = type(model._cache)()

    def _say(self, what: str, error: Exception) -> None:
        kind = what.rpartition(" ")[2]
        if self._loop.time() >= self._said_at.get(kind, float("-inf")) + SAY_S:
            log.warning("snmp: a message %s: %.300r", what, error)
            self._said_at[kind] = self._loop.time()


class _Bulk(cmdrsp.BulkCommandResponder):         # type: ignore[misc]  # pysnmp has no types
    """GETBULK: MOST_ROWS in all, but each name asked for at least once (RFC 3416 4.2.3)."""

    def handle_management_operation(self, engine: Any, reference: Any, name: Any, pdu: Any) -> None:
        self.max_varbinds = max(MOST_ROWS, len(v2c.apiPDU.get_varbinds(pdu)))
        super().handle_management_operation(engine, reference, name, pdu)


class _Rows(AbstractMibInstrumController):        # type: ignore[misc]  # pysnmp has no types
    """Our rows as pysnmp asks for them. Who may ask is asked once a request: everybody who may sees all."""

    def __init__(self, view: View) -> None:
        self._view = view

    def read_variables(self, *asked: Any, **context: Any) -> list[tuple[Any, Any]]:
        self._may(asked, context)
        now, tree = self._view.now(), self._view.tree
        found = []
        for name, _ in asked:
            key = tuple(name)
            value = tree.get(key, now)
            if value is not None:
                found.append((name, _asn1(value)))
            else:
                found.append((name, rfc1905.noSuchInstance if tree.is_object(key, now)
                              else rfc1905.noSuchObject))
        return found

    def read_next_variables(self, *asked: Any, **context: Any) -> list[tuple[Any, Any]]:
        self._may(asked, context)
        now, tree = self._view.now(), self._view.tree
        found = []
        for name, _ in asked:
            row = tree.next(tuple(name), now)
            found.append((name, rfc1905.endOfMibView) if row is None
                         else (rfc1902.ObjectName(row[0]), _asn1(row[1])))
        return found

    def write_variables(self, *asked: Any, **context: Any) -> list[tuple[Any, Any]]:
        raise smi_error.NotWritableError(name=asked[0][0] if asked else (), idx=0)

    @staticmethod
    def _may(asked: Sequence[Any], context: dict[str, Any]) -> None:
        may = context.get("acFun")
        if may is not None and asked and may("read", (asked[0][0], None), idx=0, **context):
            raise smi_error.AuthorizationError(name=asked[0][0], idx=0)


class _EngineTime(rfc1902.Integer32):             # type: ignore[misc]  # pysnmp has no types
    """snmpEngineTime by a clock that nobody sets. pysnmp goes by the time of day, clones this to read it."""

    up_s: Callable[[], float]

    def clone(self, *given: Any, **more: Any) -> Any:
        return rfc1902.Integer32(int(self.up_s()))


def _engine(config: SnmpConfig, secrets: Secrets, engine_id: bytes, boots: int,
            up_s: Callable[[], float]) -> SnmpEngine:
    """With who may ask. It takes half a second and more: in a thread.

    Not by SnmpEngine(id), which keeps how often it began in a folder of /tmp that anybody may make.
    """
    engine = SnmpEngine()
    own_id, begun, since = engine.get_mib_builder().import_symbols(
        "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots", "snmpEngineTime")
    own_id.syntax = own_id.syntax.clone(engine_id)
    engine.snmpEngineID = own_id.syntax
    begun.syntax = begun.syntax.clone(boots)
    since.syntax = _EngineTime(0)
    since.syntax.up_s = up_s
    for user in config.users:
        auth, privacy = secrets.users[user.name]
        usm.add_v3_user(engine, user.name, _AUTH[user.auth], auth, usm.USM_PRIV_CFB128_AES, privacy)
        usm.add_vacm_user(engine, 3, user.name, "authPriv", _ALL, (), _ALL)
    for community in config.communities:
        usm.add_v1_system(engine, community.name, secrets.communities[community.name])
        usm.add_vacm_user(engine, 2, community.name, "noAuthNoPriv", _ALL, (), _ALL)
    return engine


def _transport(address: str) -> type[Any]:
    kind: type[Any] = udp6.Udp6AsyncioTransport if ":" in address else udp.UdpAsyncioTransport
    return kind


def _domain(address: str) -> Oid:
    domain: Oid = (udp6 if ":" in address else udp).DOMAIN_NAME
    return domain


def _asn1(value: Value) -> Any:
    return _TYPES[value.kind](value.value)
