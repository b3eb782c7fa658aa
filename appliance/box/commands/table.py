"""What a command of the console is made of: words, who may give it, arguments, an answer in two languages.

The commands themselves are in show_*.py and acts_*.py, all of them in every.py. Nothing here asks anybody.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import msgspec

from appliance.bus.messages import Reply, Request
from appliance.errors import BranchlineError

if TYPE_CHECKING:
    from appliance.box.commands.box import Box

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

R = TypeVar("R", bound=Reply)

GOOD, NO, BAD_LINE, AWAY, ROLE = 0, 1, 64, 69, 77           # exit statuses, of sysexits where there is one


class Role(IntEnum):
    """Each may do what those before it may."""

    WATCH = 1
    OPERATE = 2
    ADMIN = 3


ROLES: dict[str, Role] = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Text:
    en: str
    zh: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def same(text: str) -> Text:
    """What is the same in every language: a daemon's own words, a name."""
    return Text(text, text)


class CommandError(BranchlineError):
    """The command says no. `next` is what the person may do now; Text("", ""): nothing."""

    def __init__(self, text: Text, next: Text = Text("", ""), status: int = NO) -> None:
        super().__init__(text.en)
        self.text, self.next, self.status = text, next, status


class Closed(Exception):
    """The other end is gone, or was silent for too long; the text is the last thing it is told.

    What a command asks ends in it, and the command and the session with it: no command catches it.
    """


class BadWord(BranchlineError):
    """A word is not of the kind that is wanted in its place."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answers. Its fields are its JSON; column() beside them says how people see them."""

    headed: ClassVar[bool] = True                 # lists in it are tables with a line of titles


Shown = Literal["", "number", "octets", "duration", "clock", "moment", "percent", "yes", "heading", "json"]


def column(en: str, zh: str, shown: Shown = "", spare: bool = False, words: str = "") -> msgspec.Meta:
    """The title of a field, as Annotated[float, column("up for", "已运行", "duration")].

    `shown`: number with thousands apart; octets as MB; duration of seconds as 3 d 02:10; clock of Unix
    seconds as time of day, moment with the day too; percent of a share 0 to 1; yes or no; heading of a
    table that is not the only one; json only, not for people. `spare`: a column that is away while all
    its cells are empty. `words`: a kind of chinese.WORDS, of which its values are.
    """
    return msgspec.Meta(title=en, extra={"zh": zh, "shown": shown, "spare": spare, "words": words})


class Lines(Answer, frozen=True, kw_only=True):
    """Text that is as it is: a configuration, a log, a difference."""

    headed: ClassVar[bool] = False
    lines: list[str]


class Said(Answer, frozen=True, kw_only=True):
    """One sentence: what an act has done. Its words are of the person's language."""

    headed: ClassVar[bool] = False
    said: str


class File(Answer, frozen=True, kw_only=True):
    """A file: `| save` keeps it, without it its octets are the output. JSON has them as base64."""

    name: str                                     # proposed, without a folder
    octets: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """A word that would fit, for Tab and `?`. `word` in <> is not one to take over."""

    word: str
    help: Text


class Kind(ABC):
    """Reads one word into a value."""

    name: str = "WORD"                            # in `?`, errors and the reference page
    rest: bool = False                            # takes the whole rest of the line, as one word
    raw: bool = False                             # gets it as it was typed, quotes and all

    @abstractmethod
    def read(self, word: str) -> Any:
        """The word's value. BadWord: it is not of this kind, with what would be."""

    async def offers(self, asked: "Asked") -> Sequence[Offer]:
        """Words that are there now; what the person began is compared by who asks. Errors offer nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class Argument:
    """One value of a command. Those without a keyword come first, in their order; others in any order.

    A keyword without a kind is a flag: its value is True when it is said.
    """

    name: str
    kind: Kind | None
    help: Text
    keyword: str | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        if self.kind is None and self.keyword is None:
            raise ValueError(f"{self.name}: a flag has a keyword")


@dataclass(frozen=True, slots=True)
class Who:
    """The person at the other end."""

    name: str
    role: Role
    language: Language = "en"
    origin: str = ""                              # e.g. ssh 192.0.2.7, web 192.0.2.9
    door: Literal["ssh", "exec", "web"] = "ssh"   # exec: ssh box COMMAND, whose lines a program reads


@dataclass(slots=True, eq=False)
class Session:
    """What lasts from one line to the next. A door makes one; commands may change `mode` and `kept`."""

    who: Who
    started_at: float = 0.0                       # Unix seconds
    last_at: float = 0.0                          # of its last line
    mode: str = ""                                # "configure": its commands are those of in_configure
    prompt: str = ""                              # beside the mode, e.g. the part that is edited
    width: int | None = None                      # columns of the terminal; None: no terminal
    height: int = 0
    line: str = ""                                # what it does now, without what is secret
    ended: bool = False                           # set by `exit`: the door closes it
    kept: dict[str, Any] = field(default_factory=dict)       # of commands, by their own names
    # The person; True: nobody sees it typed. Closed: there is none any more.
    asking: Callable[[Text, bool], Awaitable[str]] | None = None
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)   # called by close()

    async def close(self) -> None:
        """The door calls it once, however the session ends."""
        while self.closing:
            await self.closing.pop()()


@dataclass(slots=True)
class Asked:
    """One command as it was given."""

    box: "Box"
    session: Session
    now: float                                    # Unix seconds
    values: dict[str, Any] = field(default_factory=dict)     # by the arguments' names; absent: not said

    @property
    def who(self) -> Who:
        return self.session.who

    @property
    def language(self) -> Language:
        return self.session.who.language

    def say(self, text: Text) -> str:
        return text.of(self.language)

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.values.get(name, otherwise)

    async def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """The owner's reply, boxd's own without the bus. Refused, BusError: as Bus.ask; let them through."""
        return await self.box.ask(request, timeout_s)


Does = Callable[[Asked], Awaitable[Answer]]
Lives = Callable[[Asked], AsyncIterator[Answer]]


@dataclass(frozen=True, slots=True)
class Command:
    """`words` are e.g. "show spans". With `live` `does` is an async generator, until Ctrl-C cancels it.

    `screen`: each answer of it takes the place of the one before on a terminal. It is
    known outside of configure, there alone, or in both.
    """

    words: str
    role: Role
    help: Text
    does: Does | Lives
    answer: type[Answer]
    arguments: tuple[Argument, ...] = ()
    live: bool = False
    screen: bool = False
    in_configure: bool = False
    in_both: bool = False                         # known in both modes
    within_s: float = 30.0                        # then it is given up; of live ones not looked at

    def known_in(self, mode: str) -> bool:
        return self.in_both or self.in_configure == (mode == "configure")


class Table:
    """All commands by their words."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands: tuple[Command, ...] = tuple(sorted(commands, key=lambda one: one.words))
        by_words: dict[tuple[str, bool], Command] = {}
        for one in self.commands:
            for mode in ("", "configure"):
                if one.known_in(mode) and by_words.setdefault((one.words, bool(mode)), one) is not one:
                    raise ValueError(f"{one.words}: there are two of them")

    def known(self, mode: str = "") -> list[tuple[tuple[str, ...], Command]]:
        return [(tuple(one.words.split()), one) for one in self.commands if one.known_in(mode)]

    def by_words(self) -> Mapping[str, Command]:
        return {one.words: one for one in self.commands}
