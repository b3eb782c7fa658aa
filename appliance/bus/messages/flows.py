"""Flow files as versions, a draft of each, how they are drawn, and trials of them as a caller.

A file is named by its path below the folder of the configuration document, such as main.yaml.
"""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

Key = int | str                                   # of a part of a file, from its top


class FlowVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One text that the file has had, or has."""

    number: int                                   # from 1
    at: float
    by: str                                       # "": the box itself
    comment: str = ""
    kind: Literal["found", "edited", "published", "rollback"]
    of: int = 0                                   # whose text it has again; 0: its own
    sha256: str = ""


class FlowDraft(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    base: int                                     # the version that it was made from; 0: there is none yet
    at: float                                     # of its last change
    sha256: str
    undo: int = 0                                 # changes that can be taken back
    redo: int = 0


class FlowFile(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    head: FlowVersion | None                      # None: it was never published
    draft: FlowDraft | None
    used_by: list[str]                            # keys of the configuration, or "FILE: nodes.NAME" of flows
    nodes: int = 0                                # of the newest version; 0: it cannot be read
    wrong: str = ""


class FlowsChanged(Event, frozen=True):
    """A draft or a version is another one. `file` "": of more than one."""

    owner: ClassVar[str] = "boxd"
    file: str


class FlowList(Reply, frozen=True):
    flows: list[FlowFile]


class GetFlows(Request[FlowList], frozen=True):
    owner: ClassVar[str] = "boxd"


class FlowMistake(msgspec.Struct, frozen=True, kw_only=True):
    """`keys` ["nodes", "menu", "digits", "1"]: where; [] when it is of the whole file or of another one."""

    line: int                                     # 0: of none
    keys: list[Key]
    text: str


class FlowWay(msgspec.Struct, frozen=True, kw_only=True):
    """A wire. `keys`, below the node, are where it is written; "" as `to`: it may be given and is not."""

    keys: list[Key]
    to: str
    required: bool = False


class FlowField(msgspec.Struct, frozen=True, kw_only=True):
    """What may be written into a node, ways to others not. `value` and `default` are YAML; "": not given.

    `choices`: for a field that names something, what there is now, of `of` "queue", "prompt", "calendar",
    "source", "box", "survey", "agent", "trunk", "skill", "file", "language", ... ; empty: anything.
    """

    name: str
    shape: Literal["text", "lines", "number", "yes-no", "choice", "texts", "prompts", "map", "yaml"]
    value: str = ""
    default: str = ""
    required: bool = False
    least: float | None = None
    most: float | None = None
    of: str = ""
    choices: list[str] = msgspec.field(default_factory=list)


class FlowNode(msgspec.Struct, frozen=True, kw_only=True):
    """`x`, `y`: where its upper left corner is drawn, in pixels of the picture; always given."""

    name: str
    kind: str
    line: int
    x: int
    y: int
    placed: bool                                  # by a person; False: where the box puts it
    about: str                                    # a line of what it does: a prompt's text, a queue
    ways: list[FlowWay]
    fields: list[FlowField]
    comment: str = ""                             # what stands above it in the file


class FlowKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a new node can be. `template`: the YAML that it begins with, in which `next` names nothing yet."""

    kind: str
    template: str
    ways: list[FlowWay]
    fields: list[FlowField]
    about: str                                    # the first sentence of what it does


class FlowPicture(msgspec.Struct, frozen=True, kw_only=True):
    """As far as the text can be read: with mistakes in it, too. No nodes: it is no YAML."""

    start: str
    language: str
    nodes: list[FlowNode]
    mistakes: list[FlowMistake]
    prompts: dict[str, str] = msgspec.field(default_factory=dict)    # name -> what it says, as far as known


class FlowReply(Reply, frozen=True):
    """`version` None: it is the draft."""

    file: FlowFile
    version: FlowVersion | None
    text: str
    picture: FlowPicture


class GetFlow(Request[FlowReply], frozen=True):
    """A version, 0: the newest; or the `draft`. Refused: there is none."""

    owner: ClassVar[str] = "boxd"
    file: str
    number: int = 0
    draft: bool = False


class FlowKinds(Reply, frozen=True):
    kinds: list[FlowKind]


class GetFlowKinds(Request[FlowKinds], frozen=True):
    owner: ClassVar[str] = "boxd"


class FlowHistory(Reply, frozen=True):
    versions: list[FlowVersion]                   # newest first


class GetFlowHistory(Request[FlowHistory], frozen=True):
    owner: ClassVar[str] = "boxd"
    file: str
    most: int = 50


class FlowEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a draft; comments stay where they are.

    set: `keys` have `value` (YAML), None: they go. add: a node `name` of YAML `value`. rename: node `name` is
    `to` from now on, and so in all ways that lead there. remove: node `name`, and the ways that lead there.
    move: node `name` is drawn at `x`, `y`. place: all nodes are drawn where the box puts them.
    """

    do: Literal["set", "add", "rename", "remove", "move", "place"]
    keys: list[Key] = msgspec.field(default_factory=list)
    value: str | None = None
    name: str = ""
    to: str = ""
    x: int = 0
    y: int = 0


class EditFlow(Request[FlowReply], frozen=True):
    """All of `edits`, or none, as one step of the draft; the draft begins with the newest version.

    Refused: the draft is another person's (`take` takes it over), or an edit makes no sense. `sha256`: of
    the draft that the edits were made for, "" is any; Refused: it has changed since.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    edits: list[FlowEdit]
    sha256: str = ""
    take: bool = False


class WriteFlow(Request[FlowReply], frozen=True):
    """The draft has this text; a new file's begins so. Refused: no YAML, too large, another person's.

    `sha256`: of the draft, or of the newest version where there is none, that it was written over; "" is any;
    Refused: it has changed since.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    text: str
    sha256: str = ""
    take: bool = False


class StepFlow(Request[FlowReply], frozen=True):
    """The draft as it was `steps` changes ago; with less than 0 as it was before that was undone."""

    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    steps: int = 1


class DiscardFlow(Request[Done], frozen=True):
    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    take: bool = False                            # also another person's


class FlowDifference(Reply, frozen=True):
    old: str
    new: str
    unified: str                                  # as diff -u; "": they are alike
    added: list[str]                              # names of nodes
    gone: list[str]
    changed: list[str]


class CompareFlow(Request[FlowDifference], frozen=True):
    """Two versions; 0 as `new` is the draft."""

    owner: ClassVar[str] = "boxd"
    file: str
    old: int
    new: int = 0


class FlowPublished(Reply, frozen=True):
    version: FlowVersion


class PublishFlow(Request[FlowPublished], frozen=True):
    """The draft is the file, and new calls go through it. Refused: it is wrong, or acdd does not take it.

    Calls in progress end on the version that they began with. `base`: the version that was looked at beside
    it; Refused: there is a newer one. `sha256`: of the draft that was looked at, "" is any; Refused: it has
    changed since.
    """

    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    comment: str = ""
    base: int = 0
    sha256: str = ""


class RollBackFlow(Request[FlowPublished], frozen=True):
    """A new version with the text of version `to`, at once."""

    owner: ClassVar[str] = "boxd"
    by: str
    file: str
    to: int
    comment: str = ""


class TrialStep(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` node: it is in `node`; heard: `prompts` with what they say in `text`; pressed: `text`; told: any
    other thing that happens; end."""

    at_s: float                                   # since the call came
    kind: Literal["node", "heard", "pressed", "told", "end"]
    node: str
    text: str = ""
    prompts: list[str] = msgspec.field(default_factory=list)         # names that GetPromptAudio knows


class FlowTrial(Reply, frozen=True):
    """As far as the keys led. `awaits`: a digit is wanted now; "": nothing more happens."""

    steps: list[TrialStep]
    node: str                                     # where the call is, or was at its end
    awaits: str                                   # "key", "digits", ""
    end: str                                      # as of centre.flow.tester; "": it goes on


class TryFlow(Request[FlowTrial], frozen=True):
    """Go through the draft, or the newest version, as a caller would; nothing is called, asked or kept.

    `keys`: what is pressed each time that the flow awaits it, "-" nothing. `answers`: of sources, JSON.
    Refused: the flow is wrong.
    """

    owner: ClassVar[str] = "boxd"
    file: str
    draft: bool = True
    keys: list[str] = msgspec.field(default_factory=list)
    caller: str = ""
    called: str = ""
    at: float = 0.0                               # 0: now
    answers: dict[str, list[str]] = msgspec.field(default_factory=dict)
