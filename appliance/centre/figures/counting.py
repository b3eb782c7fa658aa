"""What counts, out of the event log: one function for each kind of event.

When a contact counts: for its queue in the quarter of an hour in which it joined it, whatever comes of it
later; the work on it in the one in which that agent's talk began; a node in the one in which it was entered;
a call in the one in which it began. States of agents and channels that are taken are times: they are cut
where quarters begin, so that a quarter never has more than its 900 s of one agent or channel.
"""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from appliance.centre import events
from appliance.centre.events import LogEvent, decode
from appliance.centre.evolve.agents import RENAMED
from appliance.centre.figures.ongoing import (
    AGENT,
    ALL,
    NODE,
    OF_AGENT,
    OF_CONTACT,
    QUEUE,
    Course,
    Duty,
    Leg,
    Part,
    Work,
    call,
    milliseconds,
    spell,
)
from appliance.store.counts import Count
from appliance.store.events import Entry

NO_CHANNEL = (34, 44)                             # Q.850: no circuit available, requested one not available
RINGS = ("reserved", "ringing")
SPENDS = {"talking": "talk", "held": "hold", "consulting": "hold", "wrap-up": "wrap-up"}    # state -> on what
ROLES = {"target": "transfer", "consulted": "consult", "member": "conference", "supervisor": "supervision"}
OWN_CALLS = ("out", "internal")
DIALS = (*OWN_CALLS, "callback")                  # work that begins before the other end has answered
OF_QUEUE = ("queue", "transfer", "callback")      # that counts for the contact's queue, too

Counted = Iterator[Count]


class Book:
    """What is remembered, while one event is taken in: what was looked at is written back at its end."""

    def __init__(self, remembered: MutableMapping[str, str]) -> None:
        self._remembered = remembered
        self._courses: dict[str, Course | None] = {}
        self._duties: dict[str, Duty | None] = {}

    def course(self, contact: str) -> Course | None:
        if contact not in self._courses:
            data = self._remembered.get(OF_CONTACT + contact)
            self._courses[contact] = None if data is None else msgspec.json.decode(data, type=Course)
        return self._courses[contact]

    def duty(self, agent: str) -> Duty | None:
        if agent not in self._duties:
            data = self._remembered.get(OF_AGENT + agent)
            self._duties[agent] = None if data is None else msgspec.json.decode(data, type=Duty)
        return self._duties[agent]

    def begin(self, contact: str, course: Course) -> None:
        self._courses[contact] = course

    def hire(self, agent: str, duty: Duty) -> None:
        self._duties[agent] = duty

    def end(self, contact: str) -> None:
        self._courses[contact] = None

    def dismiss(self, agent: str) -> None:
        self._duties[agent] = None

    def close(self) -> None:
        for prefix, known in ((OF_CONTACT, self._courses), (OF_AGENT, self._duties)):
            for name, what in known.items():
                if what is not None:
                    self._remembered[prefix + name] = msgspec.json.encode(what).decode()
                else:
                    self._remembered.pop(prefix + name, None)


class FigureCounting:
    """What the event log needs (appliance.store.counts.Counting)."""

    @property
    def kinds(self) -> frozenset[str]:
        return KINDS

    def fold(self, ongoing: MutableMapping[str, str], at: float, contact: str, kind: str,
             data: str) -> Sequence[Count]:
        event = decode(Entry(at=at, contact=contact, kind=kind, data=data))
        return count(ongoing, at, contact, event)


def count(remembered: MutableMapping[str, str], at: float, contact: str, event: LogEvent) -> list[Count]:
    """What counts with this event, of a kind in KINDS. Of a contact that is not known nothing does."""
    book, at_ms = Book(remembered), milliseconds(at)
    if type(event) in OF_BOX:
        new = list(OF_BOX[type(event)](book, contact, at_ms, event))
    else:
        course = book.course(contact)
        new = [] if course is None else list(OF_COURSE[type(event)](book, contact, course, at_ms, event))
    book.close()
    return new


# --- contacts


def _began(book: Book, contact: str, at_ms: int, event: events.Began) -> Counted:
    began_ms, inbound = milliseconds(event.began_at), event.direction == "in"
    leg = Leg(trunk=event.trunk, at_ms=began_ms, inbound=not event.originated)
    book.begin(contact, Course(trunk=event.trunk, inbound=inbound, calling=event.calling, began_ms=began_ms,
                               legs={event.leg: leg}))
    yield from ()


def _connected(book: Book, contact: str, course: Course, at_ms: int, event: events.Connected) -> Counted:
    course.connected = True
    for leg in course.legs.values():
        leg.answered = leg.answered or leg.inbound
    yield from ()


def _ended(book: Book, contact: str, course: Course, at_ms: int, event: events.Ended) -> Counted:
    at_ms = milliseconds(event.ended_at)
    if course.joined_ms:
        sent_away = course.left_ms or event.ended_by == "box"
        how = "abandoned/turned away" if sent_away else "abandoned/hung up"
        yield from _out_of_queue(contact, course, at_ms, "failed" if event.outcome == "failed" else how)
    if course.first_ms and not course.settled:
        yield from _settle(contact, course, course.last_left)
    if course.callback and not course.talked:
        yield from _called_back(contact, course, at_ms, f"callback/{event.outcome}")
    yield from _leave_node(contact, course, at_ms, "hung up" if event.ended_by == "caller" else "ended")
    for leg in course.legs.values():
        leg.blocked = not leg.inbound and not leg.answered and event.cause in NO_CHANNEL
        yield from call(contact, leg, at_ms, event.outcome)
    book.end(contact)


# --- flow


def _node_entered(book: Book, contact: str, course: Course, at_ms: int, event: events.NodeEntered) -> Counted:
    yield from _leave_node(contact, course, at_ms, f"by/{event.by}" if event.by else "by/next")
    if course.joined_ms and not course.left_ms:
        course.left_ms, course.left_by = at_ms, event.by
    course.node, course.node_ms = f"{event.flow}: {event.node}", at_ms


def _leave_node(contact: str, course: Course, at_ms: int, how: str) -> Counted:
    if course.node:
        yield Count(of=NODE, name=course.node, what=how, contact=contact, at_ms=course.node_ms,
                    for_ms=max(0, at_ms - course.node_ms))
        course.node = ""


def _message_begun(book: Book, contact: str, course: Course, at_ms: int,
                   event: events.MessageBegun | events.MessageKept) -> Counted:
    yield from _out_of_queue(contact, course, at_ms, "left/message")


# --- queues


def _joined(book: Book, contact: str, course: Course, at_ms: int, event: events.Joined) -> Counted:
    """From now on: who comes back from an agent keeps the place, but the talk was no waiting."""
    yield from _out_of_queue(contact, course, at_ms, "overflowed/queue")
    course.queue = event.queue
    if course.callback:                           # nobody waits on the line
        return
    course.joined_ms = at_ms
    course.told_ms = None if event.estimate_s is None else milliseconds(event.estimate_s)
    course.first_ms = course.first_ms or at_ms


def _not_admitted(book: Book, contact: str, course: Course, at_ms: int, event: events.NotAdmitted) -> Counted:
    """Offered, and at once on the way out."""
    yield from _out_of_queue(contact, course, at_ms, "overflowed/queue")
    if not course.callback:
        course.queue, course.joined_ms, course.told_ms = event.queue, at_ms, None
        course.left_ms, course.left_by = at_ms, event.why
        course.first_ms = course.first_ms or at_ms


def _queue_left(book: Book, contact: str, course: Course, at_ms: int, event: events.QueueLeft) -> Counted:
    """What it comes to is known later."""
    if course.joined_ms:
        course.left_ms, course.left_by = at_ms, event.why
    yield from ()


def _offered(book: Book, contact: str, course: Course, at_ms: int, event: events.Offered) -> Counted:
    course.parts[event.agent] = Part(how="callback" if course.callback else "queue")
    _ring(book, course, at_ms, event.leg, event.agent)
    if not event.beside:
        course.agent = event.agent
    yield from ()


def _rung_beside(book: Book, contact: str, course: Course, at_ms: int, event: events.RungBeside) -> Counted:
    course.agent = event.agent
    yield from ()


def _ring_ended(book: Book, contact: str, course: Course, at_ms: int, event: events.RingEnded) -> Counted:
    if (duty := book.duty(event.agent)) is not None:
        duty.refused = event.reason
    yield from _hung_up(contact, course, at_ms, event.agent, event.cause)


def _talked(book: Book, contact: str, course: Course, at_ms: int, event: events.Talked) -> Counted:
    if course.callback and not course.talked:
        yield from _called_back(contact, course, at_ms, "callback/reached")
    course.talked, agent = True, course.agent
    yield from _out_of_queue(contact, course, at_ms, "answered", agent)
    yield from _leave_node(contact, course, at_ms, "answered")
    for leg in course.legs.values():
        leg.answered = leg.answered or not leg.agent or leg.agent == agent
    for name in course.parts:
        duty = book.duty(name)
        if duty is not None and duty.work is not None and duty.work.contact == contact:
            _spend(duty.work, duty.state, at_ms)
            duty.work.talked = True


def _out_of_queue(contact: str, course: Course, at_ms: int, how: str, agent: str = "") -> Counted:
    """How the wait that goes on, or has ended before, ended. Another way that the caller chose is his own."""
    if not course.joined_ms:
        return
    if course.left_by.startswith("digit") and not how.startswith("left"):
        how = f"left/{course.left_by}"
    wait_ms = max(0, (course.left_ms or at_ms) - course.joined_ms)
    yield Count(of=QUEUE, name=course.queue, what=how, contact=contact, at_ms=course.joined_ms,
                for_ms=wait_ms, other=agent, number=course.calling)
    if how == "answered" and course.told_ms is not None:
        for what, for_ms in (("told", course.told_ms), ("waited", wait_ms)):
            yield Count(of=QUEUE, name=course.queue, what=what, contact=contact, at_ms=course.joined_ms,
                        for_ms=for_ms)
    course.waited_ms += wait_ms
    course.last_left, course.joined_ms, course.left_ms, course.left_by = how, 0, 0, ""
    if how == "answered" and not course.settled:
        yield from _settle(contact, course, how, agent)


def _settle(contact: str, course: Course, how: str, agent: str = "") -> Counted:
    """For all queues together: once, whatever queues it was in."""
    course.settled = True
    yield Count(of=QUEUE, name=ALL, what=how, contact=contact, at_ms=course.first_ms, for_ms=course.waited_ms,
                other=agent, number=course.calling)


# --- calls that go out, forwards, call control


def _dialled(book: Book, contact: str, course: Course, at_ms: int, event: events.Dialled) -> Counted:
    if course.trunk == event.trunk and not course.callback:
        for name, part in course.parts.items():
            part.how = "internal" if part.how == "out" else part.how
            duty = book.duty(name)
            if duty is not None and duty.work is not None and duty.work.contact == contact:
                duty.work.how = part.how
    yield from _hung_up(contact, course, at_ms, "")                  # who deflected it
    course.legs[event.leg] = Leg(trunk=event.trunk, at_ms=at_ms, inbound=False)


def _agent_took(book: Book, contact: str, course: Course, at_ms: int, event: events.AgentTook) -> Counted:
    course.parts[event.agent], course.agent = Part(how="out"), event.agent
    for leg in course.legs.values():
        leg.agent = event.agent
    yield from ()


def _forward_begun(book: Book, contact: str, course: Course, at_ms: int,
                   event: events.ForwardBegun) -> Counted:
    course.forward_trunk = event.forward.trunk
    yield from _out_of_queue(contact, course, at_ms, "overflowed/forward")
    yield from _leave_node(contact, course, at_ms, "forward")


def _forward_dialled(book: Book, contact: str, course: Course, at_ms: int,
                     event: events.ForwardDialled) -> Counted:
    course.legs[event.leg] = Leg(trunk=course.forward_trunk, at_ms=at_ms, inbound=False)
    yield from ()


def _forward_over(book: Book, contact: str, course: Course, at_ms: int, event: events.ForwardOver) -> Counted:
    yield from _hung_up(contact, course, at_ms, "", event.cause)


def _party_added(book: Book, contact: str, course: Course, at_ms: int, event: events.PartyAdded) -> Counted:
    if event.role == "target":
        yield from _out_of_queue(contact, course, at_ms, "overflowed/person")
    if event.agent:
        course.parts[event.agent] = Part(how=ROLES.get(event.role, event.role))
        _ring(book, course, at_ms, event.leg, event.agent)


def _party_gone(book: Book, contact: str, course: Course, at_ms: int, event: events.PartyGone) -> Counted:
    leg = course.legs.pop(event.of_leg, None)
    if leg is not None:
        leg.blocked = event.cause in NO_CHANNEL
        yield from call(contact, leg, at_ms, "unanswered")


def _party_answered(book: Book, contact: str, course: Course, at_ms: int,
                    event: events.PartyAnswered) -> Counted:
    if event.of_leg in course.legs:
        course.legs[event.of_leg].answered = True
    yield from ()


def _let_go(book: Book, contact: str, course: Course, at_ms: int, event: events.LetGo) -> Counted:
    if event.why == "transfer":
        yield from _given_away(contact, course, event.agent)
    yield from _hung_up(contact, course, at_ms, event.agent)
    course.agent = ""


def _taken_over(book: Book, contact: str, course: Course, at_ms: int, event: events.TakenOver) -> Counted:
    before, part = course.agent, course.parts.get(event.agent)
    course.talked = True
    if before and before != event.agent:
        if part is None or part.how != "supervision":            # a supervisor takes it: nobody gave it away
            yield from _given_away(contact, course, before)
        yield from _hung_up(contact, course, at_ms, before)
    yield from _out_of_queue(contact, course, at_ms, "overflowed/person")
    duty = book.duty(event.agent)
    work = None if duty is None or duty.work is None or duty.work.contact != contact else duty.work
    if duty is not None and work is not None and work.how != "transfer":
        _spend(work, duty.state, at_ms)
        yield from _worked(event.agent, duty, at_ms)             # what was consulting before is over
        duty.work = Work(contact=contact, queue=course.queue, how="transfer", at_ms=at_ms, since_ms=at_ms,
                         talked=True)
        course.parts[event.agent] = Part(how="transfer", at_ms=at_ms)
    course.agent = event.agent


def _given_away(contact: str, course: Course, agent: str) -> Counted:
    part = course.parts.get(agent)
    if part is not None and part.at_ms:
        own = Count(of=AGENT, name=agent, what=f"transferred/{part.how}", contact=contact, at_ms=part.at_ms)
        yield from _of_both(agent, course.queue, own, part.how)


def _ring(book: Book, course: Course, at_ms: int, leg: str, agent: str) -> None:
    duty = book.duty(agent)
    if duty is not None:
        course.legs[leg] = Leg(trunk=duty.trunk, at_ms=at_ms, inbound=False, agent=agent)


def _hung_up(contact: str, course: Course, at_ms: int, agent: str, cause: int = 0) -> Counted:
    """The legs of this agent's telephone, or those that nobody of ours is at."""
    for name, leg in list(course.legs.items()):
        if leg.agent == agent and (agent or not leg.inbound):
            leg.blocked = not leg.answered and cause in NO_CHANNEL
            del course.legs[name]
            yield from call(contact, leg, at_ms, "unanswered")


# --- callbacks and surveys


def _booked(book: Book, contact: str, at_ms: int, event: events.CallbackBooked) -> Counted:
    book.begin(contact, Course(trunk=event.trunk, inbound=False, calling=event.number, began_ms=at_ms,
                               callback=True, queue=event.queue))
    yield from ()


def _promised(book: Book, contact: str, course: Course, at_ms: int,
              event: events.CallbackPromised) -> Counted:
    yield from _out_of_queue(contact, course, at_ms, "left/callback")


def _claimed(book: Book, contact: str, course: Course, at_ms: int, event: events.CallbackClaimed) -> Counted:
    course.parts[event.agent], course.agent = Part(how="callback"), event.agent
    yield from ()


def _missed(book: Book, contact: str, course: Course, at_ms: int, event: events.CallbackMissed) -> Counted:
    yield Count(of=QUEUE, name=course.queue, what=f"callback try/{event.outcome}", contact=contact,
                at_ms=at_ms)
    for leg in course.legs.values():
        leg.blocked = not leg.inbound and not leg.answered and event.cause in NO_CHANNEL
        yield from call(contact, leg, at_ms, "unanswered")
    course.legs.clear()


def _called_back(contact: str, course: Course, at_ms: int, how: str) -> Counted:
    """In all queues, too; from the promise on."""
    for name in (course.queue, ALL):
        yield Count(of=QUEUE, name=name, what=how, contact=contact, at_ms=course.began_ms,
                    for_ms=max(0, at_ms - course.began_ms), other=course.agent)


def _rated(book: Book, contact: str, course: Course, at_ms: int, event: events.SurveyAnswered) -> Counted:
    own = Count(of=AGENT, name=event.agent, what=f"rated/{event.answer}", contact=contact, at_ms=at_ms)
    yield from _of_both(event.agent, event.queue, own, "queue")


# --- agents


def _agent_joined(book: Book, contact: str, at_ms: int, event: events.AgentJoined) -> Counted:
    duty = book.duty(event.agent)
    if duty is None:
        book.hire(event.agent, Duty(state=RENAMED.get(event.state, event.state), since_ms=at_ms,
                                    trunk=event.trunk, home_trunk=event.trunk))
    else:
        duty.trunk = event.trunk if duty.trunk == duty.home_trunk else duty.trunk
        duty.home_trunk = event.trunk
    yield from ()


def _agent_placed(book: Book, contact: str, at_ms: int, event: events.AgentPlaced) -> Counted:
    if (duty := book.duty(event.agent)) is not None:
        duty.trunk = event.trunk
    yield from ()


def _agent_left(book: Book, contact: str, at_ms: int, event: events.AgentLeft) -> Counted:
    if (duty := book.duty(event.agent)) is not None:
        yield from spell(event.agent, duty, at_ms)
        yield from _worked(event.agent, duty, at_ms)
        book.dismiss(event.agent)


def _agent_changed(book: Book, contact: str, at_ms: int, event: events.AgentChanged) -> Counted:
    """The one event that moves an agent: its times, rings and work follow from it."""
    agent, duty = event.agent, book.duty(event.agent)
    if duty is None:
        return
    was, now = duty.state, RENAMED.get(event.state, event.state)
    yield from spell(agent, duty, at_ms)
    if duty.work is not None:
        _spend(duty.work, was, at_ms)
    if duty.rung_ms and now not in RINGS:
        result = "answered" if now == "talking" else duty.refused or "given up"
        yield from _rung(book, agent, duty, at_ms, result)
    if now in RINGS and not duty.rung_ms:
        duty.rung_ms, duty.refused = at_ms, ""
    if duty.work is not None and (now not in SPENDS or contact not in ("", duty.work.contact)):
        yield from _worked(agent, duty, at_ms)
    if now in SPENDS and contact and duty.work is None:
        _begin_work(book, contact, agent, duty, at_ms)
    duty.state, duty.since_ms, duty.reason, duty.contact = now, at_ms, event.reason, contact
    if now == "logged-out":
        duty.trunk = duty.home_trunk


def _begin_work(book: Book, contact: str, agent: str, duty: Duty, at_ms: int) -> None:
    course = book.course(contact)
    if course is not None:
        part = course.parts.setdefault(agent, Part(how="queue" if course.inbound else "out"))
        part.at_ms = at_ms
        duty.work = Work(contact=contact, queue=course.queue, how=part.how, at_ms=at_ms, since_ms=at_ms,
                         talked=course.talked or part.how not in DIALS)


def _spend(work: Work, state: str, at_ms: int) -> None:
    on = SPENDS.get(state)
    if on is not None:
        on = "dial" if on == "talk" and not work.talked else on
        work.spent_ms[on] = work.spent_ms.get(on, 0) + max(0, at_ms - work.since_ms)
    work.since_ms = at_ms


def _rung(book: Book, agent: str, duty: Duty, at_ms: int, result: str) -> Counted:
    """A ring is over; of one's own outbound call it was none."""
    course = book.course(duty.contact)
    part = None if course is None else course.parts.get(agent)
    if course is not None and part is not None and part.how not in OWN_CALLS:
        yield Count(of=AGENT, name=agent, what=f"rung/{result}", contact=duty.contact, at_ms=duty.rung_ms,
                    for_ms=max(0, at_ms - duty.rung_ms), other=course.queue)
    duty.rung_ms = 0


def _worked(agent: str, duty: Duty, at_ms: int) -> Counted:
    """The work is over, wrap-up included: it counts now, once."""
    work, duty.work = duty.work, None
    if work is None:
        return
    if work.how in DIALS:
        work.spent_ms.setdefault("dial", 0)
    for on, for_ms in work.spent_ms.items():
        if for_ms or on == "dial" or (on == "talk" and work.talked):
            own = Count(of=AGENT, name=agent, what=f"{on}/{work.how}", contact=work.contact,
                        at_ms=work.at_ms, for_ms=for_ms)
            yield from _of_both(agent, work.queue, own, work.how)


def _of_both(agent: str, queue: str, own: Count, how: str) -> Counted:
    """The agent's; and the queue's and all queues', where a queue brought the contact."""
    yield replace(own, other=queue)
    if queue and how in OF_QUEUE:
        yield replace(own, of=QUEUE, name=queue, other=agent)
        yield replace(own, of=QUEUE, name=ALL, other=agent)


Box = Callable[[Book, str, int, Any], Counted]
OfCourse = Callable[[Book, str, Course, int, Any], Counted]

OF_BOX: dict[type[LogEvent], Box] = {
    events.Began: _began,
    events.CallbackBooked: _booked,
    events.AgentJoined: _agent_joined,
    events.AgentPlaced: _agent_placed,
    events.AgentLeft: _agent_left,
    events.AgentChanged: _agent_changed,
}

OF_COURSE: dict[type[LogEvent], OfCourse] = {
    events.Connected: _connected,
    events.Ended: _ended,
    events.NodeEntered: _node_entered,
    events.MessageBegun: _message_begun,
    events.MessageKept: _message_begun,
    events.Joined: _joined,
    events.NotAdmitted: _not_admitted,
    events.QueueLeft: _queue_left,
    events.Offered: _offered,
    events.RungBeside: _rung_beside,
    events.RingEnded: _ring_ended,
    events.Talked: _talked,
    events.Dialled: _dialled,
    events.AgentTook: _agent_took,
    events.ForwardBegun: _forward_begun,
    events.ForwardDialled: _forward_dialled,
    events.ForwardOver: _forward_over,
    events.PartyAdded: _party_added,
    events.PartyAnswered: _party_answered,
    events.PartyGone: _party_gone,
    events.LetGo: _let_go,
    events.TakenOver: _taken_over,
    events.CallbackPromised: _promised,
    events.CallbackClaimed: _claimed,
    events.CallbackMissed: _missed,
    events.SurveyAnswered: _rated,
}

KINDS = frozenset(kind.__name__ for kind in (*OF_BOX, *OF_COURSE))
