"""The branch of tests/webui/facts.py with a supervisor's floor: acdd answers as the real one would."""

import time
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from appliance.bus.client import Refused
from appliance.bus.messages import (
    AbandonedInfo,
    AbandonedList,
    AgentExplained,
    AgentFor,
    AgentReply,
    AssignAgents,
    Assigning,
    AssignmentInfo,
    Board,
    CallBack,
    CallbackInfo,
    CallbackList,
    CallbackReply,
    CancelCallback,
    CloseAbandoned,
    ContactExplained,
    ContactFacts,
    ContactLeg,
    ContactNamed,
    ContactOffer,
    CrewEffect,
    CrewMember,
    CrewQueue,
    CrewReply,
    Done,
    EndTalk,
    ExplainAgent,
    ExplainContact,
    FigureDefinition,
    FigureRow,
    Figures,
    FigureValue,
    FindTelephone,
    GetAbandoned,
    GetCallbacks,
    GetContactFacts,
    GetCrew,
    GetFigures,
    LogOut,
    Monitor,
    QueueEffect,
    Reply,
    Request,
    SegmentInfo,
    SetNotReady,
    SetPriority,
    SetReady,
    StopMonitor,
    SupervisorInfo,
    TakeOver,
    TelephoneFound,
    TryAssignment,
)
from tests.webui.facts import Branch, busy_branch

SERVES = {"anna": ["sales"], "bert": ["sales"], "chen": ["service"], "dora": ["sales", "service"],
          "emil": ["service"], "fang": ["sales"]}
# today, last 30 minutes: (value, target, kept)
FIGURES: dict[str, tuple[FigureValue, FigureValue]] = {
    "offered": (FigureValue(value=212, top=212, bottom=1), FigureValue(value=24, top=24, bottom=1)),
    "answered": (FigureValue(value=196, top=196, bottom=1), FigureValue(value=19, top=19, bottom=1)),
    "abandoned": (FigureValue(value=14, top=14, bottom=1), FigureValue(value=4, top=4, bottom=1)),
    "service_level": (FigureValue(value=0.862, top=169, bottom=196, target=0.8, kept=True),
                      FigureValue(value=0.71, top=17, bottom=24, target=0.8, kept=False)),
    "answered_share": (FigureValue(value=0.925, top=196, bottom=212, target=0.9, kept=True),
                       FigureValue(value=0.79, top=19, bottom=24, target=0.9, kept=False)),
    "abandonment": (FigureValue(value=0.066, top=14, bottom=212, target=0.05, kept=False),
                    FigureValue(value=0.17, top=4, bottom=24, target=0.05, kept=False)),
    "asa_s": (FigureValue(value=14.2, top=2783, bottom=196, target=20.0, kept=True),
              FigureValue(value=31.0, top=589, bottom=19, target=20.0, kept=False)),
    "aht_s": (FigureValue(value=171.0, top=33516, bottom=196, target=180.0, kept=True),
              FigureValue(value=190.0, top=3610, bottom=19, target=180.0, kept=False)),
}


class FloorBranch(Branch):
    """`reasons`: centre.not_ready. `told`: the acts that were asked, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        now = time.time()
        self.supervisors: list[SupervisorInfo] = []
        self.reasons: list[str] = ["lunch", "training"]
        self.acts: list[Request[Any]] = []
        self.refusal = ""                         # of the next acts
        self.abandoned = [
            AbandonedInfo(contact="e2", number="13711112222", queue="sales", where="queue", at=now - 540,
                          wait_s=40.0, times=2),
            AbandonedInfo(contact="e4", number="", queue="", where="flow", at=now - 900, wait_s=0.0, times=1),
            AbandonedInfo(contact="e5", number="02088889999", queue="service", where="ring", at=now - 1900,
                          wait_s=71.0, times=1, closed_at=now - 600, closed_by="anna",
                          disposition="ordered <b>"),
        ]
        self.callbacks = [CallbackInfo(
            contact="k1", number="13699998888", queue="sales", state="queue", mode="agent-first",
            booked_at=now - 700, due_at=0.0, keep_until=now + 86400, joined_at=now - 700, position=3, tries=1,
            outcome="busy", note="invoice")]

    def board(self) -> Board:
        return replace(super().board(), supervisors=self.supervisors)

    def reply(self, request: Request[Any]) -> Reply:
        match request:
            case GetContactFacts(contact="c1"):
                at = self.contacts["c1"].segments[1].began_at
                return ContactFacts(offers=[ContactOffer(
                    at=at, agent="anna", why="longest-idle of 3 free ones; ring 1")])
            case ExplainAgent(agent=name):
                return AgentExplained(agent=name, queues=SERVES.get(name, []), contacts=[], waiting=0,
                                      words="is talking", reasons=self.reasons)
            case ExplainContact(contact=name):
                return self._explained(name, 0)
            case GetFigures():
                return self._figures(request)
            case GetAbandoned(queue=queue, every=every):
                return AbandonedList(contacts=[one for one in self.abandoned if queue in ("", one.queue)
                                               and (every or not one.closed_at)])
            case GetCallbacks():
                return CallbackList(callbacks=self.callbacks)
            case GetCrew():
                return self._crew()
            case TryAssignment(assignments=assignments):
                if self.refusal:
                    raise Refused(self.refusal)
                return CrewEffect(agents=self._crew(assignments).agents, queues=[
                    QueueEffect(queue="sales", able=3, able_then=4, present=2, present_then=3, wait_s=95.0,
                                wait_then_s=61.0, waiting=2, stranded=1, stranded_then=0),
                    QueueEffect(queue="service", able=3, able_then=2, present=1, present_then=0, wait_s=12.0,
                                wait_then_s=None, waiting=0, stranded=0, stranded_then=0)])
            case FindTelephone(at=at):
                if not at.startswith("8"):
                    raise Refused(f"{at}: is no agent and no extension, and no rule of centre.outbound lets "
                                  "it be dialled")
                return TelephoneFound(at=at, agent="")
        if isinstance(request, Monitor | StopMonitor | TakeOver | EndTalk | SetReady | SetNotReady | LogOut
                      | SetPriority | AssignAgents | CallBack | CloseAbandoned | CancelCallback):
            return self._act(request)
        return super().reply(request)

    def _act(self, request: Request[Any]) -> Reply:
        if self.refusal:
            raise Refused(self.refusal)
        self.acts.append(request)
        match request:
            case Monitor(agent=name, at=at, mode=mode):
                contact = next(one.contact for one in self.agents if one.name == name)
                self.supervisors = [SupervisorInfo(contact=contact, at=at, mode=mode, talking=True)]
                return ContactNamed(contact=contact)
            case StopMonitor() | TakeOver() | EndTalk():
                self.supervisors = []
                return ContactNamed(contact="c1")
            case SetReady(agent=name) | SetNotReady(agent=name) | LogOut(agent=name):
                return AgentReply(agent=next(one for one in self.agents if one.name == name))
            case SetPriority(contact=contact, priority=priority):
                return self._explained(contact, priority)
            case AssignAgents(assignments=assignments):
                return self._crew(assignments)
            case CallBack():
                return CallbackReply(callback=self.callbacks[0])
        return Done()

    def _crew(self, assignments: Sequence[Assigning] = ()) -> CrewReply:
        hand = {"emil": AssignmentInfo(skills={"en": 5}, also=("sales",), without=("service",), until=0.0,
                                       until_log_out=True, by="mei", at=time.time())}
        hand |= {one.agent: AssignmentInfo(
            skills=one.skills, also=tuple(one.also), without=tuple(one.without), until=one.until,
            until_log_out=one.until_log_out, by="admin", at=time.time()) for one in assignments}
        return CrewReply(
            agents=[CrewMember(agent=replace(one, assigned=hand.get(one.name)), configured={"en": 2},
                               serves={queue: place for place, queue in enumerate(SERVES.get(one.name, []))})
                    for one in self.agents],
            queues=[CrewQueue(name="sales", skills={"en": 3}, rings=2),
                    CrewQueue(name="service", skills={}, rings=1)], skills=["en", "vip"])

    def _explained(self, name: str, priority: int) -> ContactExplained:
        if name not in self.queues[0].waiting:
            raise Refused(f"{name}: is not in line")
        return ContactExplained(
            contact=name, queue="sales", position=self.queues[0].waiting.index(name) + 1, priority=priority,
            ring=0, rings=2, widens_at=time.time() + 30.0, before=1, estimate_s=95.0, agents=[
                AgentFor(agent="anna", ring=0, now=False, words="talking"),
                AgentFor(agent="chen", ring=None, now=False, words="is not in the queue's list"),
                AgentFor(agent="emil", ring=1, now=False,
                         words="from ring 1 on, in 30 s: en 3 is asked for and it has 2")],
            words="none of the 2 who can serve it is free; 2 are logged in")

    def _figures(self, asked: GetFigures) -> Figures:
        half = asked.until - asked.since < 7200
        return Figures(
            at=time.time(),
            definitions=[FigureDefinition(name=name, zh=name, en=name, unit="", formula="")
                         for name in asked.figures],
            rows=[FigureRow(name=name, since=asked.since, until=asked.until, sums=[],
                            values=[FIGURES[one][half] for one in asked.figures])
                  for name in ("", "sales", "service")])


def floor_branch() -> FloorBranch:
    """The ordinary morning, with a supervisor in it."""
    branch, morning = FloorBranch(), busy_branch()
    for name in ("contacts", "queues", "agents", "busy", "calls", "legs", "traces"):
        setattr(branch, name, getattr(morning, name))
    branch.legs["c1"] = [ContactLeg(leg="leg-c1", party="caller", at=0.0)]
    branch.contacts["c1"] = replace(branch.contacts["c1"], segments=[
        branch.contacts["c1"].segments[0],
        SegmentInfo(kind="ring", began_at=branch.contacts["c1"].began_at + 200.0, detail="anna", agent="anna",
                    ended_at=branch.contacts["c1"].began_at + 206.0),
        branch.contacts["c1"].segments[1]])
    return branch
