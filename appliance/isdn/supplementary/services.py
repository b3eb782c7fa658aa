"""The supplementary services of one span: who handles what the far end invokes, and what can be asked for.

Messages and requests go in with `now`; Facility elements to send, events and the next deadline come out.

Ref: in the services' own rooms. CLIP, CLIR, COLP and COLR need no operation; presentation.py has their rules.
"""
from collections import Counter
from collections.abc import Callable

from appliance.isdn.elements import Facility
from appliance.isdn.lapd import Side
from appliance.isdn.profile import Profile
from appliance.isdn.supplementary import charging, diversion, naming, tracing, transfer
from appliance.isdn.supplementary.events import Role
from appliance.isdn.supplementary.invocations import CallFacts, Handler, Invocations
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import ALLOWED

HANDLERS: dict[str, Handler] = {                  # by the operation's name in operations.py
    "maliciousCall": tracing.reported,
    "executeTransfer": transfer.of_held_call,
    "callDeflection": diversion.asked,
    "callRerouting": diversion.asked,
    "divertingLegInformation1": diversion.of_call_out,
    "divertingLegInformation2": diversion.of_call_in,
    "divertingLegInformation3": diversion.shown_to,
    "chargingRequest": charging.asked_for,
    "rates": charging.rates,
    "specialRate": charging.special_rate,
    "chargeSoFar": charging.so_far,
    "unitsSoFar": charging.so_far,
    "charge": charging.at_end,
    "units": charging.at_end,
    "chargeInterim": charging.interim,
    "chargeFinal": charging.final,
    "explicitTransfer": transfer.asked,
    "linkIdRequest": transfer.give_link_id,
    "transferInform": transfer.inform,
    "transferComplete": transfer.complete,
    "transferActive": transfer.active,
    "transferUpdate": transfer.complete,
    "requestSubaddress": transfer.pass_by,
    "subaddressTransfer": transfer.pass_by,
    "loopTest": transfer.loop_test,
    "pathReplacePropose": transfer.propose,
    "pathReplaceSetup": transfer.replace_path,
    "callingName": naming.named,
    "calledName": naming.named,
    "connectedName": naming.named,
    "busyName": naming.named,
}


class Services(Invocations):
    """`facts` tells of a call; None: there is none of that key. `counts` takes what is out of the ordinary,
    `name` is for the log.

    Requests that make no sense raise StateError, those that no octets can carry ValueError.
    """

    def __init__(self, profile: Profile, side: Side, facts: Callable[[str], CallFacts | None],
                 counts: Counter[str], name: str = "span") -> None:
        super().__init__(profile, side, facts, HANDLERS, counts, name)

    def deflect(self, key: str, to: Party, now: float, *, deflection: bool = False) -> None:
        """Have the far end offer an unanswered call to somebody else. DeflectionDone or DeflectionRefused
        follows. `deflection`: in the terminal's way, for networks that want it on primary rate too."""
        diversion.request(self, key, to, deflection=deflection, now=now)

    def answer_deflection(self, key: str, granted: bool) -> None:
        """To a DeflectionAsked. When it is granted the call is to be cleared then."""
        diversion.answer(self, key, granted)

    def transfer(self, key: str, other: str, now: float) -> None:
        """Have the far end join the other ends of two calls that are answered. TransferDone or
        TransferRefused follows; in private networks nothing but TransferDone does, and that once the calls
        are over."""
        transfer.request(self, key, other, now)

    def answer_transfer(self, key: str, granted: bool) -> str:
        """To a TransferAsked; its other call. When it is granted both calls are to be cleared then."""
        return transfer.answer(self, key, granted)

    def trace_malicious(self, key: str, now: float) -> None:
        """Have the network register who calls. MaliciousCallNoted or MaliciousCallRefused follows."""
        tracing.request(self, key, now)

    def naming(self, role: Role, text: str, presentation: int = ALLOWED) -> tuple[Facility, ...]:
        """For SETUP, ALERTING, CONNECT or DISCONNECT, by the role; nothing where names do not travel so."""
        return (naming.tell(self, role, text, presentation),) if self.profile.names_in_facility else ()
