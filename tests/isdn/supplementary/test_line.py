"""The services in two spans' signalling over a line: what goes before what, and which calls end."""
from typing import TypeVar

from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    ChannelId,
    Facility,
    SendingComplete,
)
from appliance.isdn.events import Answered, By, Event, Incoming, Released
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from appliance.isdn.supplementary import rose
from appliance.isdn.supplementary.codec import encode
from appliance.isdn.supplementary.events import Advice, Charged, Named, Role, TransferDone, Transferred
from appliance.isdn.supplementary.rose import Invoke, Unrecognized
from tests.isdn.line import CALLED, Bench, Line

E = TypeVar("E", bound=Event)
USER, NETWORK = "u", "n"


def line_of(profile: str) -> Line:
    options = {"profile": PROFILES[profile], "cold": False}
    return Line(user=options, network=options)


def call(line: Line, side: Signalling, key: str) -> str:
    """An answered call; the other side's key of it."""
    other = line.network if side is line.user else line.user
    side.setup(key, CALLED, line.now)
    line.run(0.1)
    [incoming] = of(line, other, Incoming)
    other.alert(incoming.key, line.now)
    other.answer(incoming.key, line.now)
    line.run(0.1)
    assert Answered(key) in line.take(side)
    line.take(other)
    return incoming.key


def of(line: Line, side: Signalling, kind: type[E]) -> list[E]:
    return [event for event in line.take(side) if isinstance(event, kind)]


def test_the_charge_comes_before_the_end_of_the_call() -> None:
    line = line_of("etsi")
    key = call(line, line.user, "out")
    final = line.network.services.inform("units", ("info", {"charge": ("freeOfCharge", None)}))
    line.network.hang_up(key, 16, line.now, elements=(final,))
    line.run(1.0)
    assert line.take(line.user) == [Charged("out", Advice.END, free=True), Released("out", 16, By.FAR)]


def test_a_new_path_goes_through_us_and_both_channels_are_free() -> None:
    line = line_of("qsig")
    far_a = call(line, line.user, "a")
    far_b = call(line, line.user, "b")
    line.user.transfer("a", "b", line.now)
    line.run(0.1)
    assert {event.key for event in of(line, line.network, Transferred)} == {far_a, far_b}
    propose = Facility(rose.write(Invoke(9, 4, encode("Qsig-Operations", "PRProposeArg", {
        "callIdentity": "17", "reroutingNumber": ("unknown", CALLED)})), networking=True))
    line.network.tell(far_a, MessageType.FACILITY, (propose,), line.now)
    line.run(0.1)
    # it came out at the other end, whose refusal came back to this one, which had asked by the test's hand
    assert line.network.services.counts["components_rejected"] == 1
    assert line.user.services.counts["components_rejected"] == 0
    line.network.hang_up(far_a, 16, line.now)
    line.network.hang_up(far_b, 16, line.now)
    line.run(1.0)
    told = [event for event in line.take(line.user) if isinstance(event, (TransferDone, Released))]
    assert told[0] == TransferDone("a", "b")
    assert {event.key for event in told[1:]} == {"a", "b"}
    assert line.busy() == ([], [])


def test_another_exchange_has_the_call_cleared_where_its_operation_is_unknown() -> None:
    line = line_of("qsig")
    key = call(line, line.user, "out")
    vital = Facility(rose.write(Invoke(1, 99), networking=True, unrecognized=Unrecognized.CLEAR_CALL))
    line.network.tell(key, MessageType.FACILITY, (vital,), line.now)
    line.run(1.0)
    assert of(line, line.network, Released) == [Released(key, 29, By.FAR)]
    assert of(line, line.user, Released) == [Released("out", 29, By.NEAR)]


def test_no_answer_is_waited_for_no_longer_than_it_may_take() -> None:
    line = line_of("etsi")
    line.user.services.change(PROFILES["etsi"])
    key = call(line, line.network, "in")
    line.user.trace_malicious(key, line.now)
    line.deaf = True
    line.user.take_frames()
    line.run(9.0)
    assert line.user.services.counts["services_unanswered"] == 0
    line.run(2.0)
    assert line.user.services.counts["services_unanswered"] == 1


def test_a_changed_profile_speaks_its_own_services() -> None:
    line = line_of("etsi")
    for side in (line.user, line.network):
        side.change(profile=PROFILES["qsig"])
    line.user.setup("out", CALLED, line.now, name="王小明")
    line.run(0.1)
    assert [incoming.name for incoming in of(line, line.network, Incoming)] == ["王小明"]


def test_a_setup_that_comes_twice_is_read_once() -> None:
    bench = Bench(Side.NETWORK, profile=PROFILES["qsig"], cold=False)
    names = [bench.ours.services.naming(Role.CALLING, name) for name in ("Wang", "Zhou")]
    for name in names:
        bench.send(MessageType.SETUP, BearerCapability(), ChannelId(1), CalledNumber(CALLED),
                   SendingComplete(), *name, call_ref=1, to_originator=False)
    told = [event.name for event in bench.ours.take_events() if isinstance(event, (Incoming, Named))]
    assert told == ["Wang"]


def test_what_is_asked_of_a_call_that_is_over_leaves_nothing_behind() -> None:
    bench = Bench(Side.NETWORK, cold=False)
    bench.offer()
    [incoming] = bench.events(Incoming)
    services = bench.ours.services
    ask = services.element(Invoke(1, services.operation("linkIdRequest").code))
    bench.ours.line_up(False, bench.now)
    bench.ours.hang_up(incoming.key, 16, bench.now)            # over; RELEASE waits for the link
    bench.ours.line_up(True, bench.now)
    bench.reset_link()
    bench.send(MessageType.FACILITY, ask, call_ref=1, to_originator=False)
    assert services.links == {}
