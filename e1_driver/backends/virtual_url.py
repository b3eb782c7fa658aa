"""What the URL of an end of a virtual line says: virtual:PATH/a?... Opens nothing."""

from collections.abc import Mapping

from e1_driver.backends.faults_url import OPTIONS, asked_faults, check_choice
from e1_driver.framing.timeslot_0 import SA_BITS, Crc4
from e1_driver.url import split_options

DEFAULTS = {"clock": "own", "framing": "blocks", "crc4": "auto", "sa": "31", **OPTIONS}


def parts(rest: str) -> tuple[str, str, dict[str, str]]:
    """Path, end and options. ValueError: the part of the URL that is wrong, and what is allowed."""
    url = f"virtual:{rest}"
    place, options = split_options(url, rest, DEFAULTS)
    path, _, end = place.rpartition("/")
    if not path or end not in ("a", "b"):
        raise ValueError(f"{url}: write virtual:PATH/a or virtual:PATH/b")
    check_choice(url, "clock", options["clock"], ("own", "step"))
    if asked_faults(url, options)["ppm"] and (end == "b" or options["clock"] == "step"):
        raise ValueError(f"{url}: ppm={options['ppm']}: only end a with clock=own has a clock")
    check_line(url, options)
    return path, end, options


def check_line(url: str, options: Mapping[str, str]) -> None:
    """Framing and faults. ValueError."""
    check_choice(url, "framing", options["framing"], ("blocks", "g704"))
    check_choice(url, "crc4", options["crc4"], tuple(Crc4))
    asked_faults(url, options)
    if options["framing"] == "g704":
        if not (options["sa"].isascii() and options["sa"].isdecimal() and int(options["sa"]) <= SA_BITS):
            raise ValueError(f"{url}: sa={options['sa']}: write a whole number, 0 to {SA_BITS}")
        return
    for name in ("crc4", "sa", "lof"):
        if options[name] != DEFAULTS[name]:
            raise ValueError(f"{url}: {name}={options[name]}: needs framing=g704")
