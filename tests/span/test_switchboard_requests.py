"""Any requests at all, as they come from the bus: done or refused, and what is refused changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.bus import messages
from appliance.bus.client import Refused
from appliance.bus.messages import (
    REQUESTS,
    GetMedia,
    GetSpans,
    GetSpanSeconds,
    LendSpan,
    ReloadSpans,
    Request,
    RtpSettings,
    TakeSpanBack,
)
from appliance.span import switchboard_requests
from appliance.span.rtp import CloseLeg, OpenLeg, Ports, Sockets
from appliance.span.switchboard_requests import Moment, answer
from tests.span.board import PLACES, Box, nothing_is_left

LEG = st.sampled_from([*"abcdef", "g" * 65, ""])
ID = st.sampled_from(["1" * 32, "2" * 32, "3" * 32, "4"])
GAIN_DB = st.sampled_from([0.0, -6.0, 30.0, float("inf")])
PLACE = st.sampled_from([*PLACES.values(), ("isdn", 1), ("telco", 16)])
SETTINGS = st.builds(
    RtpSettings, event_payload=st.sampled_from([None, 101, 5]), codec=st.sampled_from(["pcma", "pcmu"]))
ON = {"leg": LEG, "on": st.booleans()}
SHAPES: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "UnbindLeg": {"leg": LEG}, "CloseRtp": {"leg": LEG}, "StopPlay": {"leg": LEG}, "Unbridge": {"leg": LEG},
    "OpenRtp": {"leg": LEG, "settings": SETTINGS}, "ChangeRtp": {"leg": LEG, "settings": SETTINGS},
    "Play": {"leg": LEG, "play": LEG, "repeat": st.booleans(), "fragments": st.sampled_from(
        [["prompt:t"], ["music:ts"], ["music:qr"], ["gone"], []])},
    "Bridge": {"leg_a": LEG, "leg_b": LEG},
    "JoinConference": {"conference": LEG, "leg": LEG, "gain_db": GAIN_DB, "speaks": st.booleans(),
                       "hears": st.booleans()},
    "LeaveConference": {"leg": LEG}, "StopSupervising": {"supervisor": LEG},
    "Supervise": {"supervisor": LEG, "agent": LEG, "mode": st.sampled_from(["listen", "whisper", "barge"])},
    "SetGain": {"leg": LEG, "received_db": GAIN_DB, "sent_db": GAIN_DB},
    "SetAgc": ON, "SetEcho": ON, "MaskDigits": ON,
    "Detect": {"leg": LEG, "kinds": st.lists(st.sampled_from(["dtmf", "r2-forward", "laughter"]))},
    "SendDigits": {"leg": LEG, "order": LEG, "digits": st.sampled_from(["12", "", "x"])},
    "StartRecording": {"recording": ID, "caller_leg": LEG, "agent_leg": LEG, "paused": st.booleans()},
    "StopRecording": {"recording": ID}, "PauseRecording": {"recording": ID},
    "ResumeRecording": {"recording": ID},
    "Listen": {"listener": ID, "who": LEG, "for_s": st.sampled_from([0.0, 1.0, 60.0]), "leg": LEG},
    "StopListening": {"listener": ID}, "GetLevels": {"leg": LEG},
}


def requests() -> st.SearchStrategy[Request[messages.Reply]]:
    shapes = [st.builds(REQUESTS[name], **shape) for name, shape in SHAPES.items()]
    binding = st.builds(lambda leg, at: messages.BindLeg(leg=leg, span=at[0], timeslot=at[1]), LEG, PLACE)
    return st.one_of(binding, *shapes)


def test_every_request_of_spand_has_its_row() -> None:
    of_the_daemon = {GetSpans, GetSpanSeconds, LendSpan, TakeSpanBack, GetMedia, ReloadSpans}
    assert set(switchboard_requests._ANSWERS) | of_the_daemon == {
        kind for kind in REQUESTS.values() if kind.owner == "spand"}
    assert {kind.__name__ for kind in switchboard_requests._ANSWERS} == {"BindLeg", *SHAPES}


@given(st.lists(requests(), min_size=20, max_size=60))
@settings(max_examples=40, deadline=None)
def test_what_is_refused_changes_nothing_and_in_the_end_nothing_is_left(
    asked: list[Request[messages.Reply]],
) -> None:
    box, sockets = Box(rtp_legs=2, rtp_ports=Ports("127.0.0.1", 43000, 43999)), dict[int, Sockets]()
    box.bind("abcd")
    try:
        for at, request in enumerate(asked):
            _step(box, sockets)
            before = _state(box)
            try:
                answer(box.board, request, Moment(at, float(at)))
            except Refused as no:
                assert str(no)
                assert box.board.take_plan() is None
                assert not box.board.take_events() and not box.board.take_orders()
                assert _state(box) == before
        for leg in "abcdef":
            box.board.unbind(leg)
        box.board.expire(1000.0)
        _step(box, sockets)
        assert nothing_is_left(box.engine.plan, box.board.ports)
        assert set(box.board.figures().values()) == {0}
        assert not box.board._legs.by_name
        assert not sockets
    finally:
        for one in sockets.values():
            one.close()


def _step(box: Box, sockets: dict[int, Sockets]) -> None:
    box.tick()
    if (plan := box.board.take_plan()) is not None:              # a sound was over
        box.engine.change(plan)
    box.board.take_events()
    for order in box.orders:
        if isinstance(order, OpenLeg):
            sockets[order.row] = order.sockets
        elif isinstance(order, CloseLeg):
            sockets.pop(order.row).close()
    box.orders.clear()


def _state(box: Box) -> tuple[object, ...]:
    return box.board.figures(), sorted(box.board._legs.by_name)
