"""A box's configuration by its console: document, candidate, a commit that goes back by itself."""

import contextlib
from typing import Any, TypeVar

import msgspec

from appliance.errors import BranchlineError
from appliance.fleet.course import State
from appliance.fleet.link import Link, LinkError

# Of the box, by SFTP: what is put as the candidate becomes it.
SAVED, DOCUMENT, CANDIDATE = "/saved", "/configuration/branchline.yaml", "/configuration/candidate.yaml"
MOST_OCTETS = 1024 * 1024                         # of a document
MOST_VERSIONS = 50                                # that are looked at

T = TypeVar("T")


class KeyChange(msgspec.Struct, frozen=True):
    key: str
    old: str | None = None
    new: str | None = None


class Difference(msgspec.Struct, frozen=True):
    lines: list[str]                              # as diff -u has them
    keys: list[KeyChange]


class Committed(msgspec.Struct, frozen=True):
    version: int
    until: float                                  # the box's clock; 0: it stays


class Version(msgspec.Struct, frozen=True):
    number: int
    comment: str
    kind: str
    state: str
    in_force: bool
    why_not: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Which version is the document, and whether it goes back by itself."""

    versions: list[Version]                       # newest first
    waiting: int                                  # 0: none does
    until: float
    candidate_by: str = ""                        # whose there is; "": there is none

    def of(self, comment: str) -> Version | None:
        return next((one for one in self.versions if one.comment == comment), None)


class No(BranchlineError):
    """The box did not do it, and nothing is changed."""

    def __init__(self, state: State, text: str) -> None:
        super().__init__(text)
        self.state = state


async def asked(link: Link, line: str, kind: type[T], within_s: float | None = None) -> T:
    """The answer as JSON. No: the box says no. LinkError: contact was lost."""
    said = await link.ask(f"{line} | json", within_s)
    bad = said.end()
    if bad is not None and bad.state is State.UNKNOWN:
        raise LinkError(bad.state, bad.why)
    if bad is not None:
        raise No(bad.state, bad.why)
    try:
        return msgspec.convert(said.json(), kind)
    except msgspec.ValidationError as error:
        raise No(State.FAILED, f"{line}: the answer is not as this tool knows it ({error}): "
                 "is the box of another version?") from None


async def load(link: Link, text: str, before: Standing) -> Difference:
    """The candidate is this text now and in order; what it would change. No: nothing is left of it.

    A candidate that is not of an earlier try is left as it is, even where it is of the same person.
    """
    if before.candidate_by and not await _is_candidate(link, text):
        raise No(State.REFUSED, f"{before.candidate_by} has a candidate there: it is to be committed first, "
                 "or discarded (configure discard)")
    try:
        try:
            await link.store(text.encode(), CANDIDATE)               # the box checks what is put there
        except LinkError as error:
            if error.state is State.UNKNOWN:
                raise
            raise No(error.state, str(error)) from None
        return await asked(link, "configure compare", Difference)
    except BranchlineError:
        with contextlib.suppress(BranchlineError):
            await discard(link)                   # refused where it is another person's
        raise


async def _is_candidate(link: Link, text: str) -> bool:
    try:
        return await link.read(CANDIDATE, MOST_OCTETS) == text.encode()
    except LinkError as error:
        if error.state is State.UNKNOWN:
            raise
        return False


async def discard(link: Link) -> None:
    await asked(link, "configure discard", dict[str, Any])


async def leave_nothing(link: Link, text: str, found: Standing) -> None:
    """No candidate of this text is left, where it can be done."""
    with contextlib.suppress(BranchlineError):
        if found.candidate_by and await _is_candidate(link, text):
            await discard(link)


async def commit(link: Link, minutes: float, comment: str) -> Committed:
    return await asked(link, f'configure commit confirmed {minutes:g} comment "{comment}"', Committed)


async def confirm(link: Link, version: int) -> None:
    await asked(link, f"confirm {version}", dict[str, Any])


async def revert(link: Link, version: int) -> None:
    await asked(link, f"revert {version}", dict[str, Any])


async def document(link: Link) -> str:
    """The text that is in force, with its secrets. LinkError."""
    octets = await link.read(DOCUMENT, MOST_OCTETS)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise LinkError(State.FAILED, f"{DOCUMENT}: is no text in UTF-8") from None


async def standing(link: Link) -> Standing:
    return await asked(link, f"show history most {MOST_VERSIONS}", Standing)
