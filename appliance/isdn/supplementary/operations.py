"""The operations that this exchange speaks, and the errors it knows, as tables.

Ref: ETSI EN 300 182-1 (advice of charge), EN 300 207-1 (diversion), EN 300 369-1 (explicit call transfer),
EN 300 130-1 (malicious calls); ECMA-164 (names), ECMA-174 (diversion), ECMA-176 (path replacement),
ECMA-178 (call transfer), ECMA-212 (advice of charge); errors also ITU-T Q.950.
"""
from dataclasses import dataclass, replace

from appliance.isdn.lapd import Side
from appliance.isdn.profile import Profile
from appliance.isdn.supplementary.rose import Code

BOTH, FROM_NETWORK, FROM_USER = frozenset(Side), frozenset({Side.NETWORK}), frozenset({Side.USER})

_ECT = "0.4.0.369.1."                             # etsi (0) 369 operations-and-errors (1)
_PRIVATE = "1.3.12.9."                            # icd-ecma (12) private-isdn-signalling-domain (9)


@dataclass(frozen=True, slots=True)
class Operation:
    """Types are names of ASN.1, "" where there is none. `invoked_by`: the side that may."""

    name: str
    code: Code
    module: str
    argument: str = ""
    result: str = ""
    invoked_by: frozenset[Side] = BOTH


def _etsi(name: str, code: Code, by: frozenset[Side], argument: str = "", result: str = "") -> Operation:
    return Operation(name, code, "Etsi-Operations", argument, result, by)


def _qsig(name: str, code: Code, argument: str = "", result: str = "") -> Operation:
    return Operation(name, code, "Qsig-Operations", argument, result)


ETSI = (
    _etsi("maliciousCall", 3, FROM_USER),                                 # MCIDRequest
    _etsi("executeTransfer", 6, FROM_USER),                               # EctExecute: of a call on hold
    _etsi("callDeflection", 13, FROM_USER, "CallDeflectionArg"),
    _etsi("callRerouting", 14, FROM_USER, "CallReroutingArg"),
    _etsi("divertingLegInformation2", 15, BOTH, "DivertingLegInformation2Arg"),
    _etsi("divertingLegInformation1", 18, FROM_NETWORK, "DivertingLegInformation1Arg"),
    _etsi("divertingLegInformation3", 19, BOTH, "DivertingLegInformation3Arg"),
    _etsi("chargingRequest", 30, FROM_USER, "ChargingRequestArg", "ChargingRequestRes"),
    _etsi("rates", 31, FROM_NETWORK, "AOCSCurrencyArg"),
    _etsi("specialRate", 32, FROM_NETWORK, "AOCSSpecialArrArg"),
    _etsi("chargeSoFar", 33, FROM_NETWORK, "AOCDCurrencyArg"),
    _etsi("unitsSoFar", 34, FROM_NETWORK, "AOCDChargingUnitArg"),
    _etsi("charge", 35, FROM_NETWORK, "AOCECurrencyArg"),
    _etsi("units", 36, FROM_NETWORK, "AOCEChargingUnitArg"),
    _etsi("explicitTransfer", f"{_ECT}1", FROM_USER, "LinkId"),           # ExplicitEctExecute
    _etsi("requestSubaddress", f"{_ECT}2", FROM_NETWORK),
    _etsi("subaddressTransfer", f"{_ECT}3", BOTH, "SubaddressTransferArg"),
    _etsi("linkIdRequest", f"{_ECT}4", FROM_USER, "", "LinkId"),          # EctLinkIdRequest
    _etsi("transferInform", f"{_ECT}5", FROM_NETWORK, "EctInformArg"),
    _etsi("loopTest", f"{_ECT}6", BOTH, "EctLoopTestArg", "EctLoopTestRes"),
)
QSIG = (
    _qsig("callingName", 0, "NameArg"),
    _qsig("calledName", 1, "NameArg"),
    _qsig("connectedName", 2, "NameArg"),
    _qsig("busyName", 3, "NameArg"),
    _qsig("pathReplacePropose", 4, "PRProposeArg"),
    _qsig("pathReplaceSetup", 5, "PRSetupArg"),
    _qsig("transferActive", 11, "CTActiveArg"),
    _qsig("transferComplete", 12, "CTCompleteArg"),
    _qsig("transferUpdate", 13, "CTUpdateArg"),
    _qsig("subaddressTransfer", 14, "CTSubaddressTransferArg"),
    _qsig("callRerouting", 19, "CallReroutingArg"),
    _qsig("divertingLegInformation1", 20, "DivertingLegInformation1Arg"),
    _qsig("divertingLegInformation2", 21, "DivertingLegInformation2Arg"),
    _qsig("divertingLegInformation3", 22, "DivertingLegInformation3Arg"),
    _qsig("chargeFinal", 61, "AocFinalArg"),
    _qsig("chargeInterim", 62, "AocInterimArg"),
    _qsig("rates", 63, "AocRateArg"),
)

NOT_SUBSCRIBED, NOT_AVAILABLE, INVALID_CALL_STATE = 0, 3, 7
NO_CHARGING_INFORMATION = 26
TEMPORARILY_UNAVAILABLE, UNRECOGNIZED_CALL_IDENTITY = 1000, 1005
LINK_ID_NOT_ASSIGNED = f"{_ECT}21"
ERRORS: dict[Code, str] = {
    NOT_SUBSCRIBED: "not subscribed",
    1: "rejected by the network",
    2: "rejected by the user",
    NOT_AVAILABLE: "not available",
    5: "insufficient information",
    6: "invalid served user number",
    INVALID_CALL_STATE: "invalid call state",
    8: "basic service not provided",
    9: "not an incoming call",
    10: "not together with another service",
    11: "no resources",
    12: "invalid number to divert to",
    14: "number of a special service",
    15: "diversion to the diverting number",
    23: "incoming call accepted",
    24: "too many diversions",
    25: "call failure",
    NO_CHARGING_INFORMATION: "no charging information",
    43: "procedural error",
    46: "not activated",
    48: "request accepted already",
    TEMPORARILY_UNAVAILABLE: "temporarily unavailable",
    1004: "invalid rerouting number",
    UNRECOGNIZED_CALL_IDENTITY: "unrecognized call identity",
    1006: "establishment failure",
    1007: "not authorized",
    1008: "unspecified",
    1016: "free of charge",
    LINK_ID_NOT_ASSIGNED: "link identity not assigned by the network",
}


def operations(profile: Profile) -> tuple[Operation, ...]:
    """Those of a neighbour of that kind, with the codes that we give them."""
    if not profile.symmetric:
        return ETSI
    if not profile.global_operations:
        return QSIG
    return tuple(replace(operation, code=f"{_PRIVATE}{operation.code}") for operation in QSIG)


def by_code(profile: Profile) -> dict[Code, Operation]:
    """Every code that is understood. In private networks those of both editions are."""
    table: dict[Code, Operation] = {operation.code: operation for operation in operations(profile)}
    if profile.symmetric:
        for plain, ours in zip(QSIG, operations(profile), strict=True):
            table[plain.code] = table[f"{_PRIVATE}{plain.code}"] = ours
    return table
