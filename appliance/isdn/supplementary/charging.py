"""Advice of charge, as the network or another exchange gives it.

Ref: ETSI EN 300 182-1; ECMA-212.
"""
from typing import Any

from appliance.isdn.supplementary.events import Advice, Charged, Rate, RatesTold
from appliance.isdn.supplementary.invocations import Invocations, Owed
from appliance.isdn.supplementary.operations import NO_CHARGING_INFORMATION
from appliance.isdn.supplementary.parties import number

THOUSANDTHS = {"oneThousandth": 1, "oneHundredth": 10, "oneTenth": 100, "one": 1000, "ten": 10_000,
               "hundred": 100_000, "thousand": 1_000_000}
SECONDS = {"oneHundredthSecond": 0.01, "oneTenthSecond": 0.1, "oneSecond": 1.0, "tenSeconds": 10.0,
           "oneMinute": 60.0, "oneHour": 3600.0, "twentyFourHours": 86_400.0}


def so_far(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """AOC-D of EN 300 182-1, in currency or units."""
    services.tell(_charged(owed.key, Advice.DURING, value))


def at_end(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """AOC-E of EN 300 182-1, in currency or units."""
    kind, info = value
    if kind == "chargeNotAvailable":
        services.tell(Charged(owed.key, Advice.END))
    else:
        services.tell(_charged(owed.key, Advice.END, info["charge"], info.get("association")))


def interim(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """ECMA-212, without saying whether it is the total: it is."""
    services.tell(_charged(owed.key, Advice.DURING, value["charge"]))


def final(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    services.tell(_charged(owed.key, Advice.END, value["charge"], value.get("association")))


def rates(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """AOC-S of either kind."""
    kind, infos = value["rate"] if isinstance(value, dict) else value
    known = infos if kind == "currencyInfoList" else ()
    services.tell(RatesTold(owed.key, tuple(_rate(info) for info in known)))


def special_rate(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    kind, code = value
    special = Rate("basicCommunication", "specialChargingCode", code=code)
    services.tell(RatesTold(owed.key, () if kind == "chargeNotAvailable" else (special,)))


def asked_for(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """A PBX asks for advice of charge: this exchange makes none."""
    services.refuse(owed, NO_CHARGING_INFORMATION)


def _charged(key: str, when: Advice, value: Any, association: Any = None) -> Charged:
    kind, content = value
    charged_to = ""
    if association is not None:
        of, whom = association
        charged_to = number(whom).digits if of == "number" else str(whom)
    if kind != "specific":
        return Charged(key, when, free=kind == "freeOfCharge", charged_to=charged_to)
    units, amount, currency = None, None, ""
    if "recordedUnitsList" in content:
        known = [item["number"][1] for item in content["recordedUnitsList"] if item["number"][0] == "units"]
        units = sum(known) if known else None
    else:
        recorded = content["recordedCurrency"]
        amount, currency = _thousandths(recorded["amount"]), recorded["currency"]
    return Charged(key, when, units, amount, currency, total=content.get("typeOfChargingInfo") != "subTotal",
                   billing=content.get("billingId", ""), charged_to=charged_to)


def _rate(info: Any) -> Rate:
    item = info["chargedItem"]
    kind, content = info["rate"]
    match kind:
        case "duration":
            step = content.get("granularity") or content["time"]
            return Rate(item, kind, _thousandths(content["amount"]), content["currency"],
                        _seconds(content["time"]),
                        _seconds(step) if content["chargingType"] == "stepFunction" else None)
        case "flatRate":
            return Rate(item, kind, _thousandths(content["amount"]), content["currency"])
        case "volumeRate":
            return Rate(item, kind, _thousandths(content["amount"]), content["currency"],
                        per=content["volumeUnit"])
        case "specialChargingCode":
            return Rate(item, kind, code=content)
        case _:
            return Rate(item, kind)


def _thousandths(amount: Any) -> int:
    return int(amount["amount"]) * THOUSANDTHS[amount["multiplier"]]


def _seconds(time: Any) -> float:
    return float(time["length"]) * SECONDS[time["scale"]]
