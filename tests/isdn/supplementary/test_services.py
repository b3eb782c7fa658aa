"""The services without a line: one end against hand-made components, and two ends against each other."""
from collections import Counter
from typing import Any

import pytest

from appliance.errors import StateError
from appliance.isdn.elements import BearerCapability, CallingNumber, Facility
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.supplementary import rose
from appliance.isdn.supplementary.codec import encode
from appliance.isdn.supplementary.events import (
    Advice,
    Charged,
    DeflectionAsked,
    DeflectionDone,
    DeflectionRefused,
    Diverted,
    Diverting,
    MaliciousCallNoted,
    MaliciousCallRefused,
    Named,
    Rate,
    RatesTold,
    Reason,
    Role,
    ServiceEvent,
    TransferAsked,
    TransferDone,
    Transferred,
    TransferRefused,
)
from appliance.isdn.supplementary.invocations import (
    ANSWER_WITHIN_S,
    ANSWERED_WITHIN_S,
    CallFacts,
    Clear,
    Send,
)
from appliance.isdn.supplementary.operations import LINK_ID_NOT_ASSIGNED
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import NOT_AVAILABLE, RESTRICTED
from appliance.isdn.supplementary.rose import (
    Component,
    Error,
    General,
    Invoke,
    InvokeProblem,
    Reject,
    Result,
    ResultProblem,
    Unrecognized,
)
from appliance.isdn.supplementary.services import Services

IN, OUT = "in", "out"                             # one call each way, both answered


class End:
    """Services of one side, and what they say."""

    def __init__(self, profile: str, side: Side, **facts: CallFacts) -> None:
        self.facts: dict[str, CallFacts] = {
            IN: CallFacts(False, True, True, "5001"), OUT: CallFacts(True, True, True, "6001"), **facts}
        self.counts: Counter[str] = Counter()
        self.services = Services(PROFILES[profile], side, self.facts.get, self.counts)

    def hear(self, *elements: Facility, key: str = OUT, kind: MessageType = MessageType.FACILITY,
             now: float = 0.0) -> None:
        self.services.receive(key, Message(kind, 1, False, elements), now)

    def invoke(self, operation: str, value: Any = None, *, id_: int = 1, key: str = OUT) -> None:
        known = self.services.operation(operation)
        argument = encode(known.module, known.argument, value) if known.argument else None
        self.hear(self.services.element(Invoke(id_, known.code, argument)), key=key)

    def said(self) -> list[tuple[str, Component]]:
        return [(action.key, component) for action in self.services.take_actions()
                if isinstance(action, Send) for component in rose.read(action.element.content).components]

    def event(self) -> ServiceEvent:
        [event] = self.services.take_events()
        return event


def user(profile: str = "etsi", **facts: CallFacts) -> End:
    return End(profile, Side.USER, **facts)


def network(profile: str = "etsi", **facts: CallFacts) -> End:
    return End(profile, Side.NETWORK, **facts)


def element(*components: Component) -> Facility:
    return Facility(rose.write(*components))


def carry(end: End, other: End, names: dict[str, str] | None = None, now: float = 0.0) -> None:
    """What both say, until nobody says anything. `names`: the other end's key of a call."""
    names = names or {IN: OUT, OUT: IN}
    while True:
        actions = [(end, other, action) for action in end.services.take_actions()]
        actions += [(other, end, action) for action in other.services.take_actions()]
        if not actions:
            return
        for _, to, action in actions:
            assert isinstance(action, Send)
            to.hear(action.element, key=names[action.key], now=now)


# --- what is wrong with components (EN 300 196-1, 8.3)


@pytest.mark.parametrize(("component", "profile"), [
    ("a5 00", "etsi"), ("00 00", "etsi"), ("a1 00", "qsig"), ("a2 03 02 01 05", "etsi"),
    ("a1 06 02 01 05 02 01 63", "etsi")])
@pytest.mark.parametrize("elements", [1, 20])
def test_a_message_of_rubbish_is_answered_by_a_few_and_not_by_a_flood(
        component: str, profile: str, elements: int) -> None:
    end = user(profile)
    octets = bytes.fromhex(component)
    rubbish = Facility(b"\x91" + octets * (240 // len(octets) // elements))
    end.hear(*[rubbish] * elements)
    assert len(end.said()) == rose.MOST_COMPONENTS


@pytest.mark.parametrize("content", [
    b"\x30\x80" * 120, b"\xa1\x80" * 120, b"\xa1\x81\xf0\x02\x81\xed" + b"\x7f" * 237,
    b"\x3f" + b"\xff" * 240, b"\xa1\x84\xff\xff\xff\xff" + bytes(230),
    b"\xa1\x81\xf1\x02\x01\x01\x06\x81\xeb" + b"\xff" * 235])
def test_deep_nests_huge_numbers_and_endless_tags_are_one_rejection(content: bytes) -> None:
    end = user()
    end.hear(Facility(b"\x91" + content))
    [(_, reject)] = end.said()
    assert isinstance(reject, Reject) and reject.id is None


def test_what_is_asked_for_again_and_again_takes_no_more_room() -> None:
    end = network()
    for id_ in range(100):
        end.invoke("linkIdRequest", id_=id_, key=IN)
    assert len(end.services.links) == 1
    results = {component.value for _, component in end.said() if isinstance(component, Result)}
    assert len(results) == 1
    [link_id] = end.services.links
    for id_ in range(100):
        end.invoke("explicitTransfer", link_id, id_=id_, key=OUT)
    assert end.event() == TransferAsked(OUT, IN)
    said = [component for _, component in end.said()]
    assert said == [Reject(id_, InvokeProblem.RESOURCE_LIMITATION) for id_ in range(1, 100)]
    assert end.services.answer_transfer(OUT, True) == IN
    assert end.said() == [(OUT, Result(0))]


@pytest.mark.parametrize(("content", "answer"), [
    ("91 a1 06 02 01 05 02 01 63", Reject(5, InvokeProblem.UNRECOGNIZED_OPERATION)),
    ("91 a1 09 02 01 05 06 04 2b 0c 09 01", Reject(5, InvokeProblem.UNRECOGNIZED_OPERATION)),
    ("91 a1 06 02 01 05 02 01 03", Reject(5, InvokeProblem.UNRECOGNIZED_OPERATION)),     # MCID by a network
    ("91 a1 06 02 01 05 02 01 22", Reject(5, InvokeProblem.MISTYPED_ARGUMENT)),          # AOC-D without one
    ("91 a1 09 02 01 05 02 01 22 04 01 00", Reject(5, InvokeProblem.MISTYPED_ARGUMENT)),
    ("91 a2 03 02 01 05", Reject(5, ResultProblem.UNRECOGNIZED_INVOCATION)),
    ("91 a3 06 02 01 05 02 01 00", Reject(5, rose.ErrorProblem.UNRECOGNIZED_INVOCATION)),
    ("91 a5 03 02 01 05", Reject(None, General.UNRECOGNIZED_COMPONENT)),
    ("91 a1 03 01 01 ff", Reject(None, General.MISTYPED_COMPONENT)),
    ("91 a1 20 02 01 05", Reject(None, General.BADLY_STRUCTURED)),
    ("91 a4 06 02 01 05 80 01 00", None),         # a rejection of nothing of ours
    ("91 a4 03 02 01 05", None),                  # nor is one that cannot be read answered
    ("91", None),
    ("92 a1 06 02 01 05 02 01 22", None),         # of another protocol
    ("9f aa 02 80 01", None),
])
def test_what_is_wrong_is_answered_once(content: str, answer: Reject | None) -> None:
    end = user()
    end.hear(Facility(bytes.fromhex(content)))
    assert end.said() == ([] if answer is None else [(OUT, answer)])
    assert end.services.take_events() == []


def test_what_follows_a_component_that_cannot_be_read_is_read() -> None:
    end = user()
    end.hear(Facility(bytes.fromhex("91 a1 03 01 01 ff a1 08 02 01 02 02 01 22 81 00")))
    assert end.event() == Charged(OUT, Advice.DURING, free=True)
    assert end.said() == [(OUT, Reject(None, General.MISTYPED_COMPONENT))]


@pytest.mark.parametrize(("wanted", "actions"), [
    (Unrecognized.DISCARD, []), (Unrecognized.CLEAR_CALL, [Clear(OUT, 29)])])
def test_another_exchange_says_what_to_do_with_what_is_unknown(wanted: Unrecognized,
                                                               actions: list[Clear]) -> None:
    end = user("qsig")
    end.hear(Facility(rose.write(Invoke(1, 99), networking=True, unrecognized=wanted)))
    assert end.services.take_actions() == actions


def test_the_same_invocation_twice() -> None:
    end = network(out=CallFacts(True, True, False))
    end.invoke("callDeflection", {"deflectionAddress": {"partyNumber": ("unknown", "6002")}})
    end.invoke("callDeflection", {"deflectionAddress": {"partyNumber": ("unknown", "6002")}})
    assert end.said() == [(OUT, Reject(1, InvokeProblem.DUPLICATE_INVOCATION))]


# --- answers that do not come, or are none


def test_no_answer() -> None:
    end = user()
    end.services.trace_malicious(IN, 0.0)
    end.services.expire(ANSWERED_WITHIN_S - 0.1)
    assert end.services.take_events() == []
    assert end.services.next_deadline() == ANSWERED_WITHIN_S
    end.services.expire(ANSWERED_WITHIN_S)
    assert end.event() == MaliciousCallRefused(IN, "no answer")
    assert end.services.next_deadline() is None


@pytest.mark.parametrize(("answer", "why"), [
    (Error(1, 0), "not subscribed"), (Error(1, 4711), "error 4711"),
    (Reject(1, InvokeProblem.UNRECOGNIZED_OPERATION), "unrecognized operation"),
    (Reject(1, 77), "problem 77")])
def test_why_it_is_refused(answer: Component, why: str) -> None:
    end = user()
    end.services.trace_malicious(IN, 0.0)
    end.hear(element(answer), key=IN)
    assert end.event() == MaliciousCallRefused(IN, why)


def test_a_result_without_operation_will_do() -> None:
    end = user()
    end.services.trace_malicious(IN, 0.0)
    end.hear(element(Result(1, 3, b"\x05\x00")), key=IN)
    assert end.event() == MaliciousCallNoted(IN)


def test_a_result_that_cannot_be_read() -> None:
    end = user()
    end.services.transfer(IN, OUT, 0.0)
    end.said()
    end.hear(element(Result(1, "0.4.0.369.1.4", b"\x01\x01\xff")), key=OUT)
    assert end.event() == TransferRefused(IN, OUT, "a result that cannot be read")
    assert end.said() == [(OUT, Reject(1, ResultProblem.MISTYPED_RESULT))]


def test_the_call_ends_first() -> None:
    end = user()
    end.facts[IN] = CallFacts(False, True, False, "5001")
    end.services.deflect(IN, Party("6002"), 0.0)
    end.services.ended(IN)
    assert end.event() == DeflectionRefused(IN, "the call ended")
    assert end.services.next_deadline() is None


def test_an_application_that_says_nothing_has_refused() -> None:
    end = network(out=CallFacts(True, True, False))
    end.invoke("callDeflection", {"deflectionAddress": {"partyNumber": ("unknown", "6002")}})
    assert end.event() == DeflectionAsked(OUT, Party("6002", 0, 0), Reason.DEFLECTED)
    end.services.expire(ANSWER_WITHIN_S)
    assert end.said() == [(OUT, Error(1, 3))]
    with pytest.raises(StateError, match="waits for no answer"):
        end.services.answer_deflection(OUT, True)


# --- charges and rates


MONEY = {"currency": "CNY", "amount": {"amount": 42, "multiplier": "oneTenth"}}


@pytest.mark.parametrize(("profile", "operation", "value", "told"), [
    ("etsi", "chargeSoFar", ("specific", {"recordedCurrency": MONEY, "typeOfChargingInfo": "total",
                                          "billingId": "reverseCharging"}),
     Charged(OUT, Advice.DURING, amount_thousandths=4200, currency="CNY", billing="reverseCharging")),
    ("etsi", "charge", ("chargeNotAvailable", None), Charged(OUT, Advice.END)),
    ("etsi", "charge", ("info", {"charge": ("freeOfCharge", None)}), Charged(OUT, Advice.END, free=True)),
    ("etsi", "units", ("info", {
        "charge": ("specific", {"recordedUnitsList": [
            {"number": ("units", 3)}, {"number": ("notAvailable", None)},
            {"number": ("units", 4), "type": 2}]}),
        "association": ("number", ("unknown", "4711"))}),
     Charged(OUT, Advice.END, units=7, charged_to="4711")),
    ("etsi", "rates", ("currencyInfoList", [
        {"chargedItem": "callSetup", "rate": ("flatRate", MONEY)},
        {"chargedItem": "basicCommunication", "rate": ("duration", {
            **MONEY, "chargingType": "stepFunction", "time": {"length": 1, "scale": "oneMinute"},
            "granularity": {"length": 6, "scale": "oneSecond"}})},
        {"chargedItem": "userToUserInfo", "rate": ("volumeRate", {**MONEY, "volumeUnit": "message"})},
        {"chargedItem": "callAttempt", "rate": ("freeOfCharge", None)}]),
     RatesTold(OUT, (Rate("callSetup", "flatRate", 4200, "CNY"),
                     Rate("basicCommunication", "duration", 4200, "CNY", per_s=60.0, step_s=6.0),
                     Rate("userToUserInfo", "volumeRate", 4200, "CNY", per="message"),
                     Rate("callAttempt", "freeOfCharge")))),
    ("etsi", "specialRate", ("specialArrInfo", 4),
     RatesTold(OUT, (Rate("basicCommunication", "specialChargingCode", code=4),))),
    ("etsi", "specialRate", ("chargeNotAvailable", None), RatesTold(OUT, ())),
    ("qsig", "chargeInterim", {"charge": ("specific", {"recordedCurrency": MONEY})},
     Charged(OUT, Advice.DURING, amount_thousandths=4200, currency="CNY")),
    ("ecma", "chargeFinal", {"charge": ("freeOfCharge", None), "association": ("identifier", -5)},
     Charged(OUT, Advice.END, free=True, charged_to="-5")),
    ("qsig", "rates", {"rate": ("chargeNotAvailable", None)}, RatesTold(OUT, ())),
])
def test_charges(profile: str, operation: str, value: Any, told: ServiceEvent) -> None:
    end = user(profile)
    end.invoke(operation, value)
    assert end.event() == told


def test_who_asks_for_advice_of_charge_gets_none() -> None:
    end, far, why = user(), network(), list[str]()
    far.hear(end.services.expect(OUT, "chargingRequest", "chargingAtTheEndOfACall", print, why.append, 0.0),
             key=IN)
    carry(end, far)
    assert why == ["no charging information"]


# --- who is where


ADDRESS = {"partyNumber": ("public", {"typeOfNumber": "national", "numberDigits": "57188880000"})}


@pytest.mark.parametrize(("profile", "operation", "value", "told"), [
    ("etsi", "divertingLegInformation1", {
        "diversionReason": "cfb", "subscriptionOption": "notificationWithDivertedToNr",
        "divertedToNumber": ("allowed", ADDRESS["partyNumber"])},
     Diverting(OUT, Reason.BUSY, Party("57188880000", 2, 1))),
    ("qsig", "divertingLegInformation1", {
        "diversionReason": "cfu", "subscriptionOption": "noNotification", "nominatedNr": ("unknown", "6002")},
     Diverting(OUT, Reason.ALWAYS, Party("6002", 0, 0))),
    ("qsig", "divertingLegInformation3", {
        "presentationAllowed": True, "redirectionName": ("allowedSimple", "Zoë".encode("latin-1"))},
     Diverting(OUT, Reason.UNKNOWN, name="Zoë")),
    ("qsig", "divertingLegInformation3", {
        "presentationAllowed": True, "redirectionName": ("restrictedSimple", b"Li")},
     Diverting(OUT, Reason.UNKNOWN)),
    ("etsi", "divertingLegInformation2", {
        "diversionCounter": 2, "diversionReason": "cdAlerting", "divertingNr": ("restrictedNull", None),
        "originalCalledNr": ("notAvailable", None)},
     Diverted(OUT, Reason.DEFLECTED, 2, Party("", presentation=RESTRICTED),
              Party("", presentation=NOT_AVAILABLE))),
    ("etsi", "transferInform", {"status": "alerting", "redirectionNumber": ("restricted", ("unknown", "6"))},
     Transferred(OUT, False, Party("6", 0, 0, RESTRICTED))),
    ("qsig", "transferComplete", {
        "endDesignation": "primaryEnd", "redirectionName": ("allowedSimple", b"Li"),
        "redirectionNumber": ("allowed", {"partyNumber": ("unknown", "6"),
                                          "screeningIndicator": "networkProvided"})},
     Transferred(OUT, True, Party("6", 0, 0, screening=3), "Li")),
    ("qsig", "transferActive", {
        "connectedAddress": ("notAvailable", None), "connectedName": ("restrictedSimple", b"Li")},
     Transferred(OUT, True, Party("", presentation=NOT_AVAILABLE))),
    ("qsig", "busyName", ("sequence", {"name": ("restrictedExtended", {
        "nameData": "李".encode(), "characterSet": 9})}), Named(OUT, Role.BUSY, "李", RESTRICTED)),
    ("qsig", "calledName", ("name", ("notAvailable", None)), Named(OUT, Role.CALLED, "", NOT_AVAILABLE)),
])
def test_who_is_there(profile: str, operation: str, value: Any, told: ServiceEvent) -> None:
    end = user(profile)
    end.invoke(operation, value)
    assert end.event() == told
    assert end.said() == []


@pytest.mark.parametrize("text", ["Wang", "Jörg Müller", "王小明", "王" * 40, "x" * 80])
@pytest.mark.parametrize("profile", ["qsig", "ecma"])
def test_a_name_arrives_as_far_as_it_fits(profile: str, text: str) -> None:
    end, far = user(profile), network(profile)
    far.hear(*end.services.naming(Role.CONNECTED, text), key=IN)
    event = far.event()
    assert isinstance(event, Named) and event.name and text.startswith(event.name)
    assert len(event.name) == min(len(text), 16 if "王" in text else 50)


def test_public_networks_get_no_names() -> None:
    assert user().services.naming(Role.CONNECTED, "Wang") == ()


def test_a_manufacturers_extension_is_passed_over() -> None:
    end = user("qsig")
    argument = bytes.fromhex("30 0f 80 04 57 61 6e 67 a5 07 06 02 2b 0c 02 01 01")
    end.hear(Facility(rose.write(Invoke(1, 0, argument), networking=True)))
    assert end.event() == Named(OUT, Role.CALLING, "Wang")


# --- deflection and transfer between two of us


@pytest.mark.parametrize("profile", ["etsi", "qsig", "ecma"])
@pytest.mark.parametrize("granted", [True, False])
def test_a_call_is_deflected(profile: str, granted: bool) -> None:
    end, far = user(profile), network(profile)
    end.facts[IN] = CallFacts(False, True, False, "5001")
    far.facts[OUT] = CallFacts(True, True, False, "5001")
    end.services.receive(IN, Message(MessageType.SETUP, 1, False, (
        BearerCapability(), CallingNumber("138", presentation=1))), 0.0)
    end.services.deflect(IN, Party("57188880000", 2, 1), 0.0)
    carry(end, far)
    reason = Reason.NO_REPLY if PROFILES[profile].symmetric else Reason.DEFLECTED
    assert far.event() == DeflectionAsked(OUT, Party("57188880000", 2, 1), reason)
    far.services.answer_deflection(OUT, granted)
    carry(end, far)
    assert end.event() == (DeflectionDone(IN) if granted else DeflectionRefused(IN, "not available"))


def test_deflection_as_a_terminal_asks_for_it() -> None:
    end, far = user(), network()
    end.facts[IN] = CallFacts(False, False, False)
    far.facts[OUT] = CallFacts(True, False, False)
    end.services.deflect(IN, Party("6002"), 0.0, deflection=True)
    carry(end, far)
    assert far.event() == DeflectionAsked(OUT, Party("6002"), Reason.DEFLECTED)


def test_what_cannot_be_deflected() -> None:
    end = user()
    for key in (OUT, IN, "nobody"):               # ours, answered, not there
        with pytest.raises(StateError):
            end.services.deflect(key, Party("6002"), 0.0)
    end.facts[IN] = CallFacts(False, False, False)
    with pytest.raises(ValueError, match="not a number"):
        end.services.deflect(IN, Party("*21#"), 0.0)
    end.invoke("divertingLegInformation2", {"diversionCounter": 5, "diversionReason": "cfu"}, key=IN)
    with pytest.raises(StateError, match="diverted 5 times"):
        end.services.deflect(IN, Party("6002"), 0.0)
    with pytest.raises(StateError, match="cannot be deflected"):
        user("china").services.deflect(IN, Party("6002"), 0.0)


@pytest.mark.parametrize("granted", [True, False])
def test_two_calls_are_transferred(granted: bool) -> None:
    end, far = user(), network()
    end.services.transfer(IN, OUT, 0.0)
    carry(end, far)
    assert far.event() == TransferAsked(OUT, IN)
    far.services.answer_transfer(OUT, granted)
    carry(end, far)
    assert end.event() == (TransferDone(IN, OUT) if granted else TransferRefused(IN, OUT, "not available"))


def test_a_transfer_that_the_far_end_cannot_mean() -> None:
    end = network()
    end.invoke("explicitTransfer", 5)
    assert end.said() == [(OUT, Error(1, LINK_ID_NOT_ASSIGNED))]
    end.invoke("linkIdRequest", key=IN)
    [(_, given)] = end.said()
    assert isinstance(given, Result) and given.value == b"\x02\x01\x01"
    end.facts[IN] = CallFacts(False, True, False)
    end.invoke("explicitTransfer", 1)
    assert end.said() == [(OUT, Error(1, 7))]
    end.services.ended(IN)
    end.invoke("explicitTransfer", 1)
    assert end.said() == [(OUT, Error(1, LINK_ID_NOT_ASSIGNED))]
    end.invoke("executeTransfer")
    assert end.said() == [(OUT, Error(1, 7))]


def test_what_cannot_be_transferred() -> None:
    end = user(ringing=CallFacts(False, True, False))
    for key, other in ((IN, "ringing"), (IN, IN), ("nobody", OUT)):
        with pytest.raises(StateError):
            end.services.transfer(key, other, 0.0)
    with pytest.raises(StateError, match="cannot be transferred"):
        user("china").services.transfer(IN, OUT, 0.0)
    joined = user("qsig")
    joined.services.transfer(IN, OUT, 0.0)
    with pytest.raises(StateError, match="already"):
        joined.services.transfer(IN, OUT, 0.0)


def test_path_replacement_goes_through_us_and_frees_both_channels() -> None:
    end = user("qsig")
    end.services.transfer(IN, OUT, 0.0)
    told = dict(end.said())
    assert set(told) == {IN, OUT}
    propose = Facility(rose.write(Invoke(9, 4, encode("Qsig-Operations", "PRProposeArg", {
        "callIdentity": "17", "reroutingNumber": ("unknown", "6001")})), networking=True))
    end.hear(propose, key=IN)
    refusal = Facility(rose.write(Error(9, 1000), networking=True))
    end.hear(refusal, key=OUT)
    assert end.services.take_actions() == [Send(OUT, propose), Send(IN, refusal)]
    end.services.ended(IN)
    assert end.event() == TransferDone(IN, OUT)
    end.services.ended(OUT)
    assert end.services.take_events() == []
    end.hear(propose, key=OUT)                    # of a call that ends here now
    assert end.said() == [(OUT, Error(9, 1000))]


def test_a_new_path_that_we_never_proposed() -> None:
    end = user("qsig")
    end.invoke("pathReplaceSetup", {"callIdentity": "1"})
    assert end.said() == [(OUT, Error(1, 1005))]


def test_the_network_looks_for_a_ring() -> None:
    end = user()
    end.invoke("loopTest", 3)
    assert end.said() == [(OUT, Result(1, "0.4.0.369.1.6", b"\x0a\x01\x00"))]
    end.invoke("requestSubaddress")
    assert end.said() == []
