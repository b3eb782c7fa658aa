"""The ASN.1 types: compiled when they are needed, and no sooner."""
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.errors import DecodeError
from appliance.isdn.supplementary import parsed
from appliance.isdn.supplementary.codec import decode, encode

LIBRARY = "asn1tools"


def test_a_process_without_facility_does_not_load_the_library() -> None:
    program = ("import sys, appliance.isdn.dss1, appliance.trunk.daemon;"
               f"print('{LIBRARY}' in sys.modules);"
               "from appliance.isdn.supplementary.codec import encode;"
               "encode('Etsi-Operations', 'LinkId', 7);"
               f"print('{LIBRARY}' in sys.modules)")
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True,
                         timeout=60)
    assert ran.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(("name", "value"), [
    ("CallDeflectionArg", {"deflectionAddress": {"partyNumber": ("unknown", "1" * 21)}}),
    ("CallDeflectionArg", {"deflectionAddress": {"partyNumber": ("unknown", "*")}}),
    ("CallDeflectionArg", {}),
    ("LinkId", 70_000),
    ("DiversionReason", "because"),
])
def test_no_octets_for_a_value_that_the_type_has_not(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        encode("Etsi-Operations", name, value)


@pytest.mark.parametrize("octets", [
    "", "30", "3080", "300100", "30 05 a0 03 80 01 41", "30 05 a0 03 80 01 ff"])
def test_octets_that_are_no_value(octets: str) -> None:
    with pytest.raises(DecodeError, match="CallDeflectionArg"):
        decode("Etsi-Operations", "CallDeflectionArg", bytes.fromhex(octets))


def test_a_box_has_the_types_as_the_folder_says_them() -> None:
    """In a process of its own: here the library may be without its parser."""
    made = subprocess.run([sys.executable, "-m", "appliance.isdn.supplementary.parsing"], check=True,
                          capture_output=True, text=True, timeout=60)
    assert made.stdout == Path(parsed.__file__).read_text("utf-8")
