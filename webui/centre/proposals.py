"""Changes that wait for a yes: what each would do is shown before anything is committed. In memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from flask_login import current_user

from appliance.bus.messages import DocumentChecked, KeySet, TryKeys
from appliance.config.schema import Config
from webui.access.halves import Waiting
from webui.centre.held import Held, Mistake, checked, differences
from webui.centre.sheets import Row
from webui.parts import parts

EXTENSION = "branchline.centre"
KEPT_S, MOST = 1800.0, 64                         # of all people; the oldest goes
TRY_S = 90.0                                      # a check is a process of its own


@dataclass(frozen=True, slots=True)
class Proposal:
    by: str
    head: int                                     # the version that it was made from
    sets: list[KeySet]
    before: Config
    after: Config
    checked: DocumentChecked
    back: str                                     # the address of the page that it was made on
    rows: Sequence[Row] = field(default_factory=tuple)               # of a file


class Wrong(Exception):
    """It cannot be: `mistakes`, of a draft or of what daemons say."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(one.what for one in mistakes))
        self.mistakes = mistakes


def propose(held: Held, draft: dict[str, Any], back: str, rows: Sequence[Row] = ()) -> str:
    """The word under which it is found; "": nothing would differ. Wrong: it cannot be. BusError."""
    sets = list(differences(held.plain, draft))
    if not sets:
        return ""
    after, mistakes = checked(draft)
    if after is None:
        raise Wrong(mistakes)
    told = parts().exchange.ask(TryKeys(sets=sets), TRY_S)
    if told.mistakes or told.refusals:
        raise Wrong([*(Mistake("", one.text) for one in told.mistakes),
                     *(Mistake("", line) for line in told.refusals)])
    return waiting().keep(Proposal(current_user.name, held.head, sets, held.config, after, told, back, rows),
                          time.time())


def find(word: str) -> Proposal | None:
    """Of who has signed in."""
    found = waiting().find(word, time.time())
    return found if found is not None and found.by == current_user.name else None


def done(word: str) -> None:
    waiting().take(word, time.time())


def waiting() -> Waiting[Proposal]:
    found: Waiting[Proposal] = current_app.extensions.setdefault(EXTENSION, Waiting(KEPT_S, MOST))
    return found
