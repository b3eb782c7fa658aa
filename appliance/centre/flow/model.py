"""The nodes of a flow, as they stand in its YAML file. appliance.centre.nodes: what each does."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from appliance.centre.flow.expressions import TEXT_MOST, WORDS, ExpressionError, Value, names, placeholders
from appliance.centre.flow.prompts import LANGUAGES, Language, Prompts
from appliance.config.part import Name, Part

Way = tuple[tuple[int | str, ...], str]           # keys below the node, the node that they lead to

# Keys of a node that name another one.
WAYS = ("next", "default", "missing", "error", "failed", "refused", "open", "closed")
# Each contact has them.
RESERVED = frozenset({"caller", "caller_name", "called", "language", "caller_grade", "caller_region"})
FARTHEST = 100_000                                # pixels of a picture
HIDDEN_FROM = 12                                  # digits that may be a card's are not kept one by one


def _an_option(value: object) -> object:
    return {"next": value} if isinstance(value, str) else value


def _in_languages(value: object) -> object:
    return dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value


def _expression(text: str) -> str:
    try:
        names(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from None
    return text


def _template(text: str) -> str:
    try:
        placeholders(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from None
    return text


def _variable(name: str) -> str:
    if name in WORDS or name in RESERVED:
        raise ValueError(f"{name!r} is taken: choose another name")
    return name


def _written(value: object) -> object:
    """A number or truth stands for itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Target = Annotated[str, Field(max_length=64)]
KeptName = Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$", max_length=100)]
Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Variable = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$"), AfterValidator(_variable)]
Expression = Annotated[str, BeforeValidator(_written), AfterValidator(_expression)]
Template = Annotated[str, Field(min_length=1, max_length=TEXT_MOST), AfterValidator(_template)]
Texts = Annotated[dict[Language, Template], BeforeValidator(_in_languages), Field(min_length=1)]
Seconds = Annotated[float, Field(ge=0.5, le=60)]
Retries = Annotated[int, Field(ge=0, le=10)]
Literally = Annotated[str | int | float | bool, Field(union_mode="left_to_right")]


class Node(Part):
    """A step of a flow. `pauses`: a contact stays here for a caller, an agent or a time."""

    pauses: ClassVar[bool] = False

    def targets(self) -> Iterator[Way]:
        """Where the contact may go from here."""
        for key in WAYS:
            if isinstance(target := getattr(self, key, None), str):
                yield (key,), target

    def ends(self) -> bool:
        """The contact may leave the flow here for good."""
        return False

    def plays(self) -> list[str]:
        """Entries of Prompts that may be heard."""
        return []

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        """The variables that it reads, by the keys that say so."""
        yield from ()

    def sets(self) -> list[str]:
        return []


def _used(key: str | int, *text: str) -> tuple[tuple[int | str, ...], frozenset[str]]:
    return (key,), frozenset(name for one in text for name in placeholders(one))


class PlayNode(Node):
    """Play to the end or until a digit, which the next node gets if it awaits one.

    Values that cannot be said lead to `error`; without it they are left out.
    """

    kind: Literal["play"]
    prompt: Prompts
    next: Target
    error: Target | None = None
    barge_in: bool = True                         # False: digits are not heard meanwhile

    def plays(self) -> list[str]:
        return self.prompt

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("prompt", *self.prompt)


class SayNode(Node):
    """Speak a text by the speech engine, then as after a play. What is not made in time leads to `error`."""

    kind: Literal["say"]
    text: Texts                                   # one, or one for each language
    next: Target
    error: Target | None = None                   # without it: next
    barge_in: bool = True
    timeout_s: Seconds = 5.0

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("text", *self.text.values())


class Option(Part):
    next: Target
    language: Language | None = None              # from here on


Options = dict[Key, Annotated[Option, BeforeValidator(_an_option)]]


class MenuNode(Node):
    """Play, await a digit. After `retries` more tries without a right one: `default`."""

    pauses = True
    kind: Literal["menu"]
    prompt: Prompts
    digits: Annotated[Options, Field(min_length=1)]
    timeout_s: Seconds = 5.0                      # after the prompt's end
    retries: Retries = 2
    invalid: Prompts | None = None                # said before the prompt after a wrong digit
    barge_in: bool = True
    default: Target

    def targets(self) -> Iterator[Way]:
        for digit, option in self.digits.items():
            yield ("digits", digit, "next"), option.next
        yield from super().targets()

    def plays(self) -> list[str]:
        return [*self.prompt, *(self.invalid or [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("prompt", *self.plays())


class Entry(Part):
    """How several digits are keyed in. `secret`: nobody hears them, and nothing keeps them."""

    prompt: Prompts
    least: Annotated[int, Field(ge=1, le=32)] = 1
    most: Annotated[int, Field(ge=1, le=32)] = 32
    terminator: Annotated[str, Field(pattern=r"^[0-9*#]?$")] = "#"   # "": none
    timeout_s: Seconds = 5.0                      # to the first digit, after the prompt's end
    inter_digit_s: Seconds = 3.0
    barge_in: bool = True
    secret: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "Entry":
        if self.least > self.most:
            raise ValueError(f"least {self.least} is more than most {self.most}")
        return self

    @property
    def hidden(self) -> bool:
        """Digits are not kept while they come."""
        return self.secret or self.most >= HIDDEN_FROM


class CollectNode(Entry, Node):
    """Play, take digits into the variable `to`. After `retries` more tries without right ones: `default`.

    A secret is in memory only and a restart forgets it: a lookup may send it. A number like a payment card's
    is masked.
    """

    pauses = True
    kind: Literal["collect"]
    to: Variable
    retries: Retries = 2
    invalid: Prompts | None = None                # said before the prompt after wrong ones
    valid: Expression | None = None               # holds for right ones
    next: Target
    default: Target

    @model_validator(mode="after")
    def _not_both(self) -> "CollectNode":
        if self.secret and self.valid is not None:
            raise ValueError("valid: a secret is not looked at: give it to an authenticate node")
        return self

    def plays(self) -> list[str]:
        return [*self.prompt, *(self.invalid or [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("prompt", *self.plays())
        if self.valid is not None:
            yield ("valid",), names(self.valid) - {self.to}

    def sets(self) -> list[str]:
        return [self.to]


class SetNode(Node):
    """Give variables values. What cannot be computed is ""."""

    kind: Literal["set"]
    values: Annotated[dict[Variable, Expression], Field(min_length=1)]
    next: Target

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        for name, expression in self.values.items():
            yield ("values", name), names(expression)

    def sets(self) -> list[str]:
        return list(self.values)


class Case(Part):
    when: Expression
    next: Target


class BranchNode(Node):
    """The first case that holds; one that cannot be computed does not."""

    kind: Literal["branch"]
    cases: Annotated[list[Case], Field(min_length=1, max_length=50)]
    default: Target

    def targets(self) -> Iterator[Way]:
        for place, case in enumerate(self.cases):
            yield ("cases", place, "next"), case.next
        yield from super().targets()

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        for place, case in enumerate(self.cases):
            yield ("cases", place, "when"), names(case.when)


class Result(Part):
    """A value out of an answer: where it stands and what it must be."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=128)]
    type: Literal["text", "number", "true-false", "digits", "amount", "date", "time"] = "text"
    optional: bool = False                        # "" when it is not there; else that is an error


def _a_result(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


Results = dict[Variable, Annotated[Result, BeforeValidator(_a_result)]]


class LookupNode(Node):
    """Ask a source of the configuration with `send`; `results` is what is taken of the answer.

    Nothing found leads to `missing`; no answer in time, or one that is not as `results` say, to `error`.
    """

    kind: Literal["lookup"]
    source: Name
    send: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")], Template] = Field(
        default_factory=dict)
    results: Annotated[Results, Field(max_length=32)] = Field(default_factory=dict)
    timeout_s: Seconds = 3.0
    next: Target
    missing: Target | None = None                 # without it: error
    error: Target

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        for key, template in self.send.items():
            yield ("send", key), frozenset(placeholders(template))

    def sets(self) -> list[str]:
        return list(self.results)


class AuthenticateNode(Node):
    """Have a customer number and a PIN keyed in and checked by a source; the PIN is never kept.

    The source is asked with `customer` and `pin`; it finds the customer or nothing. After `retries` more
    tries: `failed`. No answer of the source: `error`.
    """

    pauses = True
    kind: Literal["authenticate"]
    source: Name
    customer: Entry | None = None                 # None: the variable `to` has it already
    pin: Entry
    to: Variable                                  # the customer's number
    results: Annotated[Results, Field(max_length=32)] = Field(default_factory=dict)
    retries: Retries = 2
    wrong: Prompts | None = None                  # said before the next try
    timeout_s: Seconds = 3.0
    next: Target
    failed: Target
    error: Target

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, document: object) -> object:
        if isinstance(document, dict) and isinstance(pin := document.get("pin"), dict):
            return {**document, "pin": {**pin, "secret": True}}
        return document

    def plays(self) -> list[str]:
        return [*(self.customer.prompt if self.customer else []), *self.pin.prompt, *(self.wrong or [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("prompt", *self.plays())
        if self.customer is None:
            yield ("to",), frozenset({self.to})

    def sets(self) -> list[str]:
        return [*([self.to] if self.customer else []), *self.results]


class LanguageNode(Node):
    """Go on in a language: a fixed one, or the one that an expression names."""

    kind: Literal["language"]
    language: Language | None = None
    by: Expression | None = None                  # another text than a language changes nothing
    next: Target

    @model_validator(mode="after")
    def _one(self) -> "LanguageNode":
        if (self.language is None) == (self.by is None):
            raise ValueError("give one of them: language or by")
        return self

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        if self.by is not None:
            yield ("by",), names(self.by)


class HoursNode(Node):
    """Open or closed now, by a calendar of the configuration."""

    kind: Literal["hours"]
    calendar: Name
    open: Target
    closed: Target


class AgentNode(Node):
    """What an agent does from a telephone of the box's own extensions, where the call comes from.

    Without `agent`: whoever is logged in there. Who calls from elsewhere, or may not: `refused`.
    """

    kind: Literal["agent"]
    do: Literal["log-in", "log-out", "ready", "not-ready"]
    agent: Template | None = None                 # a name; to log in it is needed
    reason: Name | None = None                    # of not being ready
    next: Target
    refused: Target

    @model_validator(mode="after")
    def _who(self) -> "AgentNode":
        if self.do == "log-in" and self.agent is None:
            raise ValueError("agent: who logs in? Have the number keyed in and its PIN checked first")
        return self

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        if self.agent is not None:
            yield _used("agent", self.agent)


class QueueNode(Node):
    """Wait for an agent. Whoever is not rung for after `overflow_s` goes to `next`."""

    pauses = True
    kind: Literal["queue"]
    queue: Name
    overflow_s: Annotated[float, Field(ge=1)] | None = None
    next: Target | None = None
    priority: Expression | None = None            # of this contact, in place of the queue's
    grade: Expression | None = None               # the customer's, e.g. "A"
    skills: dict[Name, Annotated[int, Field(ge=1, le=10)]] = Field(default_factory=dict)
    digits: Options = Field(default_factory=dict)                    # ways out while waiting

    def targets(self) -> Iterator[Way]:
        for digit, option in self.digits.items():
            yield ("digits", digit, "next"), option.next
        yield from super().targets()

    def ends(self) -> bool:
        return True

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        for key in ("priority", "grade"):
            if (expression := getattr(self, key)) is not None:
                yield (key,), names(expression)


class TransferNode(Node):
    """Ring a number, an extension or an agent and connect; `next` when nobody takes it."""

    pauses = True
    kind: Literal["transfer"]
    agent: Name | None = None
    trunk: Name | None = None                     # where `number` is dialled
    number: Template | None = None
    ring_s: Annotated[float, Field(ge=1, le=300)] = 30.0
    record: bool = False
    next: Target

    @model_validator(mode="after")
    def _one(self) -> "TransferNode":
        if (self.agent is None) == (self.number is None) or (self.number is None) != (self.trunk is None):
            raise ValueError("give agent, or trunk and number")
        return self

    def ends(self) -> bool:
        return True

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        if self.number is not None:
            yield _used("number", self.number)


class VoicemailNode(Node):
    """Take a message for a box, then go on."""

    pauses = True
    kind: Literal["voicemail"]
    box: Name
    next: Target


class CallbackNode(Node):
    """Promise to call back for a queue; `failed` when the caller does not want it or it cannot be.

    With a `prompt` the caller decides: 1 at this number, 2 at the one that `entry` asks for. Who waited in
    the queue just before keeps the place.
    """

    pauses = True
    kind: Literal["callback"]
    queue: Name
    number: Template = "{caller}"
    prompt: Prompts | None = None
    entry: Entry | None = None
    timeout_s: Seconds = 5.0
    retries: Retries = 1                          # of the entry
    next: Target
    failed: Target

    @model_validator(mode="after")
    def _asks(self) -> "CallbackNode":
        if self.entry is not None and self.prompt is None:
            raise ValueError("entry: is asked for after prompt: give that, too")
        return self

    def plays(self) -> list[str]:
        return [*(self.prompt or []), *(self.entry.prompt if self.entry else [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("number", self.number)
        if self.prompt is not None:
            yield _used("prompt", *self.plays())


class SurveyNode(Node):
    """Ask the questions of a survey, then go on."""

    pauses = True
    kind: Literal["survey"]
    survey: Name
    next: Target


class NoticeNode(Node):
    """Tell people on the pages, at most once in `every_s`, for so long; then go on."""

    kind: Literal["notice"]
    text: Template
    urgency: Literal["normal", "important", "urgent"] = "normal"
    group: Name | None = None                     # of agents; without one everybody is told
    for_s: Annotated[float, Field(ge=60, le=86400)] = 3600.0
    every_s: Annotated[float, Field(ge=10, le=86400)] = 300.0
    next: Target

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("text", self.text)


class RecordNode(Node):
    """Record what the caller says until a key, `most_s`, or the end of the call."""

    pauses = True
    kind: Literal["record"]
    prompt: Prompts
    most_s: Annotated[float, Field(ge=1, le=600)] = 120.0
    terminator: Annotated[str, Field(pattern=r"^[0-9*#]$")] = "#"
    to: Variable | None = None                    # gets the recording's name
    keep_as: KeptName | None = None             # a prompt of the box, when the caller confirms it
    by: Template | None = None                    # who does that: e.g. the variable that authenticate set
    confirm: Prompts | None = None                # 1 keep it, 2 hear it again, 3 record it anew
    retries: Retries = 5                          # of these keys
    next: Target
    failed: Target | None = None                  # it was not kept

    @model_validator(mode="after")
    def _confirms(self) -> "RecordNode":
        given = (self.keep_as is not None, self.by is not None, self.confirm is not None,
                 self.failed is not None)
        if any(given) and not all(given):
            raise ValueError("keep_as, by, confirm and failed go together")
        return self

    def plays(self) -> list[str]:
        return [*self.prompt, *(self.confirm or [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("prompt", *self.plays())
        if self.by is not None:
            yield _used("by", self.by)

    def sets(self) -> list[str]:
        return [self.to] if self.to else []


class ReplayNode(Node):
    """Play recordings to the caller, who has shown before who he is: the newest first.

    Keys: 1 the next one, 2 this one again, 7 and 9 ten seconds back and forward, 0 stop and go on, 4 the one
    before, * leave. After the last, and when there is none: `next`; what cannot be heard: `failed`.
    """

    pauses = True
    kind: Literal["replay"]
    what: Literal["own", "box", "reference"]      # the caller's own calls, a box's messages, one contact
    by: Template                                  # the agent's name, e.g. {agent}, from authenticate
    box: Name | None = None                       # of voicemail
    reference: Template | None = None             # a contact's, nine digits
    others: bool = False                          # by reference: talks of other agents, too
    most: Annotated[int, Field(ge=1, le=50)] = 10
    intro: Prompts | None = None                  # before each
    none: Prompts | None = None                   # when there is none, or no more
    next: Target
    failed: Target

    @model_validator(mode="after")
    def _which(self) -> "ReplayNode":
        if (self.what == "box") != (self.box is not None):
            raise ValueError("what: box and box go together")
        if (self.what == "reference") != (self.reference is not None):
            raise ValueError("what: reference and reference go together")
        return self

    def plays(self) -> list[str]:
        return [*(self.intro or []), *(self.none or [])]

    def uses(self) -> Iterator[tuple[tuple[int | str, ...], frozenset[str]]]:
        yield _used("by", self.by)
        if self.reference is not None:
            yield _used("reference", self.reference)
        if self.plays():
            yield _used("intro", *self.plays())


class PauseNode(Node):
    """From here on nobody hears or keeps the caller's keys, and what is recorded is silence: for card data.

    It goes on over menus, queues and transfers until a resume node, an agent, or its time ends it.
    """

    kind: Literal["pause"]
    for_s: Annotated[float, Field(ge=1, le=3600)] = 120.0            # at most control.pause_s
    next: Target


class ResumeNode(Node):
    """Ends what a pause node began."""

    kind: Literal["resume"]
    next: Target


class SubflowNode(Node):
    """Go through another flow file; where that returns: `next`. Its path is relative to this file."""

    kind: Literal["flow"]
    file: Annotated[str, Field(min_length=1, max_length=200)]
    next: Target
    start: Target = ""                            # of that file; filled in when it is read

    def ends(self) -> bool:
        return True


class ReturnNode(Node):
    """Of a sub-flow: back to the node that led here."""

    kind: Literal["return"]

    def ends(self) -> bool:
        return True


class HangupNode(Node):
    """The end. As the first node it refuses the call without answering it."""

    kind: Literal["hangup"]
    cause: Annotated[int, Field(ge=1, le=127)] = 16                  # Q.850

    def ends(self) -> bool:
        return True


AnyNode = Annotated[
    PlayNode | SayNode | MenuNode | CollectNode | SetNode | BranchNode | LookupNode | AuthenticateNode
    | LanguageNode | HoursNode | AgentNode | QueueNode | TransferNode | VoicemailNode | CallbackNode
    | SurveyNode | NoticeNode | RecordNode | ReplayNode | PauseNode | ResumeNode | SubflowNode | ReturnNode
    | HangupNode,
    Field(discriminator="kind")]

# In a file a name has no /; of a sub-flow that was read in, NODE/NAME
NodeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}(/[a-z][a-z0-9-]{0,31})*$")]


# Of a node's upper left corner, to the right and down, in pixels of a picture
Place = Annotated[list[Annotated[int, Field(ge=-FARTHEST, le=FARTHEST)]], Field(min_length=2, max_length=2)]


class Flow(Part):
    language: Language = "zh"
    start: str
    variables: dict[Variable, Literally] = Field(default_factory=dict)       # values to begin with
    limit_s: Annotated[float, Field(ge=10, le=86400)] = 1800.0       # longest stay in nodes other than queues
    nodes: dict[NodeName, AnyNode]
    drawing: dict[NodeName, Place] = Field(default_factory=dict)     # where people draw nodes

    @property
    def languages(self) -> set[Language]:
        """Those that it can come to speak."""
        found: set[Language] = {self.language}
        for node in self.nodes.values():
            if isinstance(node, MenuNode | QueueNode):
                found |= {option.language for option in node.digits.values() if option.language}
            elif isinstance(node, LanguageNode):
                found |= {node.language} if node.language else set(LANGUAGES)
        return found


def digest(flow: Flow) -> str:
    """Names this version of a flow: flows that callers cannot tell apart have equal ones."""
    return hashlib.sha256(flow.model_dump_json(exclude={"drawing"}).encode()).hexdigest()[:32]


def initial(flow: Flow) -> dict[str, Value]:
    return dict(flow.variables)
