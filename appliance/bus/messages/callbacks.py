"""What people ask acdd about customers who are to be called back, who left a message, who were asked.

`by`: the user who asks; "": the command line. Refused: with a sentence that says what, why not, what to do.
"""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request


class CallbackInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A promised one; what became of others is in their contacts."""

    contact: str
    number: str                                   # as it is dialled
    queue: str
    state: str                                    # callback (not due), queue, ringing, dialling
    mode: str                                     # agent-first, customer-first
    booked_at: float
    due_at: float                                 # not before; 0: as soon as nothing is in its way
    keep_until: float
    joined_at: float                              # since when the place counts; 0: from when it is due
    position: int = 0                             # in the queue's line; 0: not in it
    firm: bool = False                            # agreed for a time
    tries: int = 0
    outcome: str = ""                             # of the last try
    agent: str = ""                               # at work for it
    origin: str = ""
    by: str = ""
    note: str = ""


class CallbackList(Reply, frozen=True):
    """In the order of their places; those that have none yet last."""

    callbacks: list[CallbackInfo]


class GetCallbacks(Request[CallbackList], frozen=True):
    owner: ClassVar[str] = "acdd"


class CallbackReply(Reply, frozen=True):
    callback: CallbackInfo


class BookCallback(Request[CallbackReply], frozen=True):
    """Have a customer called back, the callback of before when the number has one.

    at: agreed with the customer, 0: as soon as its turn comes. agent: is rung for it now.
    """

    owner: ClassVar[str] = "acdd"
    number: str
    queue: str
    at: float = 0.0
    agent: str = ""
    trunk: str = ""                               # the customer's; "": centre.callbacks.trunk
    shows: str = ""                               # our number for the customer to see
    since: float = 0.0                            # the customer has waited before: since then
    origin: str = ""                              # the contact that it comes from
    note: str = ""
    by: str = ""


class CallBack(Request[CallbackReply], frozen=True):
    """One click: as BookCallback, for whoever called in this contact that is over: abandoned, or a message.

    agent: is rung for it now; "": it gets the place that the customer had.
    """

    owner: ClassVar[str] = "acdd"
    contact: str
    agent: str = ""
    queue: str = ""                               # "": the one where the customer waited
    at: float = 0.0
    note: str = ""
    by: str = ""


class CancelCallback(Request[Done], frozen=True):
    owner: ClassVar[str] = "acdd"
    contact: str
    by: str = ""


class MoveCallback(Request[CallbackReply], frozen=True):
    owner: ClassVar[str] = "acdd"
    contact: str
    at: float
    by: str = ""


class MarkCallback(Request[Done], frozen=True):
    """Of one that talks: it is a machine (the call ends, and is tried again) or the wrong number."""

    owner: ClassVar[str] = "acdd"
    contact: str
    outcome: str                                  # machine, wrong number
    by: str = ""


class AbandonedInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who went before anybody talked to him."""

    contact: str
    number: str                                   # "": withheld
    queue: str                                    # "": he did not come so far
    where: str                                    # what he left: flow, queue, ring
    at: float                                     # when he went
    wait_s: float                                 # in queues
    times: int                                    # that this number went so within the days looked at
    called_back_at: float = 0.0                   # first dialled since then; 0: not
    called_back_by: str = ""                      # the agent
    closed_at: float = 0.0                        # 0: open
    closed_by: str = ""                           # who wrote what came of it, or the agent who talked to him
    closed_in: str = ""                           # the contact in which they talked
    disposition: str = ""
    note: str = ""
    callback: str = ""                            # a promised one of this number


class AbandonedList(Reply, frozen=True):
    """Who went last first."""

    contacts: list[AbandonedInfo]


class GetAbandoned(Request[AbandonedList], frozen=True):
    """Of the last `days`. every: those that are closed, too."""

    owner: ClassVar[str] = "acdd"
    days: float = 7.0
    queue: str = ""
    every: bool = False


class CloseAbandoned(Request[Done], frozen=True):
    """Write what came of it: nobody needs to be called any more."""

    owner: ClassVar[str] = "acdd"
    contact: str
    code: str
    note: str = ""
    by: str = ""


class MessageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A voice message that is not done with; its recording has the same name."""

    message: str
    box: str
    contact: str
    number: str
    began_at: float
    ended_at: float                               # 0: it is being left
    heard_by: list[str]
    callback: str = ""                            # a promised one of this number


class MessageList(Reply, frozen=True):
    """Oldest first."""

    messages: list[MessageInfo]


class GetMessages(Request[MessageList], frozen=True):
    owner: ClassVar[str] = "acdd"
    box: str = ""                                 # "": of all


class HearMessage(Request[Done], frozen=True):
    """`by` has heard it."""

    owner: ClassVar[str] = "acdd"
    message: str
    by: str


class FinishMessage(Request[Done], frozen=True):
    """It is done with: not in the list any more; its recording stays."""

    owner: ClassVar[str] = "acdd"
    message: str
    by: str = ""


class MessageLeft(Event, frozen=True):
    """There is a new voice message. tell: agents who are to know."""

    owner: ClassVar[str] = "acdd"
    message: str
    box: str
    contact: str
    tell: list[str]


class AnswersInfo(msgspec.Struct, frozen=True, kw_only=True):
    """To one question. counts: of each answer, 1 first."""

    question: str
    asked: int
    answered: int
    average: float                                # 0: nobody answered
    counts: list[int]


class SurveyResults(Reply, frozen=True):
    survey: str
    begun: int
    complete: int                                 # to the last question
    declined: int
    questions: list[AnswersInfo]


class GetSurvey(Request[SurveyResults], frozen=True):
    """Of surveys that began in [since, until). agent, queue: of these talks only."""

    owner: ClassVar[str] = "acdd"
    survey: str
    since: float = 0.0
    until: float = 0.0                            # 0: now
    agent: str = ""
    queue: str = ""
