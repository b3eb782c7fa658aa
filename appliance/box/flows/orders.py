"""What boxd has its bench do, `branchline flow bench`: a line of JSON each way, one order at a time."""

import msgspec

from appliance.bus.messages.flows import FlowEdit, FlowKinds, FlowPicture, FlowTrial

MOST_OCTETS = 16 * 1024 * 1024                    # of a line


class Draw(msgspec.Struct, frozen=True, tag="draw"):
    """`file`: where the text belongs, for what is relative to it. `called`: calls enter there."""

    file: str
    text: str
    called: bool = False


class Edit(msgspec.Struct, frozen=True, tag="edit"):
    """All of the edits, or none."""

    file: str
    text: str
    edits: list[FlowEdit]
    called: bool = False


class ShowKinds(msgspec.Struct, frozen=True, tag="kinds"):
    """`files`: what a node of kind flow may go through."""

    files: list[str]


class Try(msgspec.Struct, frozen=True, tag="try"):
    """As TryFlow."""

    file: str
    text: str
    keys: list[str]
    caller: str
    called: str
    at: float
    answers: dict[str, list[str]]


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    text: str
    picture: FlowPicture


class Kinds(msgspec.Struct, frozen=True, tag="kinds"):
    kinds: FlowKinds


class Tried(msgspec.Struct, frozen=True, tag="tried"):
    trial: FlowTrial


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    why: str


Order = Draw | Edit | ShowKinds | Try
Outcome = Drawn | Kinds | Tried | Refusal
