"""Prompts: what there is and how it sounds, new ones from files, texts and telephones, versions, who uses it.

A prompt is named by its path below the folder of prompts, such as zh/greeting. A sound that nobody has kept
yet is a draft: it can be heard, cut and levelled first.
"""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

# Where a prompt's sound is from: a text, a file that somebody brought, a telephone, the box's own, not known.
PromptMade = Literal["text", "uploaded", "spoken", "box", "unknown"]
PromptAct = Literal["found", "put", "copied", "moved", "restored", "deleted"]
# Of a telephone that is rung to speak a prompt.
PromptTakeStep = Literal["ringing", "prompting", "recording", "playing", "asking", "kept", "failed"]


class PromptInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`at` and `by` are of the last change through the box's own hands; 0 and "": there was none."""

    name: str
    length_ms: int
    level_dbm0: float                             # while it speaks
    octets: int                                   # of the file
    made: PromptMade
    text: str = ""                                # what it says, as far as that is known
    at: float = 0.0
    by: str = ""
    versions: int = 0                             # of before, that can be had again
    wrong: str = ""                               # why it cannot be played


class PromptList(Reply, frozen=True):
    """`needed`: names that values such as numbers and dates need, and what they say."""

    prompts: list[PromptInfo]                     # by name
    needed: dict[str, str]
    more: bool = False                            # there are some after the last


class GetPrompts(Request[PromptList], frozen=True):
    owner: ClassVar[str] = "recordd"
    after: str = ""                               # a name
    most: int = 2000


class PromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What one act made of it. `there`: its sound is kept, and can be had again."""

    number: int
    at: float
    by: str
    act: PromptAct
    made: PromptMade
    text: str = ""
    length_ms: int = 0
    there: bool = False


class PromptReply(Reply, frozen=True):
    info: PromptInfo | None                       # None: it was deleted
    versions: list[PromptVersion]                 # newest first


class GetPrompt(Request[PromptReply], frozen=True):
    """Refused: there is none, and was none."""

    owner: ClassVar[str] = "recordd"
    name: str


class PromptAudio(Reply, frozen=True):
    """`octets`: of the A-law WAV file, from where was asked; `sha256` is that of the whole."""

    octets: bytes
    total: int
    sha256: str


class GetPromptAudio(Request[PromptAudio], frozen=True):
    """A prompt as it is, a version of it, or a draft. Refused: there is none."""

    owner: ClassVar[str] = "recordd"
    name: str = ""
    version: int = 0
    draft: str = ""
    at: int = 0                                   # octet
    most_octets: int = 1 << 20


class PromptPeaks(Reply, frozen=True):
    """The loudest sample of each part of equal length, 0 to 255."""

    peaks: list[int]
    length_ms: int
    level_dbm0: float


class GetPromptPeaks(Request[PromptPeaks], frozen=True):
    owner: ClassVar[str] = "recordd"
    name: str = ""
    version: int = 0
    draft: str = ""
    parts: int = 500


class PromptUploaded(Reply, frozen=True):
    octets: int                                   # that are there now


class UploadPrompt(Request[PromptUploaded], frozen=True):
    """A piece of a sound file, in order. Refused: too large, out of order, no room."""

    owner: ClassVar[str] = "recordd"
    upload: str                                   # 32 hexadecimal digits that the sender makes up
    at: int
    total: int
    octets: bytes


class PromptDraft(Reply, frozen=True):
    draft: str
    length_ms: int
    level_dbm0: float
    made: PromptMade
    text: str
    told: str = ""                                # what was done to it: e.g. the format that it came in


class DraftPrompt(Request[PromptDraft], frozen=True):
    """A sound out of one of: an upload, a text, a prompt (`version` 0: as it is), another draft.

    `from_ms` to `to_ms` of it stays, 0 as `to_ms` is its end; `trim`: without the silence at its ends;
    `level_dbm0`: what it has while it speaks, None: as it is. Refused: no sound file, too long, silent.
    """

    owner: ClassVar[str] = "recordd"
    by: str
    upload: str = ""
    text: str = ""
    language: Literal["zh", "en"] = "zh"          # of the text
    name: str = ""
    version: int = 0
    draft: str = ""
    from_ms: int = 0
    to_ms: int = 0
    trim: bool = False
    level_dbm0: float | None = None


class PromptKept(Reply, frozen=True):
    name: str
    version: int


class KeepPrompt(Request[PromptKept], frozen=True):
    """A draft becomes the prompt, in place of what was there. `new`: Refused when there is one."""

    owner: ClassVar[str] = "recordd"
    by: str
    name: str
    draft: str
    new: bool = False


class CopyPrompt(Request[PromptKept], frozen=True):
    """`move`: the old name goes. Refused: there is one at the new name, or what is moved is used."""

    owner: ClassVar[str] = "recordd"
    by: str
    name: str
    to: str
    move: bool = False


class RestorePrompt(Request[PromptKept], frozen=True):
    """As version `number` was, and it is a new version. Refused: its sound is not kept any more."""

    owner: ClassVar[str] = "recordd"
    by: str
    name: str
    number: int


class DeletePrompt(Request[Done], frozen=True):
    """Refused: it is used, or nobody can say now whether it is."""

    owner: ClassVar[str] = "recordd"
    by: str
    name: str


class PromptsChanged(Event, frozen=True):
    owner: ClassVar[str] = "recordd"
    name: str


class PromptUse(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` flow: `where` is the file, `what` the node; values: a value that a node says may need it; any
    other is a part of the configuration, `where` its name there and `what` the key."""

    kind: Literal["flow", "values", "queue", "waiting", "callbacks", "voicemail", "survey", "recording",
                  "entry"]
    where: str
    what: str = ""


class PromptUses(Reply, frozen=True):
    uses: dict[str, list[PromptUse]]              # by name, e.g. zh/greeting


class GetPromptUses(Request[PromptUses], frozen=True):
    """What callers may hear by the flows and the configuration that are in force."""

    owner: ClassVar[str] = "acdd"
    name: str = ""                                # only of this; "": of all


class NoteTake(Request[Done], frozen=True):
    """acdd: this recording will be of somebody who speaks a prompt, and of no contact."""

    owner: ClassVar[str] = "recordd"
    recording: str
    name: str
    by: str


class PromptTake(msgspec.Struct, frozen=True, kw_only=True):
    take: str
    name: str                                     # of the prompt
    at: str                                       # the telephone
    by: str
    step: PromptTakeStep
    began_at: float
    error: str = ""                               # why it failed


class PromptTakeState(Event, frozen=True):
    """Said on change."""

    owner: ClassVar[str] = "acdd"
    take: PromptTake


class PromptTakes(Reply, frozen=True):
    takes: list[PromptTake]


class GetPromptTakes(Request[PromptTakes], frozen=True):
    """Those that go on, and the last that ended."""

    owner: ClassVar[str] = "acdd"


class PromptTakeBegun(Reply, frozen=True):
    take: PromptTake


class TakePrompt(Request[PromptTakeBegun], frozen=True):
    """Ring a telephone, where a prompt is spoken and heard again: 1 keeps it, 2 again, 3 anew.

    `at`: an extension, an agent's name, or a number as FindTelephone takes it. Refused: it cannot be rung,
    or too many are at it.
    """

    owner: ClassVar[str] = "acdd"
    by: str
    at: str
    name: str                                     # e.g. zh/greeting
    language: Literal["zh", "en"] = "zh"          # of what the telephone says


class StopTake(Request[Done], frozen=True):
    owner: ClassVar[str] = "acdd"
    by: str
    take: str
