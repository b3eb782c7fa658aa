"""Parties in the arguments of operations: numbers and names, from and to what ASN.1 makes of them.

Ref: ITU-T Q.932, addressing data elements; ECMA-164 (names, with their character sets).
"""
from dataclasses import dataclass
from typing import Any

from appliance.isdn.supplementary.presentation import ALLOWED, NOT_AVAILABLE, RESTRICTED

TYPES = {"unknown": 0, "international": 1, "national": 2, "networkSpecific": 3, "subscriber": 4,
         "abbreviated": 6}
SCREENINGS = {"userProvidedNotScreened": 0, "userProvidedVerifiedAndPassed": 1,
              "userProvidedVerifiedAndFailed": 2, "networkProvided": 3}
PLANS = {"unknown": 0, "public": 1, "data": 3, "telex": 4, "private": 9, "nationalStandard": 8}
TYPED = ("public", "private")
MOST_DIGITS = 20
CHARSETS = {1: "iso8859-1", 3: "iso8859-2", 4: "iso8859-3", 5: "iso8859-4", 6: "iso8859-5", 7: "iso8859-7",
            8: "utf-16-be", 9: "utf-8"}
UTF_8 = 9
MOST_NAME_OCTETS = 50


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody's number, in the terms of CallingNumber."""

    digits: str                                   # "": none was given
    type: int = 0
    plan: int = 1
    presentation: int = ALLOWED
    screening: int = 0


def number(value: Any) -> Party:
    """From a PartyNumber."""
    plan, content = value
    if plan in TYPED:
        return Party(content["numberDigits"], TYPES[content["typeOfNumber"]], PLANS[plan])
    return Party(content, 0, PLANS[plan])


def to_number(party: Party) -> tuple[str, Any]:
    """A PartyNumber. ValueError: it cannot be one."""
    if not party.digits.isdecimal() or len(party.digits) > MOST_DIGITS:
        raise ValueError(f"{party.digits!r}: not a number of 1 to {MOST_DIGITS} digits")
    plan = next((name for name, plan in PLANS.items() if plan == party.plan), "unknown")
    if plan not in TYPED:
        return plan, party.digits
    kind = next((name for name, kind in TYPES.items() if kind == party.type), "unknown")
    return plan, {"typeOfNumber": kind, "numberDigits": party.digits}


def presented(value: Any) -> Party:
    """From a presented number or address, screened or not."""
    kind, content = value
    if content is None:
        return Party("", presentation=RESTRICTED if kind == "restrictedNull" else NOT_AVAILABLE)
    screened = isinstance(content, dict)
    party = number(content["partyNumber"] if screened else content)
    return Party(party.digits, party.type, party.plan, ALLOWED if kind == "allowed" else RESTRICTED,
                 SCREENINGS[content["screeningIndicator"]] if screened else 0)


def to_presented(party: Party | None, *, screened: bool) -> tuple[str, Any]:
    """A presented number; one that is not known, or has more than digits, is not available."""
    if party is None or not party.digits.isdecimal() or len(party.digits) > MOST_DIGITS:
        restricted = party is not None and party.presentation == RESTRICTED
        return ("restrictedNull" if restricted else "notAvailable"), None
    content: Any = to_number(party)
    if screened:
        indicator = next(name for name, value in SCREENINGS.items() if value == party.screening)
        content = {"partyNumber": content, "screeningIndicator": indicator}
    return ("allowed" if party.presentation == ALLOWED else "restricted"), content


def name(value: Any) -> tuple[str, int]:
    """The text of a Name and its presentation."""
    kind, content = value
    if kind == "notAvailable":
        return "", NOT_AVAILABLE
    if content is None:
        return "", RESTRICTED
    charset = 1
    if isinstance(content, dict):
        charset, content = content.get("characterSet", 1), content["nameData"]
    text = bytes(content).decode(CHARSETS.get(charset, "iso8859-1"), "replace").strip("\0 ")
    printable = "".join(letter for letter in text if letter.isprintable())
    return printable, ALLOWED if kind.startswith("allowed") else RESTRICTED


def shown_name(value: Any) -> str:
    """The text of a Name that a person may see; None is a Name that was not given."""
    text, presentation = name(value) if value else ("", NOT_AVAILABLE)
    return text if presentation == ALLOWED else ""


def to_name(text: str, presentation: int = ALLOWED) -> tuple[str, Any]:
    """A Name, cut to what one can hold; of ISO 8859-1 where it fits in that, else of UTF-8."""
    if not text or presentation == NOT_AVAILABLE:
        return ("restrictedNull" if presentation == RESTRICTED else "notAvailable"), None
    kind = "allowed" if presentation == ALLOWED else "restricted"
    try:
        return f"{kind}Simple", text.encode("iso8859-1")[:MOST_NAME_OCTETS]
    except UnicodeEncodeError:
        octets = text.encode()[:MOST_NAME_OCTETS].decode(errors="ignore").encode()     # whole letters only
        return f"{kind}Extended", {"nameData": octets, "characterSet": UTF_8}
