"""What is done when nobody could talk at once, and after the talk: callbacks, voicemail, surveys."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import Field

from appliance.config.part import Name, Number, NumberPattern, Part

LONGEST_PAUSE_S = 86400.0

# A prompt's name below the folder of the language that the customer speaks.
PromptName = Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$", max_length=128)]
Mode = Literal["agent-first", "customer-first"]
Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]


class CallbackConfig(Part):
    trunk: Name | None = None                     # where it goes out; None: where the customer had called
    prefix: Annotated[str, Field(pattern=r"^[0-9*#+]{0,8}$")] = ""   # dialled before the number
    calling: Number | None = None                 # to show; None: the number that the customer had called
    numbers: NumberPattern = r"\+?[0-9]{5,15}"                       # that may be called back
    mode: Mode = "agent-first"
    modes: dict[Name, Mode] = Field(default_factory=dict)            # of queues that differ
    calendar: Name | None = None                  # calling hours; None: at any time
    ring_s: Annotated[float, Field(ge=5, le=300)] = 40.0             # at the customer
    tries: Annotated[int, Field(ge=1, le=20)] = 4                    # that do not reach the customer
    pause_s: Annotated[float, Field(ge=5, le=LONGEST_PAUSE_S)] = 600.0       # after the first of them
    growth: Annotated[float, Field(ge=1, le=10)] = 2.0               # each pause is so much longer
    longest_pause_s: Annotated[float, Field(ge=5, le=LONGEST_PAUSE_S)] = 14400.0
    keep_s: Annotated[float, Field(ge=60, le=90 * 86400)] = 3 * 86400.0      # then it is given up
    ahead_s: Annotated[float, Field(ge=0, le=60)] = 10.0             # rest of a wrap-up: about to be free
    most: Annotated[int, Field(ge=1, le=5000)] = 500                 # promised at a time
    most_of_caller: Annotated[int, Field(ge=1, le=100)] = 3          # likewise, to who calls from one number
    greeting: list[PromptName] = Field(default_factory=list)         # to who is reached before an agent is
    patience_s: Annotated[float, Field(ge=2, le=120)] = 10.0         # until that one hears the place in line
    welcome: list[PromptName] = Field(default_factory=list)          # to who calls before the callback comes
    machines: bool = False                        # whether a machine has answered is listened for

    def allows(self, number: str) -> bool:
        return re.fullmatch(self.numbers, number) is not None

    def mode_of(self, queue: str) -> Mode:
        return self.modes.get(queue, self.mode)


class BoxConfig(Part):
    """A voicemail box."""

    name: Name
    greeting: list[PromptName] = Field(default_factory=list)         # a beep follows
    full: list[PromptName] = Field(default_factory=list)             # in its place when there is no room
    most_s: Annotated[float, Field(ge=5, le=600)] = 120.0            # longest message
    least_s: Annotated[float, Field(ge=0, le=10)] = 1.0              # shorter ones are none
    silence_s: Annotated[float, Field(ge=0, le=30)] = 5.0            # ends a message; 0: it does not
    end_key: Key = "#"
    most: Annotated[int, Field(ge=1, le=1000)] = 100                 # messages that are not done
    tell: list[Name] = Field(default_factory=list)                   # agents who are told of a new one
    queue: Name | None = None                     # that calls back


class QuestionConfig(Part):
    name: Name
    prompt: Annotated[list[PromptName], Field(min_length=1)]
    best: Annotated[int, Field(ge=2, le=9)] = 5                      # keys 1 (worst) to this one


class SurveyConfig(Part):
    """Questions to a customer whose agent has hung up."""

    name: Name
    questions: Annotated[list[QuestionConfig], Field(min_length=1, max_length=10)]
    intro: list[PromptName] = Field(default_factory=list)
    invalid: list[PromptName] = Field(default_factory=list)          # before the question is asked again
    thanks: list[PromptName] = Field(default_factory=list)
    timeout_s: Annotated[float, Field(ge=1, le=30)] = 6.0            # to a key, after the question
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    no_thanks: Key | None = "0"                   # ends it; None: only by hanging up
    queues: list[Name] = Field(default_factory=list)                 # whose talks it follows by itself
    percent: Annotated[float, Field(gt=0, le=100)] = 100.0           # of these talks


def mistakes(callback: CallbackConfig, boxes: list[BoxConfig], surveys: list[SurveyConfig], *,
             trunks: Collection[str], queues: Collection[str], agents: Collection[str],
             calendars: Collection[str]) -> Iterator[tuple[list[int | str], str]]:
    """Names that nobody has: the keys that lead there, a sentence."""
    def none(kind: str, name: str, there: Collection[str]) -> str:
        return f"no {kind} is called {name!r}, there are {', '.join(sorted(there)) or 'none'}"

    if callback.trunk is not None and callback.trunk not in trunks:
        yield ["centre", "callbacks", "trunk"], none("trunk", callback.trunk, trunks)
    if callback.calendar is not None and callback.calendar not in calendars:
        yield ["centre", "callbacks", "calendar"], none("calendar", callback.calendar, calendars)
    for name in callback.modes:
        if name not in queues:
            yield ["centre", "callbacks", "modes", name], none("queue", name, queues)
    for kind, names in (("voicemail", [one.name for one in boxes]),
                        ("surveys", [one.name for one in surveys])):
        for place, name in enumerate(names):
            if name in names[:place]:
                yield ["centre", kind, place, "name"], f"{name!r} is there twice"
    for place, box in enumerate(boxes):
        if box.queue is not None and box.queue not in queues:
            yield ["centre", "voicemail", place, "queue"], none("queue", box.queue, queues)
        for name in box.tell:
            if name not in agents:
                yield ["centre", "voicemail", place, "tell"], none("agent", name, agents)
    taken: set[str] = set()
    for place, survey in enumerate(surveys):
        for name in survey.queues:
            if name not in queues:
                yield ["centre", "surveys", place, "queues"], none("queue", name, queues)
            elif name in taken:
                yield ["centre", "surveys", place, "queues"], f"{name}: another survey follows its talks"
            taken.add(name)
        asked = [question.name for question in survey.questions]
        if len(set(asked)) < len(asked):
            yield ["centre", "surveys", place, "questions"], "two questions have one name"
        if survey.no_thanks is not None and survey.no_thanks in "123456789"[:max(
                question.best for question in survey.questions)]:
            yield ["centre", "surveys", place, "no_thanks"], f"{survey.no_thanks}: is an answer"
