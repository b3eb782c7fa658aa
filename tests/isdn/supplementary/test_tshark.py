"""tshark reads what we send for the services, and what it says is what we mean."""
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from appliance.isdn.elements import BearerCapability, CallingNumber, Cause, Facility
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType, encode
from appliance.isdn.supplementary import rose
from appliance.isdn.supplementary.events import Role
from appliance.isdn.supplementary.invocations import CallFacts, Send
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.rose import Error, Invoke, InvokeProblem, Reject, Result, Unrecognized
from appliance.isdn.supplementary.services import Services
from e1_driver.watch import pcap

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def services(profile: str, side: Side = Side.USER) -> Services:
    answered, offered = CallFacts(True, True, True, "6001"), CallFacts(False, True, False, "5001")
    facts = {"a": answered, "b": answered, "in": offered}
    return Services(PROFILES[profile], side, facts.get, Counter())


def sent(of: Services) -> list[Facility]:
    return [action.element for action in of.take_actions() if isinstance(action, Send)]


def everything(profile: str) -> list[Facility]:
    """Each thing that we can say to a neighbour of that kind."""
    of = services(profile)
    of.receive("in", Message(MessageType.SETUP, 1, False, (
        BearerCapability(), CallingNumber("13800138000", 2, 1, 1, 3))), 0.0)
    of.deflect("in", Party("57188880000", 2, 1), 0.0)
    of.transfer("a", "b", 0.0)
    said = [*of.naming(Role.CALLING, "Jörg"), *of.naming(Role.CONNECTED, "王小明"),
            *of.naming(Role.BUSY, "Li", 1), *of.naming(Role.CALLED, "")]
    if profile == "etsi":
        of.trace_malicious("in", 0.0)
        of.deflect("in", Party("6002"), 0.0, deflection=True)
        said.append(of.element(of.component("chargingRequest", "chargingDuringACall")[1]))
        said.append(of.element(of.component("explicitTransfer", 300)[1]))
        said.append(of.element(Result(3, "0.4.0.369.1.4", b"\x02\x01\x07")))
    plain = (Result(4), Error(5, 3), Error(6, 1000), Reject(7, InvokeProblem.UNRECOGNIZED_OPERATION),
             Reject(None, rose.General.BADLY_STRUCTURED))
    return [*said, *sent(of), *(of.element(component) for component in plain),
            of.element(Invoke(8, 0, b"\x84\x00"), unrecognized=Unrecognized.CLEAR_CALL)]


def dissected(folder: Path, elements: list[Facility], *arguments: str) -> str:
    frames = [(1_700_000_000.0 + at, True, bytes((0x00, 0x01, 2 * at & 0xFE, 0)) + encode(
        Message(MessageType.RELEASE_COMPLETE, at + 1, False, (Cause(16), element))))
        for at, element in enumerate(elements)]
    path = folder / "facility.pcap"
    path.write_bytes(pcap.write(frames, network_side=False))
    return subprocess.run(["tshark", "-n", "-r", str(path), "-V", *arguments], check=True,
                          capture_output=True, text=True, timeout=60).stdout


AS_ETSI = ("-o", "q932.facility_encoding:Dissect facility as ETSI")       # without: as private networks'


@pytest.mark.parametrize("profile", ["etsi", "qsig", "ecma"])
def test_nothing_is_malformed(profile: str, tmp_path: Path) -> None:
    elements = everything(profile)
    text = dissected(tmp_path, elements, *(() if PROFILES[profile].symmetric else AS_ETSI))
    for complaint in ("Malformed", "BER Error", "Expert Info (Error", "Unknown"):
        assert complaint not in text, text[max(0, text.index(complaint) - 2000):][:3000]
    assert text.count(" ROS: ") == len(elements)


def test_what_tshark_reads_of_public_networks(tmp_path: Path) -> None:
    text = dissected(tmp_path, everything("etsi"), *AS_ETSI)
    for said in ("INV: mCIDRequest", "INV: callRerouteing", "INV: callDeflection", "INV: chargingRequest",
                 "INV: 0.4.0.369.1.4", "INV: 0.4.0.369.1.1", "ERR: notAvailable",
                 "REJ: unrecognizedOperation", "REJ: badlyStructuredComponent"):
        assert said in text, said


def test_what_tshark_reads_of_private_networks(tmp_path: Path) -> None:
    text = dissected(tmp_path, everything("qsig"))
    for said in ("callingName", "connectedName", "busyName", "callTransferComplete", "callRerouteing",
                 "destinationEntity: endPINX (0)", "endDesignation: primaryEnd (0)",
                 "nationalNumber (2)", "publicNumberDigits: 57188880000", "rerouteingReason: cfnr (3)",
                 "InterpretationComponent: discardAnyUnrecognisedInvokePdu (0)",
                 "InterpretationComponent: clearCallIfAnyInvokePduNotRecognised (1)"):
        assert said in text, said
