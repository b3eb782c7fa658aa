"""The countries whose tones, spoken values and public holidays the box knows, by ISO 3166-1."""

from typing import Literal

# What appliance.media.tones has, which stands above this floor; and whose holidays the library has.
Country = Literal[
    "ae", "ar", "at", "au", "be", "br", "ca", "ch", "cl", "cn", "cz", "de", "dk", "eg", "es", "fi", "fr",
    "gb", "gr", "hk", "hu", "id", "ie", "il", "in", "it", "jp", "kr", "mo", "mx", "my", "nl", "no", "nz",
    "ph", "pl", "pt", "ru", "sa", "se", "sg", "th", "tr", "tw", "us", "za"]
