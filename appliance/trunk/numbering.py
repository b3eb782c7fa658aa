"""Number plans: what a number on a line means, and how a line wants it. Pure.

In between a number is E.164 with its plus sign. What is no number of the plan (extensions, service and short
numbers, private plans) is passed as it is: nothing is lost that somebody may dial.

Ref: ITU-T Q.931 (05/98), 4.5.8 (type of number, plan); E.164; the countries' plans are those of phonenumbers.
"""
import re
from dataclasses import dataclass
from enum import IntEnum

import phonenumbers
from phonenumbers import PhoneNumber, shortnumberinfo

from appliance.config.lines import NumbersConfig

UNKNOWN_PLAN, E164 = 0, 1                         # numbering plans, 4.5.8
SHORTEST_GUESS = 6                                # digits of a number without prefix: fewer are a service's
_DIGITS = re.compile(r"\+?[0-9]{2,}")


class NumberType(IntEnum):
    """Of number, 4.5.8; others pass as they are."""

    UNKNOWN = 0                                   # as it is dialled
    INTERNATIONAL = 1
    NATIONAL = 2
    SUBSCRIBER = 4


@dataclass(frozen=True, slots=True)
class LineNumber:
    """A number as the line has it. `type` None: what the line's profile has for digits of no known type."""

    digits: str
    type: int | None = None
    plan: int | None = None


class NumberPlan:
    """That of one trunk's lines."""

    def __init__(self, config: NumbersConfig) -> None:
        self._config = config
        self._code = phonenumbers.country_code_for_region(config.country)
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(config.country)
        of_country = metadata.national_prefix if metadata else None
        self._country_prefix = of_country or ""
        self._national = self._country_prefix if config.national_prefix is None else config.national_prefix
        self._international = config.international_prefix or _international(metadata)

    def show(self, digits: str, kind: int, plan: int) -> str:
        """A caller's number for the box."""
        return self._shown(digits, kind, plan, self._config.show)

    def show_called(self, digits: str, kind: int, plan: int) -> str:
        return self._shown(digits, kind, plan, self._config.show_called)

    def send_called(self, number: str) -> LineNumber:
        """A number of the box for the line."""
        return self._sent(number, self._config.send_called)

    def send_calling(self, number: str) -> LineNumber:
        return self._sent(number, self._config.send_calling)

    def e164(self, digits: str, kind: int = NumberType.UNKNOWN, plan: int = E164) -> str:
        """+8621..., or "" when it is no number of this plan."""
        number = self._read(digits, kind, plan)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else ""

    def _shown(self, digits: str, kind: int, plan: int, form: str) -> str:
        number = None if form == "as-is" else self._read(digits, kind, plan)
        if number is None:
            return digits
        if form == "e164":
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return self._dialled(number)

    def _sent(self, text: str, form: str) -> LineNumber:
        number = None
        if form in ("typed", "international") or (form == "dialled" and text.startswith("+")):
            number = self._read(text, NumberType.UNKNOWN, E164)
        if number is None:                        # what the box has is as people dial it
            return plain(text)
        if form == "dialled":
            return LineNumber(self._dialled(number), NumberType.UNKNOWN)
        own, significant = number.country_code == self._code, phonenumbers.national_significant_number(number)
        if form == "international" or not own:
            return LineNumber(f"{number.country_code}{significant}", NumberType.INTERNATIONAL, E164)
        if self._is_local(number):
            return LineNumber(significant.removeprefix(self._config.area), NumberType.SUBSCRIBER, E164)
        return LineNumber(significant, NumberType.NATIONAL, E164)

    def _read(self, digits: str, kind: int, plan: int) -> PhoneNumber | None:
        if not _DIGITS.fullmatch(digits) or plan not in (UNKNOWN_PLAN, E164):
            return None
        if digits.startswith("+"):
            return self._possible(digits)
        match kind:
            case NumberType.INTERNATIONAL:
                return self._possible(f"+{digits}")
            case NumberType.NATIONAL:                   # some networks leave the prefix on
                return None if self._is_short(digits) else self._possible(digits)
            case NumberType.SUBSCRIBER if self._config.area:
                return self._possible(f"+{self._code}{self._config.area}{digits}")
            case NumberType.UNKNOWN:
                return self._read_dialled(digits)
        return None

    def _read_dialled(self, digits: str) -> PhoneNumber | None:
        if digits.startswith(self._international):
            return self._possible("+" + digits.removeprefix(self._international))
        if self._national and digits.startswith(self._national):
            return self._possible(f"+{self._code}{digits.removeprefix(self._national)}")
        if len(digits) < SHORTEST_GUESS or self._is_short(digits):
            return None
        found = self._without_prefix(digits)
        if found is None and self._config.area:
            found = self._valid(f"+{self._code}{self._config.area}{digits}")
        return found

    def _without_prefix(self, digits: str) -> PhoneNumber | None:
        """What phonenumbers takes for the code of a carrier is dialled, and stays."""
        found = self._valid(digits)
        if found is None:
            return None
        significant = phonenumbers.national_significant_number(found)
        known = (significant, f"{self._country_prefix}{significant}", f"{self._code}{significant}")
        return found if digits in known else None

    def _is_short(self, digits: str) -> bool:
        """A service's number, the same all over the country."""
        number = self._possible(digits)
        return number is not None and shortnumberinfo.is_valid_short_number_for_region(
            number, self._config.country)

    def _possible(self, text: str) -> PhoneNumber | None:
        """The line has said what it is: a country's new ranges need not be known here."""
        try:
            number = phonenumbers.parse(text, self._config.country)
        except phonenumbers.NumberParseException:
            return None
        return number if phonenumbers.is_possible_number(number) else None

    def _valid(self, text: str) -> PhoneNumber | None:
        number = self._possible(text)
        return number if number is not None and phonenumbers.is_valid_number(number) else None

    def _dialled(self, number: PhoneNumber) -> str:
        significant = phonenumbers.national_significant_number(number)
        if number.country_code != self._code:
            return f"{self._international}{number.country_code}{significant}"
        if self._is_local(number):
            return significant.removeprefix(self._config.area)
        # with the national prefix where a number of this kind is dialled with it
        dialled = re.sub("[^0-9]", "", phonenumbers.format_out_of_country_calling_number(
            number, self._config.country))
        return self._national + significant if dialled == self._country_prefix + significant else dialled

    def _is_local(self, number: PhoneNumber) -> bool:
        """10086 is a service of the whole country, also where the area is 10: no valid number of it."""
        significant = phonenumbers.national_significant_number(number)
        return (self._config.local and significant.startswith(self._config.area)
                and phonenumbers.is_valid_number(number))


def plain(number: str) -> LineNumber:
    """A number for a line without a number plan: as it is; one with a plus sign is international."""
    if number.startswith("+"):
        return LineNumber(number[1:], NumberType.INTERNATIONAL, E164)
    return LineNumber(number)


def _international(metadata: phonenumbers.PhoneMetadata | None) -> str:
    if metadata is None:
        return "00"
    for prefix in (metadata.preferred_international_prefix, metadata.international_prefix):
        digits = (prefix or "").replace("~", "")
        if digits.isdigit():
            return digits
    return "00"
