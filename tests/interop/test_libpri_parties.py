"""Numbers, names, texts: what a call carries of its parties and between them."""
import pytest

from appliance.isdn.elements import (
    CalledSubaddress,
    CallingNumber,
    CallingSubaddress,
    ConnectedNumber,
    ConnectedSubaddress,
    Display,
    KeypadFacility,
    NotificationIndicator,
    RedirectingNumber,
    UserUser,
)
from appliance.isdn.events import Alerting, Answered, Incoming, Released, Told
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import MessageType
from hil_tests.instruments.libpri import LibpriError
from tests.interop.joined import CALLER, Joined, element
from tests.interop.matrix import CHINA, ETSI, NETWORK, PRIVATE, scenario

IA5 = 4                                           # protocol discriminator of user-user information
NO_NAMES = {
    CHINA: "The national edition has no names (profile.py).",
    PRIVATE: "Names are components in Facility there: *Names of caller, called and connected party*."}


# --- numbers


@scenario("The caller's number from libpri, with type, plan and screening")
def test_clip_in(line: Joined) -> None:
    line.offer()
    incoming = line.event(Incoming)
    [number] = [part for part in incoming.elements if isinstance(part, CallingNumber)]
    from_network = line.side is Side.USER
    assert number == CallingNumber(CALLER, *((4, 1) if from_network else (0, 0)), presentation=0,
                                   screening=3 if from_network else 0)
    line.clear(incoming.key)


@scenario("The caller's number to libpri")
def test_clip_out(line: Joined) -> None:
    assert line.call(calling="057188880000").calling == "057188880000"
    sent = element(line.sent, MessageType.SETUP, CallingNumber)
    assert sent.screening == line.profile.screening[line.side]
    line.clear("out")


@scenario("libpri withholds its number (CLIR): the digits are not shown")
def test_clir_in(line: Joined) -> None:
    line.offer(withheld=True)
    incoming = line.event(Incoming)
    assert incoming.calling == ""
    [number] = [part for part in incoming.elements if isinstance(part, CallingNumber)]
    assert (number.digits, number.presentation) == (CALLER, 1)
    line.clear(incoming.key)


@scenario("We withhold our number (CLIR)")
def test_clir_out(line: Joined) -> None:
    setup = line.call(elements=(CallingNumber("100", presentation=1),))
    assert (setup.calling, setup.presentation) == ("100", 1)
    line.clear("out")


@scenario("The connected number from libpri (COLP)")
def test_colp_in(line: Joined) -> None:
    handle = line.call_out(answered=False)
    line.far.services.connected_line(handle, "6009", "")
    line.far.connect(handle, 1)
    [number] = [part for part in line.event(Answered).elements if isinstance(part, ConnectedNumber)]
    assert number == ConnectedNumber("6009", 0, 0, screening=1)
    line.clear("out")


@scenario("The connected number to libpri, shown (COLP) and withheld (COLR)")
@pytest.mark.parametrize("presentation", [0, 1])
def test_colp_out(line: Joined, presentation: int) -> None:
    key, _ = line.call_in(answered=False)
    line.ours.answer(key, line.now, elements=(
        ConnectedNumber("5009", presentation=presentation), ConnectedSubaddress(b"\x01")))
    [told] = [one for one in line.far_event("CONNECT").services if one.name == "connected line"]
    assert told.values["number"] == "5009" and told.values["presentation"] >> 5 == presentation
    line.clear(key)


@scenario("The number that a call was diverted from, both ways")
def test_redirecting(line: Joined) -> None:
    line.offer(diverted_by="6003")
    incoming = line.event(Incoming)
    [number] = [part for part in incoming.elements if isinstance(part, RedirectingNumber)]
    assert (number.digits, number.reason) == ("6003", 2)
    line.clear(incoming.key)
    setup = line.call(elements=(RedirectingNumber("5003", reason=2),))
    [told] = [one for one in setup.services if one.name == "redirecting"]
    assert (told.values["from"], told.values["reason"]) == ("5003", 2)
    line.clear("out")


@scenario("Subaddresses of caller and called, both ways")
def test_subaddresses(line: Joined) -> None:
    line.offer(subaddresses=(b"\x01\x02", b"\x03"))
    incoming = line.event(Incoming)
    assert CalledSubaddress(b"\x01\x02") in incoming.elements
    assert CallingSubaddress(b"\x03") in incoming.elements
    line.clear(incoming.key)
    setup = line.call(calling="100", elements=(CalledSubaddress(b"\x01\x02"), CallingSubaddress(b"\x03")))
    assert setup.subaddresses == (b"\x01\x02", b"\x03")
    line.clear("out")


# --- names


@scenario("The caller's name in Display, network to user", lacks=NO_NAMES)
def test_display(line: Joined) -> None:
    if line.side is Side.USER:
        line.offer(name="Wang")
        incoming = line.event(Incoming)
        assert incoming.name == "Wang"
        line.clear(incoming.key)
    else:
        assert line.call(calling="100", name="Wang").calling_name == "Wang"
        line.clear("out")


@scenario("The connected name in Display", lacks={
    **NO_NAMES, ETSI & NETWORK: "A user sends no Display (3.1.3), and libpri as user sends none."})
def test_display_of_who_answers(line: Joined) -> None:
    handle = line.call_out(answered=False)
    line.far.services.connected_line(handle, "6009", "Li")
    line.far.connect(handle, 1)
    assert Display("Li") in line.event(Answered).elements
    line.clear("out")


# --- texts between the users


@scenario("UUS1 from libpri in SETUP, ALERTING, DISCONNECT, RELEASE")
def test_user_user_in(line: Joined) -> None:
    handle = line.offer(user_user="hello")
    incoming = line.event(Incoming)
    assert UserUser(IA5, b"hello") in incoming.elements
    line.far.user_user(handle, "bye")
    line.clear_far(handle)
    assert UserUser(IA5, b"bye") in line.event(Released).elements
    setup = line.call()
    line.far.proceeding(setup.handle, 1)
    line.far.user_user(setup.handle, "it rings")
    line.far.alerting(setup.handle, 1, False)
    assert UserUser(IA5, b"it rings") in line.event(Alerting).elements
    line.far.user_user(setup.handle, "released")
    line.far.hang_up(setup.handle, 26)            # with RELEASE
    assert UserUser(IA5, b"released") in line.event(Released).elements


@scenario("UUS1 to libpri in SETUP, ALERTING, CONNECT, DISCONNECT; the longest text")
def test_user_user_out(line: Joined) -> None:
    longest = b"x" * 128
    setup = line.call(elements=(UserUser(IA5, longest),))
    assert setup.user_user == longest.decode()
    line.far.proceeding(setup.handle, 1)
    line.turn()
    line.ours.hang_up("out", 16, line.now, elements=(UserUser(IA5, b"bye"),))
    assert line.far_event("DISCONNECT").user_user == "bye"
    line.offer()
    key = line.event(Incoming).key
    line.ours.alert(key, line.now, elements=(UserUser(IA5, b"it rings"),))
    assert line.far_event("ALERTING").user_user == "it rings"
    line.ours.answer(key, line.now, elements=(UserUser(IA5, b"here I am"),))
    assert line.far_event("CONNECT").user_user == "here I am"
    line.clear(key)


@scenario("USER INFORMATION during a call: libpri does not know it, cause 97; the call goes on", lacks={
    PRIVATE: "Private networks have no USER INFORMATION (Annex D)."})
def test_user_information(line: Joined) -> None:
    key, _ = line.call_in()
    line.ours.tell(key, MessageType.USER_INFORMATION, (UserUser(IA5, b"psst"),), line.now)
    line.turn()
    assert line.said[-1] == "< STATUS 97" and line.talks(key)
    line.forgive()
    line.clear(key)


@scenario("Keypad in SETUP and during the call, both ways")
def test_keypad(line: Joined) -> None:
    handle = line.offer(keypad="*21#")
    incoming = line.event(Incoming)
    assert KeypadFacility("*21#") in incoming.elements
    line.far.keypad(handle, "12")
    assert line.event(Told).elements == (KeypadFacility("12"),)
    line.ours.tell(incoming.key, MessageType.INFORMATION, (KeypadFacility("34"),), line.now)
    assert line.far_event("KEYPAD").called == "34"
    line.clear(incoming.key)
    assert line.call(elements=(KeypadFacility("*21#"),)).keypad == "*21#"
    line.clear("out")


@scenario("NOTIFY, both ways: suspended, resumed; remote hold where libpri sends it")
def test_notify(line: Joined) -> None:
    key, handle = line.call_in()
    for indicator in (0, 1):
        line.far.notify(handle, indicator)
        told = line.event(Told)
        assert told.type is MessageType.NOTIFY and told.elements == (NotificationIndicator(indicator),)
        line.ours.notify(key, indicator, line.now)
        assert line.far_event("NOTIFY").indicator == indicator
    if line.profile.symmetric:
        with pytest.raises(LibpriError):
            line.far.notify(handle, 0x79)
    else:
        line.far.notify(handle, 0x79)
        assert line.event(Told).elements == (NotificationIndicator(0x79),)
    line.ours.notify(key, 0x79, line.now)
    assert line.far_event("NOTIFY").indicator == 0x79
    assert line.talks(key)
    line.clear(key)
