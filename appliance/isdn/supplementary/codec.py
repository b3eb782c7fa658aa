"""The ASN.1 of the supplementary services: values <-> octets (BER), by the types in the asn1 folder.

A value is what asn1tools makes of its type: SEQUENCE a dict, CHOICE a pair of name and value, ENUMERATED a
name. The types are compiled when the first one is needed, or by load(): a process that meets no Facility pays
nothing for them.

Ref: ITU-T X.680, X.690.
"""
import functools
import sys
from types import ModuleType
from typing import Any

from appliance.errors import DecodeError

CLAUSE = "EN 300 196-1, 8.3"

# asn1tools imports every encoding that it knows, its parser, and what writes programs: 20 MB that types which
# parsing.py has read, and BER, do without.
_NOT_OURS: dict[str, dict[str, Any]] = {
    **{f"asn1tools.codecs.{name}": {} for name in ("der", "gser", "jer", "oer", "per", "uper", "xer")},
    "asn1tools.parser": {"EXTENSION_MARKER": None, "ParseError": ValueError, "parse_files": None,
                         "parse_string": None},
    "asn1tools.source": {"c": None, "rust": None}}


@functools.cache
def _modules() -> dict[str, Any]:
    for name, held in _NOT_OURS.items():
        module = ModuleType(name)
        vars(module).update(held)
        sys.modules.setdefault(name, module)      # asn1tools finds them there
    import asn1tools

    from appliance.isdn.supplementary.parsed import MODULES

    modules: dict[str, Any] = asn1tools.compile_dict(MODULES, "ber").modules
    return modules


def load() -> None:
    """Any thread may do that, so that nobody waits for it later."""
    _modules()


def decode(module: str, name: str, octets: bytes) -> tuple[Any, int]:
    """The value at the beginning of `octets`, and how many of them it takes; DecodeError for any others."""
    kind = _modules()[module][name]
    try:
        value, used = kind.decode_with_length(octets)
        kind.check_constraints(value)
    except Exception as error:                    # asn1tools' own, and whatever hostile octets bring about
        raise DecodeError(None, CLAUSE, f"{name}: {error}") from None
    return value, int(used)


def encode(module: str, name: str, value: Any) -> bytes:
    """ValueError: the type has no such value."""
    import asn1tools

    kind = _modules()[module][name]
    try:
        kind.check_types(value)
        kind.check_constraints(value)
        return bytes(kind.encode(value))
    except asn1tools.Error as error:
        raise ValueError(f"{name}: {error}") from None
