"""What the lines tell of a contact, also when it has ended; `of_leg` is a leg that it has or had."""

from appliance.centre.events.base import LogEvent


class PartyKnown(LogEvent, frozen=True):
    """Who is at the leg's far end. `why`: answered (COLP), named, diverted, transferred."""

    of_leg: str
    why: str
    number: str = ""                              # "": withheld or not given
    name: str = ""
    answered: bool = True                         # transferred: False while it rings there


class Charged(LogEvent, frozen=True):
    """Advice of charge, as it came."""

    of_leg: str
    units: int | None = None
    amount_thousandths: int | None = None         # of the currency's unit
    currency: str = ""                            # "": the network's own
    free: bool = False
    total: bool = True                            # False: since the advice before
    final: bool = False
    billing: str = ""
    charged_to: str = ""


class TraceAsked(LogEvent, frozen=True):
    """The network is asked to register who calls. `by`: a user, "telephone", "" for the command line."""

    of_leg: str
    by: str


class TraceOver(LogEvent, frozen=True):
    """done: it has; else `why` not."""

    of_leg: str
    done: bool
    why: str = ""
