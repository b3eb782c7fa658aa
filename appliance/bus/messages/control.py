"""What agents and supervisors ask acdd to do with calls. `by`: the user who asks; "": the command line.

`agent` is the one whose talk it is. `to`: an agent's name, a number as the agent's telephone would dial it,
queue:NAME, or senior: the best agent who is ready and knows more of what is asked for. Refused: with a
sentence that says who, why not and what to do.
"""

from typing import ClassVar

from appliance.bus.messages.base import Reply, Request


class ContactNamed(Reply, frozen=True):
    contact: str


class Hold(Request[ContactNamed], frozen=True):
    """The customer hears music."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class Retrieve(Request[ContactNamed], frozen=True):
    """Back to the customer; who is consulted waits with music. Again Hold: back to who is consulted."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class Consult(Request[ContactNamed], frozen=True):
    """The customer waits while somebody is asked."""

    owner: ClassVar[str] = "acdd"
    agent: str
    to: str
    by: str = ""


class CancelConsult(Request[ContactNamed], frozen=True):
    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class Transfer(Request[ContactNamed], frozen=True):
    """At once, or, without `to`, to who is consulted. Whom nobody takes goes back."""

    owner: ClassVar[str] = "acdd"
    agent: str
    to: str = ""
    by: str = ""


class Confer(Request[ContactNamed], frozen=True):
    """Customer, agent and who is consulted hear each other; with `to`: this one is rung for it."""

    owner: ClassVar[str] = "acdd"
    agent: str
    to: str = ""
    by: str = ""


class DropParty(Request[ContactNamed], frozen=True):
    owner: ClassVar[str] = "acdd"
    agent: str
    who: str                                      # an agent or a number
    by: str = ""


class ParkedAt(Reply, frozen=True):
    contact: str
    slot: int


class Park(Request[ParkedAt], frozen=True):
    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class Fetch(Request[ContactNamed], frozen=True):
    """Have the agent's telephone rung for who is parked there."""

    owner: ClassVar[str] = "acdd"
    agent: str
    slot: int
    by: str = ""


class PickUp(Request[ContactNamed], frozen=True):
    """Have the agent's telephone rung for a customer who rings at another; "": first of the own queues."""

    owner: ClassVar[str] = "acdd"
    agent: str
    of_agent: str = ""
    by: str = ""


class PlaceCall(Request[ContactNamed], frozen=True):
    """The agent's telephone is rung, then `to`."""

    owner: ClassVar[str] = "acdd"
    agent: str
    to: str
    by: str = ""


class SendKeys(Request[ContactNamed], frozen=True):
    """DTMF to whom the agent talks with."""

    owner: ClassVar[str] = "acdd"
    agent: str
    digits: str
    by: str = ""


class HideTalk(Request[ContactNamed], frozen=True):
    """Record silence and let nobody hear the customer's keys, for so long at most (card data)."""

    owner: ClassVar[str] = "acdd"
    agent: str
    for_s: float = 120.0
    by: str = ""


class ShowTalk(Request[ContactNamed], frozen=True):
    """The recording goes on."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class EndTalk(Request[ContactNamed], frozen=True):
    """Hang up; in a conference the others go on."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class Monitor(Request[ContactNamed], frozen=True):
    """Ring the supervisor `at` (an agent's name, an extension), who then hears it. Again: other mode."""

    owner: ClassVar[str] = "acdd"
    agent: str
    at: str
    mode: str = "listen"                          # listen, whisper (to the agent), barge (all hear it)
    by: str = ""


class TelephoneFound(Reply, frozen=True):
    at: str                                       # as Board.supervisors has one who is there
    agent: str                                    # whose it is; "": nobody's


class FindTelephone(Request[TelephoneFound], frozen=True):
    """May a supervisor be rung there? Refused: no agent, no extension, and no rule lets it be dialled."""

    owner: ClassVar[str] = "acdd"
    at: str


class StopMonitor(Request[ContactNamed], frozen=True):
    owner: ClassVar[str] = "acdd"
    agent: str
    at: str
    by: str = ""


class TakeOver(Request[ContactNamed], frozen=True):
    """The supervisor who is `at` it goes on in place of the agent."""

    owner: ClassVar[str] = "acdd"
    agent: str
    at: str
    by: str = ""


class TagContact(Request[ContactNamed], frozen=True):
    """Of a contact that goes on, or whose agent is in wrap-up. All its tags from now on."""

    owner: ClassVar[str] = "acdd"
    contact: str
    tags: list[str]
    by: str = ""


class DisposeContact(Request[ContactNamed], frozen=True):
    """What came of it. As TagContact."""

    owner: ClassVar[str] = "acdd"
    contact: str
    code: str
    note: str = ""
    by: str = ""
