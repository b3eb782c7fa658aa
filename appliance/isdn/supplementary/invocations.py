"""What the supplementary services of one span stand on: invocations of ours and of the far end, their answers
and timers, what is wrong with components. What an operation brings about is in the services' own rooms.

Ref: ETSI EN 300 196-1, 8 (user and network), ECMA-165, 7 (private networks), with the error handling of both;
bare clause numbers are EN 300 196-1's.
"""
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from appliance.errors import DecodeError, StateError
from appliance.isdn.causes import FACILITY_REJECTED
from appliance.isdn.elements import CallingNumber, Element, Facility
from appliance.isdn.lapd import Side
from appliance.isdn.profile import NETWORKING, Profile
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.sparing_log import SparingLog
from appliance.isdn.supplementary import rose
from appliance.isdn.supplementary.codec import decode, encode
from appliance.isdn.supplementary.events import ServiceEvent, TransferDone
from appliance.isdn.supplementary.operations import ERRORS, NOT_AVAILABLE, Operation, by_code, operations
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.rose import (
    Code,
    Component,
    Error,
    ErrorProblem,
    Invoke,
    InvokeProblem,
    Problem,
    Reject,
    Result,
    ResultProblem,
    Unrecognized,
)

ANSWERED_WITHIN_S = 10.0                          # what we ask the far end
ANSWER_WITHIN_S = 3.0                             # what it asks us: exchanges wait 4 s or longer
INVOKE_IDS = 0x7FFF
MOST_PASSED_ON = 50                               # from a joined call; if both ends join two they go round
NO_ANSWER = "no answer"
CALL_ENDED = "the call ended"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a service must know of a call. `ours`: we placed it."""

    ours: bool
    alerting: bool                                # it rings, at whichever end
    answered: bool
    called: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """A Facility element for the far end of that call."""

    key: str
    element: Facility


@dataclass(frozen=True, slots=True)
class Clear:
    """The far end wants that call cleared with `cause`."""

    key: str
    cause: int


Action = Send | Clear
Done = Callable[[Any, float], None]
Failed = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An invocation of ours. `done` takes the result's value, `failed` why there is none."""

    operation: Operation
    deadline: float
    done: Done
    failed: Failed


@dataclass(frozen=True, slots=True)
class Owed:
    """An invocation of the far end that the application has to answer."""

    key: str
    id: int
    operation: Operation
    deadline: float
    other: str = ""                               # the second call that it is about


E = TypeVar("E", bound=Element)
Handler = Callable[[Any, Owed, Any, float], None]      # services, invocation, its argument, now


class Invocations:
    """`facts` tells of a call; None: there is none of that key. `name` is for the log."""

    def __init__(self, profile: Profile, side: Side, facts: Callable[[str], CallFacts | None],
                 handlers: dict[str, Handler], counts: Counter[str], name: str) -> None:
        self.side, self.facts, self.counts = side, facts, counts
        self._log = SparingLog(log, logging.INFO, name)
        self._handlers = handlers
        self.change(profile)
        self._ids = 0
        self._asked: dict[tuple[str, int], _Asked] = {}
        self._owed: dict[tuple[str, int], Owed] = {}
        self._actions: list[Action] = []
        self._events: list[ServiceEvent] = []
        self._offers: dict[str, tuple[Element, ...]] = {}       # the SETUPs of calls that came in
        self.joined: dict[str, str] = {}          # calls whose ends hear each other through us, both ways
        self._passed_on: Counter[str] = Counter()      # Facility elements that came from one of these
        self.replaced: set[str] = set()           # of those: a new path was proposed
        self.links: dict[int, str] = {}           # link identities that we gave the far end
        self.diversions: dict[str, int] = {}      # that calls which came in had behind them

    def change(self, profile: Profile) -> None:
        """The neighbour is of that kind from now on."""
        self.profile = profile
        self._operations = {operation.name: operation for operation in operations(profile)}
        self._by_code = by_code(profile)

    # --- inputs

    def receive(self, key: str, message: Message, now: float) -> None:
        """A message of that call. Any octets will do."""
        if message.type is MessageType.SETUP:
            self._offers[key] = message.elements
        room = rose.MOST_COMPONENTS
        for element in message.elements:
            if isinstance(element, Facility):
                room -= self._read(key, element, room, now)

    def expire(self, now: float) -> None:
        """Time has come to `now`. Harmless when nothing is due."""
        for asked_id, asked in list(self._asked.items()):
            if asked.deadline <= now:
                del self._asked[asked_id]
                self.counts["services_unanswered"] += 1
                asked.failed(NO_ANSWER)
        for owed in list(self._owed.values()):
            if owed.deadline <= now:
                self.refuse(owed, NOT_AVAILABLE)

    def ended(self, key: str) -> None:
        """The call is over."""
        for asked_id in [asked_id for asked_id in self._asked if asked_id[0] == key]:
            self._asked.pop(asked_id).failed(CALL_ENDED)
        for owed_id in [owed_id for owed_id in self._owed if owed_id[0] == key]:
            del self._owed[owed_id]
        self._offers.pop(key, None)
        self.diversions.pop(key, None)
        self.links = {link_id: of for link_id, of in self.links.items() if of != key}
        if (other := self.joined.pop(key, None)) is not None:
            del self.joined[other], self._passed_on[key], self._passed_on[other]
            if key in self.replaced:
                self.tell(TransferDone(key, other))
            self.replaced -= {key, other}

    # --- outputs

    def next_deadline(self) -> float | None:
        """When expire() is due next; None: never."""
        if not self._asked and not self._owed:    # as nearly always
            return None
        deadlines = [asked.deadline for asked in self._asked.values()]
        return min(deadlines + [owed.deadline for owed in self._owed.values()], default=None)

    def take_actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def take_events(self) -> list[ServiceEvent]:
        events, self._events = self._events, []
        return events

    # --- what the services need

    def tell(self, event: ServiceEvent) -> None:
        self._events.append(event)

    def offered(self, key: str, kind: type[E]) -> E | None:
        """The element of that kind that the SETUP of a call that came in had."""
        return next((element for element in self._offers.get(key, ()) if isinstance(element, kind)), None)

    def far_end(self, key: str) -> Party | None:
        """Who is at the far end of a call, as far as we know."""
        facts = self.facts(key)
        if facts is not None and facts.ours:
            return Party(facts.called)
        calling = self.offered(key, CallingNumber)
        return None if calling is None else Party(
            calling.digits, calling.type, calling.plan, calling.presentation, calling.screening or 0)

    def operation(self, name: str) -> Operation:
        """StateError: neighbours of this kind know none of that name."""
        if name not in self._operations:
            raise StateError(f"{self.profile.title} has no {name}")
        return self._operations[name]

    def component(self, name: str, value: Any = None) -> tuple[Operation, Invoke]:
        """An invocation of ours, with an identifier of its own."""
        operation = self.operation(name)
        self._ids = self._ids % INVOKE_IDS + 1
        argument = encode(operation.module, operation.argument, value) if operation.argument else None
        return operation, Invoke(self._ids, operation.code, argument)

    def element(self, *components: Component, unrecognized: Unrecognized = Unrecognized.REJECT) -> Facility:
        """`unrecognized`: what an exchange that does not know the operation shall do."""
        networking = self.profile.facility_profile == NETWORKING
        return Facility(rose.write(*components, networking=networking, unrecognized=unrecognized))

    def ask(self, key: str, name: str, value: Any, done: Done, failed: Failed, now: float) -> None:
        """Invoke an operation that has a result, in a FACILITY message."""
        self.send(key, self.expect(key, name, value, done, failed, now))

    def expect(self, key: str, name: str, value: Any, done: Done, failed: Failed, now: float) -> Facility:
        """The same, for the message that the caller makes."""
        operation, invoke = self.component(name, value)
        self._asked[key, invoke.id] = _Asked(operation, now + ANSWERED_WITHIN_S, done, failed)
        return self.element(invoke)

    def inform(self, name: str, value: Any) -> Facility:
        """Invoke an operation that has no result and may be passed over."""
        return self.element(self.component(name, value)[1], unrecognized=Unrecognized.DISCARD)

    def send(self, key: str, element: Facility) -> None:
        self._actions.append(Send(key, element))

    def owe(self, owed: Owed, event: ServiceEvent) -> None:
        """The application is to answer that, and is told so. One at a time of each call."""
        if any(key == owed.key for key, _ in self._owed):
            self._reject(owed.key, Reject(owed.id, InvokeProblem.RESOURCE_LIMITATION))
            return
        self._owed[owed.key, owed.id] = owed
        self.tell(event)

    def owing(self, key: str, *names: str) -> Owed:
        """What the far end of that call waits for. StateError: for nothing of these."""
        for owed in self._owed.values():
            if owed.key == key and owed.operation.name in names:
                return owed
        raise StateError(f"the far end of call {key} waits for no answer: it was given, or time ran out")

    def grant(self, owed: Owed, value: Any = None) -> None:
        """Its result. `value` only where the operation has one."""
        self._owed.pop((owed.key, owed.id), None)
        operation = owed.operation
        if operation.result:
            octets = encode(operation.module, operation.result, value)
            self.send(owed.key, self.element(Result(owed.id, operation.code, octets)))
        else:
            self.send(owed.key, self.element(Result(owed.id)))

    def refuse(self, owed: Owed, error: Code) -> None:
        self._owed.pop((owed.key, owed.id), None)
        self.send(owed.key, self.element(Error(owed.id, error)))

    def pass_on(self, key: str, element: Facility, content: rose.Content) -> None:
        """To the other end, as an exchange in between does (ECMA-165, 7.1.2)."""
        self.send(self.joined[key], element)
        for component in content.components:
            operation = self._by_code.get(component.operation) if isinstance(component, Invoke) else None
            if operation is not None and operation.name == "pathReplacePropose":
                self.replaced |= {key, self.joined[key]}

    # --- components

    def _read(self, key: str, element: Facility, most: int, now: float) -> int:
        """How many components it had, `most` at most."""
        try:
            content = rose.read(element.content, most)
        except DecodeError as error:
            self.counts["facilities_ignored"] += 1
            self._log.say(f"Facility ignored: {error}", now)
            return 0
        found = len(content.components) + len(content.unreadable)
        if content.for_end and key in self.joined:
            self._passed_on[key] += 1
            if self._passed_on[key] > MOST_PASSED_ON:
                return 0
            self.pass_on(key, element, content)
            return found
        for component in content.components:
            match component:
                case Invoke():
                    self._invoked(key, component, content.unrecognized, now)
                case Result():
                    self._result(key, component, now)
                case Error(id=id_, error=code):
                    self._failed(key, id_, ERRORS.get(code, f"error {code}"))
                case Reject(id=rejected, problem=problem):
                    self._rejected(key, rejected, problem, now)
        for reject in content.unreadable:
            self._reject(key, reject)
        return found

    def _invoked(self, key: str, invoke: Invoke, unrecognized: Unrecognized, now: float) -> None:
        operation = self._by_code.get(invoke.operation)
        handler = None if operation is None else self._handlers.get(operation.name)
        if operation is None or handler is None or not (
                self.profile.symmetric or self.side.peer in operation.invoked_by):
            self.counts["operations_unknown"] += 1
            self._log.say(f"operation {invoke.operation} is unknown here", now)
            if unrecognized is Unrecognized.REJECT:
                self._reject(key, Reject(invoke.id, InvokeProblem.UNRECOGNIZED_OPERATION))
            elif unrecognized is Unrecognized.CLEAR_CALL:
                self._actions.append(Clear(key, FACILITY_REJECTED))
            return
        if (key, invoke.id) in self._owed:
            self._reject(key, Reject(invoke.id, InvokeProblem.DUPLICATE_INVOCATION))
            return
        value = None
        try:
            if operation.argument:
                value, _ = decode(operation.module, operation.argument, invoke.argument or b"")
        except DecodeError as error:
            self._log.say(f"argument of {operation.name}: {error}", now)
            self._reject(key, Reject(invoke.id, InvokeProblem.MISTYPED_ARGUMENT))
            return
        handler(self, Owed(key, invoke.id, operation, now + ANSWER_WITHIN_S), value, now)

    def _result(self, key: str, result: Result, now: float) -> None:
        asked = self._asked.pop((key, result.id), None)
        if asked is None:
            self._reject(key, Reject(result.id, ResultProblem.UNRECOGNIZED_INVOCATION))
            return
        value, operation = None, asked.operation
        try:
            if operation.result:
                value, _ = decode(operation.module, operation.result, result.value or b"")
        except DecodeError as error:
            self._log.say(f"result of {operation.name}: {error}", now)
            self._reject(key, Reject(result.id, ResultProblem.MISTYPED_RESULT))
            asked.failed("a result that cannot be read")
            return
        asked.done(value, now)

    def _failed(self, key: str, id_: int, why: str) -> None:
        asked = self._asked.pop((key, id_), None)
        if asked is None:
            self._reject(key, Reject(id_, ErrorProblem.UNRECOGNIZED_INVOCATION))
        else:
            asked.failed(why)

    def _rejected(self, key: str, id_: int | None, problem: Problem | int, now: float) -> None:
        """Of one of ours that has no result, or without telling which: nothing to do but to know it."""
        said = problem.name.lower().replace("_", " ") if isinstance(problem, Enum) else f"problem {problem}"
        self.counts["services_rejected"] += 1
        self._log.say(f"the far end rejects a component: {said}", now)
        if id_ is not None and (asked := self._asked.pop((key, id_), None)) is not None:
            asked.failed(said)

    def _reject(self, key: str, reject: Reject) -> None:
        self.counts["components_rejected"] += 1
        self.send(key, self.element(reject))
