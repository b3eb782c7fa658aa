"""A flow tried without a telephone: the engine itself goes through it, with keys and answers that are given.

A prompt is over as soon as it begins; a caller whose keys are used up presses nothing more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import count
from typing import Any, Literal

from appliance.bus.messages import CallIncoming, Digit, Play, PlayEnded, Request, SetNotReady
from appliance.bus.messages.flows import TrialStep
from appliance.centre import events
from appliance.centre.effects import Effect, EffectDone, Lookup, Say
from appliance.centre.engine import Engine
from appliance.centre.entry.load import bare
from appliance.centre.events import LogEvent, decode
from appliance.centre.flow.expressions import text_of
from appliance.centre.flow.model import (
    AuthenticateNode,
    CallbackNode,
    CollectNode,
    Flow,
    HoursNode,
    Node,
    QueueNode,
    TransferNode,
)
from appliance.centre.state import HIDDEN, Contact
from appliance.centre.turn import Setup
from appliance.config.entry import CalendarConfig
from appliance.config.schema import AgentConfig, CentreConfig, InboundRoute, QueueConfig
from appliance.media import speech

PATH, TRUNK, LEG, AGENT = "flow", "line", "caller", "agent-of-the-test"
ALWAYS = {"mon-sun": ["00:00-24:00"]}
NOTHING = "-"                                     # in place of keys: the caller presses none and waits
MOST = 10_000                                     # inputs: more than any flow lets a caller make

_PROMPT = "prompt:"

Answer = Mapping[str, Any] | None | str           # of a source; None: nothing found; a text: the error


@dataclass(frozen=True, slots=True)
class Call:
    """`keys`: what is pressed each time that the flow awaits it. `answers`: by source, the last one again."""

    keys: Sequence[str] = ()
    caller: str = ""
    called: str = "5000"
    at: float = 0.0
    zone: tzinfo = UTC                            # of calendars that name none
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)           # prompt -> what it says
    to_the_end: bool = True                       # False: only to where a key is awaited and none is left


@dataclass(slots=True)
class Outcome:
    """`lines`: what happened, for people. `end`: hangup, rejected, failed, queue NAME or a kind of node.

    `awaits`: "key" or "digits" when nothing happens before the caller presses some.
    """

    lines: list[str]
    nodes: list[str]
    heard: list[str]
    end: str = ""
    keys_left: int = 0
    steps: list[TrialStep] = field(default_factory=list)
    awaits: str = ""


def run(flow: Flow, call: Call, centre: CentreConfig | None = None) -> Outcome:
    """Until the contact ends, or leaves the flow for somebody."""
    return _Trial(flow, call, centre or CentreConfig()).run()


def _with_what_it_names(flow: Flow, centre: CentreConfig) -> CentreConfig:
    """Queues, agents and calendars (always open) that the flow names and the configuration has not."""
    nodes = flow.nodes.values()
    queues = {node.queue for node in nodes if isinstance(node, QueueNode)}
    agents = {node.agent for node in nodes if isinstance(node, TransferNode) and node.agent} | {AGENT}
    calendars = {node.calendar for node in nodes if isinstance(node, HoursNode)}
    return centre.model_copy(update={
        "queues": [*centre.queues, *(QueueConfig(name=name, agents=[AGENT]) for name in sorted(
            queues - {one.name for one in centre.queues}))],
        "agents": [*centre.agents, *(
            AgentConfig(name=name, extension=str(number), trunk=TRUNK)
            for number, name in enumerate(sorted(agents - {one.name for one in centre.agents})))],
        "calendars": [*centre.calendars, *(
            CalendarConfig(name=name, hours=ALWAYS)
            for name in sorted(calendars - {one.name for one in centre.calendars}))]})


class _Trial:
    def __init__(self, flow: Flow, call: Call, centre: CentreConfig) -> None:
        numbers = count(1)
        route = InboundRoute(trunk=TRUNK, called=call.called, flow=PATH)
        config = _with_what_it_names(flow, centre).model_copy(update={"inbound": [route], "entry": []})
        self._flow, self._call = flow, call
        self._engine = Engine(Setup.of(config, {PATH: flow}, lambda: f"{next(numbers):032x}",
                                       entrance=bare(config, call.zone)))
        self._engine.start(call.at)
        for agent in list(self._engine.state.agents):                # they are there, and have no time
            reason = next((one.name for one in config.not_ready), "")
            self._engine.command(SetNotReady(agent=agent, reason=reason), call.at)
        self._engine.take()
        self._now = call.at
        self._keys = list(call.keys)
        self._answers = {source: list(answers) for source, answers in call.answers.items()}
        self._said: dict[str, str] = {}           # fragment -> text
        self._effects: list[Effect] = []
        self._out = Outcome([], [], [])

    def run(self) -> Outcome:
        self._give(CallIncoming(leg=LEG, trunk=TRUNK, called=self._call.called, calling=self._call.caller,
                                calling_name="", complete=True, at=self._now))
        for _ in range(MOST):
            contact = self._engine.state.contact_of(LEG)
            if contact is None or not self._go_on(contact):
                break
        if self._out.end:
            self._step("end", self._out.end)
        self._out.keys_left = len(self._keys)
        return self._out

    def _go_on(self, contact: Contact) -> bool:
        """The next thing that happens to the contact; False: it has left the flow."""
        node = self._flow.nodes[contact.node]
        if self._effects:
            self._give(self._done(self._effects.pop(0)))
        elif contact.play and not contact.repeat:
            self._give(PlayEnded(leg=LEG, play=contact.play, finished=True))
        elif contact.record.state == "queue" and not (self._keys and getattr(node, "digits", None)):
            self._out.end = f"queue {contact.record.queue}"
            self._out.awaits = "key" if getattr(node, "digits", None) else ""
            return False
        elif contact.parties or contact.record.state not in ("flow", "queue"):
            self._out.end = str(getattr(node, "kind", ""))
            return False
        elif self._keys:
            if (keys := self._keys.pop(0)) == NOTHING:
                return self._wait(contact, node)
            for key in keys:
                self._give(Digit(leg=LEG, digit=key, at=self._now))
        elif contact.digit_until and not self._call.to_the_end:
            several = isinstance(node, CollectNode | AuthenticateNode) or (
                isinstance(node, CallbackNode) and contact.entry)
            self._out.awaits = "digits" if several else "key"
            return False
        else:
            return self._wait(contact, node)
        return True

    def _wait(self, contact: Contact, node: Node) -> bool:
        if (deadline := self._engine.next_deadline()) is None:
            self._out.end = str(getattr(node, "kind", ""))
            return False
        self._now = max(self._now, deadline)
        self._tell("nothing is pressed" if contact.digit_until else "time passes")
        self._engine.expire(self._now)
        self._take()
        return True

    def _done(self, effect: Effect) -> EffectDone:
        if isinstance(effect, Say):
            fragment = f"said:{effect.order}"
            self._said[fragment] = effect.text
            return EffectDone(order=effect.order, fragment=fragment)
        source = effect.source if isinstance(effect, Lookup) else ""
        given = self._answers.get(source, [])
        answer = given.pop(0) if len(given) > 1 else given[0] if given else "no answer is given for it"
        self._tell(f"{source} answers: {'nothing found' if answer is None else answer}")
        if isinstance(answer, str):
            return EffectDone(order=effect.order, error=answer)
        return EffectDone(order=effect.order, answer=answer)

    def _give(self, given: object) -> None:
        self._engine.handle(given, self._now)
        self._take()

    def _take(self) -> None:
        entries, actions = self._engine.take()
        for entry in entries:
            self._happened(decode(entry))
        for action in actions:
            if isinstance(action, Effect):
                self._effects.append(action)
            elif isinstance(action, Request) and isinstance(action, Play):
                self._hear(action)

    def _hear(self, play: Play) -> None:
        text = " ".join(self._text(fragment) for fragment in play.fragments)
        self._out.heard.append(text)
        self._note(f"hears: {text}")
        self._step("heard", text, [
            name for fragment in play.fragments for name in self._recordings(fragment)])

    def _recordings(self, fragment: str) -> Iterator[str]:
        if fragment not in self._said and speech.is_spoken(fragment):
            for one in speech.speak(fragment, self._flow.language):
                yield from self._recordings(one)
        elif fragment.startswith(_PROMPT):
            yield fragment.removeprefix(_PROMPT)

    def _text(self, fragment: str) -> str:
        if fragment in self._said:
            return self._said[fragment]
        if speech.is_spoken(fragment):
            return " ".join(map(self._text, speech.speak(fragment, self._flow.language)))
        kind, _, name = fragment.partition(":")
        if kind != "prompt":
            return f"[{fragment}]"
        return self._call.texts.get(name, f"[{name}]")

    def _happened(self, event: LogEvent) -> None:
        match event:
            case events.NodeEntered(node=node, by=by):
                self._out.nodes.append(node)
                self._note(f"{node} ({getattr(self._flow.nodes[node], 'kind', '')}, by {by})")
                self._step("node", by)
            case events.Pressed(digit=digit):
                self._press(digit)
            case events.HiddenDigit():
                self._press(HIDDEN)
            case events.VariablesSet(values=values):
                for name, value in values.items():
                    self._tell(f"{name} = {text_of(value)}")
            case events.NotComputed(what=what) | events.GaveUp(why=what):
                self._tell(f"! {what}")
            case events.NoticeGiven(text=text, group=group):
                self._tell(f"notice to {group or 'everybody'}: {text}")
            case events.Attached(priority=priority, grade=grade, skills=skills):
                self._tell(f"for the queue: priority {priority}, grade {grade}, skills {skills}")
            case events.Ended(outcome=outcome):
                self._out.end = "hangup" if outcome == "answered" else outcome
                self._note(f"ends: {outcome}")

    def _press(self, digit: str) -> None:
        self._note(f"presses {digit}")
        self._step("pressed", digit)

    def _tell(self, line: str) -> None:
        self._note(line)
        self._step("told", line)

    def _step(self, kind: Literal["node", "heard", "pressed", "told", "end"], text: str,
              prompts: Sequence[str] = ()) -> None:
        self._out.steps.append(TrialStep(
            at_s=self._now - self._call.at, kind=kind, node=self._out.nodes[-1] if self._out.nodes else "",
            text=text, prompts=list(prompts)))

    def _note(self, line: str) -> None:
        indent = "" if " (" in line and line.endswith(")") else "    "
        self._out.lines.append(f"{self._now - self._call.at:7.1f} s  {indent}{line}")
