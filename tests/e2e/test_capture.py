"""The D-channel captures after calls of many kinds as tshark reads them, which is not our code."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance.bus.messages import GetTrace
from e1_driver.watch import pcap
from tests.e2e.calls import talk
from tests.e2e.conftest import Garage
from tests.e2e.rig import Rig
from tests.e2e.talk import wait_all_idle

TALK, OVERLAP, WRONG, SECRET = (f"1390000000{digit}" for digit in range(4))      # who calls
CUSTOMER, BUSY_CUSTOMER = "02187654321", "02187654322"
ZHANG, LI, COMPANY = "801", "802", "5001"
NORMAL, UNALLOCATED, USER_BUSY = "16", "1", "17"  # Q.850
RESTARTED = 7
INTERFACE, CHANNEL = "0x06", "0x00"               # Q.931 4.5.25
RESTRICTED = "0x01"                               # 4.5.10, presentation
MASKED = "?" * len(SECRET)                        # what the box keeps of a number that its owner withholds
NAMES = {                                         # Q.931 table 4-2
    "0x01": "ALERTING", "0x02": "CALL PROCEEDING", "0x05": "SETUP", "0x07": "CONNECT",
    "0x0d": "SETUP ACKNOWLEDGE", "0x0f": "CONNECT ACKNOWLEDGE", "0x45": "DISCONNECT", "0x46": "RESTART",
    "0x4d": "RELEASE", "0x4e": "RESTART ACKNOWLEDGE", "0x5a": "RELEASE COMPLETE", "0x7b": "INFORMATION"}
N, U = "network", "user"
CLEARING_BY_NETWORK = [(N, "DISCONNECT"), (U, "RELEASE"), (N, "RELEASE COMPLETE")]
CLEARING_BY_USER = [(U, "DISCONNECT"), (N, "RELEASE"), (U, "RELEASE COMPLETE")]
SPANS = {"telco1": "telco", "pbx1": "pbx"}        # and the exchange at its far end


class Message(NamedTuple):
    """One Q.931 message; what it has not is ""."""

    side: str                                     # who sent it
    name: str
    call_ref: str
    flag: str                                     # "1": to the side that made the call reference
    calling: str
    called: str
    cause: str
    timeslot: str
    restart: str
    presentation: str

    @property
    def call(self) -> tuple[str, str]:
        """Its call reference and the side that made it."""
        other = {N: U, U: N}[self.side]
        return self.call_ref, self.side if self.flag == "0" else other


class Captures(NamedTuple):
    """Of one span: what the box wrote, and what the exchange at the other end did."""

    box: Path
    exchange: Path


def tshark(path: Path, *names: str) -> list[list[str]]:
    """A row for every frame, a column for every field."""
    words = [word for name in names for word in ("-e", name)]
    said = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", *words],
                          check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.split("\t") for line in said.splitlines()]


def complaints(path: Path) -> list[list[str]]:
    rows = tshark(path, "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "frame.number")
    assert rows
    return [row for row in rows if any(row[:-1])]


def messages(path: Path) -> list[Message]:
    rows = tshark(
        path, "lapd.direction", "q931.message_type", "q931.call_ref", "q931.call_ref_flag",
        "q931.calling_party_number.digits", "q931.called_party_number.digits", "q931.cause_value",
        "q931.channel.number", "q931.restart_indicator", "q931.presentation_ind")
    return [Message(N if side == "1" else U, NAMES[kind], *rest) for side, kind, *rest in rows if kind]


def call_of(path: Path, **wanted: str) -> list[Message]:
    """All messages of the one call whose SETUP has these fields."""
    every = messages(path)
    [setup] = [one for one in every if one.name == "SETUP"
               and all(getattr(one, name) == value for name, value in wanted.items())]
    began = every.index(setup)
    return [one for one in every[began:] if one.call == setup.call]


def course(call: list[Message]) -> list[tuple[str, str]]:
    return [(one.side, one.name) for one in call]


def causes(call: list[Message]) -> list[str]:
    return [one.cause for one in call if one.name == "DISCONNECT"]


def make_calls(rig: Rig) -> None:
    """One of each kind, each over before the next begins."""
    caller, agent = talk(rig, calling=TALK)
    caller.hang_up()
    agent.wait_for("RELEASED")
    caller = rig.telco.place_call(called="5", calling=OVERLAP, complete=False)
    caller.wait_for("SETUP ACK")
    caller.send_digits("001")
    caller.answered().hang_up()
    caller.wait_for("RELEASED")
    rig.telco.place_call(called="5009", calling=WRONG).wait_for("RELEASED")
    caller = rig.telco.place_call(called=COMPANY, calling=SECRET, withheld=True)
    caller.answered().hang_up()
    caller.wait_for("RELEASED")

    agent = rig.pbx.place_call(called=f"9{CUSTOMER}", calling=ZHANG)
    customer = rig.telco.wait_for_call()
    customer.alert()
    agent.wait_for("ALERTING")
    customer.answer()
    agent.answered().hang_up()
    customer.wait_for("RELEASED")
    agent.wait_for("RELEASED")
    agent = rig.pbx.place_call(called=f"9{BUSY_CUSTOMER}", calling=LI)
    rig.telco.wait_for_call().reject(int(USER_BUSY))
    agent.wait_for("RELEASED")
    rig.telco.restart(RESTARTED)
    rig.pbx.restart_interface()
    wait_all_idle(rig)


@pytest.fixture(scope="module")
def captures(garage: Garage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Captures]:
    rig, folder = garage.rig(), tmp_path_factory.mktemp("captures")
    make_calls(rig)
    found = {}
    for span, exchange in SPANS.items():
        path = folder / f"{span}.pcap"
        path.write_bytes(rig.bus.ask(GetTrace(span=span)).pcap)
        found[span] = Captures(path, rig.folder / f"{exchange}.pcap")
    return found


@pytest.fixture
def telco(captures: dict[str, Captures]) -> Path:
    return captures["telco1"].box


@pytest.fixture
def pbx(captures: dict[str, Captures]) -> Path:
    return captures["pbx1"].box


@pytest.mark.parametrize("span", SPANS)
def test_nothing_is_malformed_and_no_expert_complains(captures: dict[str, Captures], span: str) -> None:
    assert [complaints(path) for path in captures[span]] == [[], []]


def test_a_message_cut_short_would_have_been_noticed(tmp_path: Path) -> None:
    cut = bytes.fromhex("02 01 00 00 08 02 00 01 05 04 03 80 90")    # bearer capability: an octet is missing
    (tmp_path / "cut.pcap").write_bytes(pcap.write([(1.0, True, cut)], network_side=True))
    assert complaints(tmp_path / "cut.pcap") != []


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("side", [N, U])
def test_both_ends_captured_the_same_messages(captures: dict[str, Captures], span: str, side: str) -> None:
    box, exchange = ([one for one in messages(path) if one.side == side] for path in captures[span])
    assert box == [one._replace(calling=MASKED) if one.calling == SECRET else one for one in exchange]
    assert len(box) > 10


def test_a_call_that_comes_in(telco: Path) -> None:
    call = call_of(telco, calling=TALK)
    assert course(call) == [
        (N, "SETUP"), (U, "CALL PROCEEDING"), (U, "CONNECT"), (N, "CONNECT ACKNOWLEDGE"),
        *CLEARING_BY_NETWORK]
    assert call[0].called == COMPANY
    assert call[0].timeslot == call[1].timeslot == "31"
    assert causes(call) == [NORMAL]


def test_the_agents_telephone_is_rung_with_the_callers_number(pbx: Path) -> None:
    call = call_of(pbx, calling=TALK)
    assert course(call) == [
        (N, "SETUP"), (U, "CALL PROCEEDING"), (U, "ALERTING"), (U, "CONNECT"), (N, "CONNECT ACKNOWLEDGE"),
        *CLEARING_BY_NETWORK]
    assert call[0].called in (ZHANG, LI)
    assert causes(call) == [NORMAL]


def test_a_number_digit_by_digit(telco: Path) -> None:
    call = call_of(telco, calling=OVERLAP)
    assert course(call) == [
        (N, "SETUP"), (U, "SETUP ACKNOWLEDGE"), *[(N, "INFORMATION")] * 3, (U, "CALL PROCEEDING"),
        (U, "CONNECT"), (N, "CONNECT ACKNOWLEDGE"), *CLEARING_BY_NETWORK]
    assert [one.called for one in call[:5]] == ["5", "", "0", "0", "1"]


def test_a_number_that_nobody_has(telco: Path) -> None:
    call = call_of(telco, calling=WRONG)
    assert course(call) == [(N, "SETUP"), (U, "CALL PROCEEDING"), *CLEARING_BY_USER]
    assert causes(call) == [UNALLOCATED]


def test_a_withheld_number_is_marked_so_and_not_kept(telco: Path) -> None:
    [setup, *_] = call_of(telco, calling=MASKED)
    assert setup.presentation == RESTRICTED
    assert SECRET.encode() not in telco.read_bytes()


def test_a_call_that_goes_out(telco: Path, pbx: Path) -> None:
    outside = call_of(telco, called=CUSTOMER)
    assert course(outside) == [
        (U, "SETUP"), (N, "CALL PROCEEDING"), (N, "ALERTING"), (N, "CONNECT"), (U, "CONNECT ACKNOWLEDGE"),
        *CLEARING_BY_USER]
    assert (outside[0].calling, outside[0].timeslot) == (COMPANY, "1")
    inside = call_of(pbx, called=f"9{CUSTOMER}")
    assert course(inside) == [
        (U, "SETUP"), (N, "CALL PROCEEDING"), (N, "ALERTING"), (N, "CONNECT"), (U, "CONNECT ACKNOWLEDGE"),
        *CLEARING_BY_USER]
    assert inside[0].calling == ZHANG
    assert causes(outside) == causes(inside) == [NORMAL]


def test_busy_outside_is_busy_inside(telco: Path, pbx: Path) -> None:
    outside, inside = call_of(telco, called=BUSY_CUSTOMER), call_of(pbx, called=f"9{BUSY_CUSTOMER}")
    refused = [(U, "SETUP"), (N, "CALL PROCEEDING"), *CLEARING_BY_NETWORK]
    assert [course(outside), course(inside)] == [refused, refused]
    assert causes(outside) == causes(inside) == [USER_BUSY]


def test_restarts(telco: Path, pbx: Path) -> None:
    def restarts(path: Path) -> list[tuple[str, str, str, str]]:
        return [(one.side, one.name, one.restart, one.timeslot)
                for one in messages(path) if "RESTART" in one.name]
    channel = str(RESTARTED)
    assert restarts(telco)[-2:] == [
        (N, "RESTART", CHANNEL, channel), (U, "RESTART ACKNOWLEDGE", CHANNEL, channel)]
    assert restarts(pbx)[-2:] == [(U, "RESTART", INTERFACE, ""), (N, "RESTART ACKNOWLEDGE", INTERFACE, "")]
    assert restarts(telco)[0] == (U, "RESTART", INTERFACE, "")       # the box begins with a clean interface
    assert restarts(pbx)[0] == (N, "RESTART", INTERFACE, "")
