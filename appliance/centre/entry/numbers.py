"""One form for every number, so that lists and regions find a caller however the line writes him. Pure.

The form is E.164 with its plus sign; what is no number of the plan (extensions, short numbers) stays as it
is. One regular expression judges a number by its country's plan: a table of 100,000 is read in a second.
"""

import re

from phonenumbers import PhoneMetadata, country_code_for_region

from appliance.config.lines import NumbersConfig
from appliance.config.schema import Config

SHORTEST = 6                                      # digits of a number without prefix: fewer are a service's
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan")


class Numbers:
    """As people dial them in `plan.country`, in `plan.area` if that is known."""

    def __init__(self, plan: NumbersConfig) -> None:
        self.plan = plan
        metadata = PhoneMetadata.metadata_for_region(plan.country)
        self._code = str(country_code_for_region(plan.country))
        self._area = plan.area
        of_country = metadata.national_prefix if metadata else None
        self._national = (of_country if plan.national_prefix is None else plan.national_prefix) or ""
        abroad = metadata and (metadata.preferred_international_prefix or metadata.international_prefix)
        digits = (abroad or "").replace("~", "")
        self._international = plan.international_prefix or (digits if digits.isdigit() else "00")
        kinds = [getattr(metadata, kind) for kind in _KINDS]
        self._valid = re.compile("|".join(
            f"(?:{kind.national_number_pattern})" for kind in kinds if kind and kind.national_number_pattern))

    def canonical(self, number: str) -> str:
        if prefixed := self._prefixed(number):
            return prefixed
        if len(number) < SHORTEST:
            return number
        if self._valid.fullmatch(number):
            return f"+{self._code}{number}"
        if self._area and self._valid.fullmatch(self._area + number):
            return f"+{self._code}{self._area}{number}"
        if number.startswith(self._code) and self._valid.fullmatch(number.removeprefix(self._code)):
            return f"+{number}"                   # E.164 without its plus sign
        return number

    def beginnings(self, digits: str) -> tuple[str, ...]:
        """The canonical forms of numbers that begin so: without a prefix the country's, and as they are."""
        if prefixed := self._prefixed(digits):
            return (prefixed,)
        return (f"+{self._code}{digits}", digits)

    def _prefixed(self, digits: str) -> str:
        """By what it begins with; "": by nothing known."""
        if digits.startswith("+"):
            return digits
        if digits.startswith(self._international):
            return "+" + digits.removeprefix(self._international)
        if self._national and digits.startswith(self._national):
            return f"+{self._code}{digits.removeprefix(self._national)}"
        return ""


def plan_of(config: Config, trunk: str | None = None) -> NumbersConfig:
    """How numbers on `trunk` are meant, and those in the box's tables: as on the first trunk with a plan."""
    default = next((one.numbers for one in config.trunks if one.numbers is not None),
                   NumbersConfig(country=config.media.country.upper()))
    return (config.trunk(trunk).numbers if trunk else None) or default
