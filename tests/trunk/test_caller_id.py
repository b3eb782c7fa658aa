"""What a call says of its caller on a trunk (Q.951.3, Q.951.4), and what is read of one that comes in."""
import pytest

from appliance.bus.messages import CallInfo, Diversion, UserData
from appliance.config.lines import CallerIdConfig, NumbersConfig, SpanConfig, TrunkConfig
from appliance.isdn.elements import (
    CalledNumber,
    CallingNumber,
    CallingSubaddress,
    Element,
    RedirectingNumber,
    UserUser,
)
from appliance.isdn.events import Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.trunk.caller_id import CallerId
from appliance.trunk.trunk import Trunk

ETSI = PROFILES["etsi"]
SPAN = SpanConfig(name="one", url="virtual:/one/a", side="user", trunk="telco")
OFFICE = CallerIdConfig(default="02187650800", allowed=["02187650800-02187650899"])


def number(rules: CallerIdConfig, given: str, asked: bool | None = None, side: Side = Side.USER,
           emergency: bool = False) -> CallingNumber | None:
    return CallerId(rules, None).number(given, asked, ETSI, side, emergency=emergency)


@pytest.mark.parametrize(("given", "shown"), [
    ("02187650812", "02187650812"), ("801", "02187650801"), ("02199999999", "02187650800"),
    ("", "02187650800")])
def test_only_the_lines_own_numbers_are_shown(given: str, shown: str) -> None:
    assert number(OFFICE, given) == CallingNumber(shown, 0, 1, 0, 0)


def test_without_rules_the_caller_is_shown_as_he_is() -> None:
    assert number(CallerIdConfig(), "801") == CallingNumber("801", 0, 1, 0, 0)
    assert number(CallerIdConfig(), "801", side=Side.NETWORK) == CallingNumber("801", 0, 1, 0, 3)
    assert number(CallerIdConfig(), "") is None


@pytest.mark.parametrize(("withhold", "asked", "hidden"), [
    ("never", True, False), ("asked", None, False), ("asked", True, True), ("unless-asked", None, True),
    ("unless-asked", False, False), ("always", False, True)])
def test_withholding(withhold: str, asked: bool | None, hidden: bool) -> None:
    rules = CallerIdConfig.model_validate({"withhold": withhold})
    assert number(rules, "801", asked) == CallingNumber("801", 0, 1, int(hidden), 0)
    to_pbx = number(rules, "801", asked, Side.NETWORK)           # it would show what it gets
    assert to_pbx is not None
    assert (to_pbx.digits, to_pbx.presentation) == ("" if hidden else "801", int(hidden))
    assert number(rules, "801", asked, emergency=True) == CallingNumber("801", 0, 1, 0, 0)


# --- a whole SETUP


def trunk(config: TrunkConfig) -> Trunk:
    return Trunk(config, "CN", [], {}, {})


def info(**fields: object) -> CallInfo:
    plain: dict[str, object] = {
        "leg": "a", "trunk": "telco", "span": "", "timeslot": 0, "inbound": False, "state": "offered",
        "called": "110", "calling": "801", "calling_name": "Li", "complete": True, "since": 0.0}
    return CallInfo(**{**plain, **fields})        # type: ignore[arg-type]


def test_a_call_goes_out_as_its_trunk_wants_it() -> None:
    typed = trunk(TrunkConfig(name="telco", caller_id=OFFICE, numbers=NumbersConfig(
        country="CN", area="21", send_called="typed", send_calling="typed")))
    called, name, elements = typed.setup(info(
        called="01066668888", diversion=Diversion(number="02187650801", reason=15),
        calling_subaddress="desk 7", user_data=UserData(protocol=4, data=b"order 1")), ETSI, Side.USER)
    assert (called, name) == ("1066668888", "Li")
    assert set(elements) == {
        CalledNumber("1066668888", 2, 1), CallingNumber("2187650801", 2, 1, 0, 0),
        RedirectingNumber("2187650801", 2, 1, 0, 0, 15), CallingSubaddress(b"Pdesk 7", 0),
        UserUser(4, b"order 1")}
    with pytest.raises(ValueError, match="129 octets of user data, the line carries 128"):
        typed.setup(info(user_data=UserData(protocol=4, data=bytes(129))), ETSI, Side.USER)


def test_a_caller_who_is_hidden_from_a_pbx_has_no_name_and_no_subaddress() -> None:
    _, name, elements = trunk(TrunkConfig(name="pbx")).setup(
        info(withheld=True, calling_subaddress="desk 7"), ETSI, Side.NETWORK)
    assert (name, elements) == ("", (CallingNumber("", 0, 0, 1, 3),))


def test_a_call_that_comes_in_is_shown_by_the_number_plan() -> None:
    elements: tuple[Element, ...] = (
        CalledNumber("87650801", 4), CallingNumber("4930123456", 1, 1, 0, 3),
        RedirectingNumber("87650800", 4, 1, 0, 0, 1), CallingSubaddress(b"\x50desk 7", 0), UserUser(4, b"hi"))
    event = Incoming("a", "87650801", "4930123456", "Li", 0, True, 1, elements)
    numbers = NumbersConfig(country="CN", area="21", show_called="e164")
    fields = trunk(TrunkConfig(name="telco", numbers=numbers)).incoming(event)
    assert fields == {
        "called": "+862187650801", "calling": "004930123456", "calling_name": "Li", "withheld": None,
        "screened": True, "diversion": Diversion(number="02187650800", reason=1), "called_subaddress": "",
        "calling_subaddress": "desk 7", "user_data": UserData(protocol=4, data=b"hi")}
    hidden = Incoming("a", "5001", "", "", 0, True, 1, (CallingNumber("801", 0, 1, 1, 3),))
    from_network = Trunk(TrunkConfig(name="telco"), "CN", [SPAN], {}, {}).incoming(hidden)
    assert (from_network["calling"], from_network["withheld"]) == ("", True)
    pbx = Trunk(TrunkConfig(name="pbx"), "CN", [SPAN.model_copy(update={"side": "network"})], {}, {})
    from_pbx = pbx.incoming(hidden)               # its own extension: the box knows it
    assert (from_pbx["calling"], from_pbx["withheld"]) == ("801", True)
    users = Incoming("a", "5001", "123", "", 0, True, 1, (CallingNumber("123"),))
    assert trunk(TrunkConfig(name="telco")).incoming(users)["screened"] is False


def test_who_knows_emergency_numbers() -> None:
    def knows(config: TrunkConfig, **span: str) -> bool:
        return Trunk(config, "CN", [SPAN.model_copy(update=span)], {}, {}).is_emergency("110")

    plain = TrunkConfig(name="telco")
    assert knows(plain)
    assert not knows(plain, side="network")       # an extension of the PBX
    assert not knows(plain, profile="qsig")
    assert knows(TrunkConfig(name="telco", emergency=["110"]), side="network")
    assert not knows(TrunkConfig(name="telco", numbers=NumbersConfig(country="GB")))
