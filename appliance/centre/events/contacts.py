"""Of a contact's beginning and end."""

from appliance.centre.events.base import LogEvent


class Began(LogEvent, frozen=True):
    leg: str
    trunk: str
    direction: str                                # in, out
    calling: str
    calling_name: str
    called: str                                   # so far
    began_at: float
    withheld: bool = False                        # the caller does not want to be shown
    redirecting: str | None = None                # who diverted the call here, "" withheld; None: nobody
    redirected_why: int = 0                       # reason, Q.931 4.6.7
    originated: bool = False                      # we dialled `leg`


class Numbered(LogEvent, frozen=True):
    """More digits of the called number."""

    called: str


class Connected(LogEvent, frozen=True):
    """We answered the leg that arrived."""


class Ended(LogEvent, frozen=True):
    outcome: str
    ended_by: str
    cause: int
    ended_at: float
