"""A branch that calls back: its flow promises it, and its office is told what is live on the lines."""

from collections.abc import Iterator

from appliance.bus.messages import BookCallback, CallbackReply, LogOut
from appliance.centre.flow import CallbackNode, Flow, HangupNode, Option, QueueNode
from appliance.centre.turn import Setup
from appliance.config.callbacks import CallbackConfig
from appliance.config.schema import CentreConfig
from tests.centre.office import CENTRE, Office, setup

SOON = Flow(start="wait", nodes={
    "wait": QueueNode(kind="queue", queue="sales", digits={"2": Option(next="promise")}),
    "promise": CallbackNode(kind="callback", queue="sales", next="bye", failed="wait"),
    "bye": HangupNode(kind="hangup", cause=16)})
CUSTOMER = "13800000000"


def with_flow(centre: CentreConfig, short: Flow = SOON, closed: Flow | None = None) -> Setup:
    """5001 leads into the flow `short`, 5009 into `closed`."""
    ready = setup(centre)
    flows = {**ready.flows, "short": short, "closed": closed or ready.flows["closed"]}
    return Setup.of(centre, flows, ready.new_id)


def branch(**settings: object) -> Setup:
    """5001 goes to the queue at once; 2 in line is the wish to be called back."""
    return with_flow(CENTRE.model_copy(update={"callbacks": CallbackConfig.model_validate(settings)}))


def only(office: Office, *names: str) -> None:
    """All other agents go home."""
    for name in office.engine.state.agents:
        if name not in names:
            office.command(LogOut(agent=name))


def waits(office: Office, leg: str) -> str:
    """Somebody else is in line."""
    return office.call(leg, "5001", calling=f"139{leg.removeprefix('c'):0>8}")


def promised(office: Office, leg: str, calling: str = CUSTOMER) -> str:
    """Somebody waits, wants to be called back and hangs up; the contact that calls back."""
    office.call(leg, "5001", calling=calling)
    office.press(leg, "2")
    office.clear()
    return next(reversed(office.engine.state.callbacks.values()))


def book(office: Office, number: str = CUSTOMER, *, at: float = 0.0, agent: str = "", since: float = 0.0,
         by: str = "") -> str:
    reply = office.command(BookCallback(number=number, queue="sales", trunk="telco", at=at, agent=agent,
                                        since=since, by=by))
    assert isinstance(reply, CallbackReply)
    return reply.callback.contact


def out(office: Office) -> dict[str, str]:
    """number -> leg of the calls to customers that are not answered."""
    return {call.called: call.leg for call in office.calls.values()
            if not call.inbound and call.trunk == "telco" and call.state in ("offered", "alerting")}


def live(office: Office) -> Iterator[str]:
    """Numbers of customers that the box has dialled, for as long as that goes on."""
    for call in office.calls.values():
        if not call.inbound and call.trunk == "telco" and call.state != "clearing":
            yield call.called
