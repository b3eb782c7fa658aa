"""Emergency numbers: who knows which, by which trunk they get out, and what the linter says."""

from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import shortnumberinfo

from appliance.config.emergency import emergency, of_country, warnings
from appliance.config.lines import PRIVATE_PROFILES
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.isdn.profile import PROFILES
from tests.config.test_load import GOOD, written

CHINA = {"110", "119", "120"}
HQ = '  - {name: hq1, url: "virtual:run/hq/b", side: user, trunk: hq, profile: qsig}\n'


def document(tmp_path: Path, *changes: tuple[str, str]) -> Config:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load(written(tmp_path, text))


@pytest.mark.parametrize(("country", "numbers"), [
    ("CN", CHINA), ("DE", {"110", "112"}), ("US", {"112", "911"}), ("GB", {"112", "999"}),
    ("FR", {"15", "17", "18", "112"}), ("XX", set())])
def test_countries_have_their_emergency_numbers(country: str, numbers: set[str]) -> None:
    assert of_country(country) == numbers


def test_no_number_of_three_digits_is_missed_anywhere() -> None:
    for country in sorted(phonenumbers.SUPPORTED_REGIONS)[::6]:
        three = {number for number in map("{:03}".format, range(1000))
                 if shortnumberinfo.is_emergency_number(number, country)}
        assert {number for number in of_country(country) if len(number) == 3} == three, country


def test_private_profiles_are_the_symmetric_ones() -> None:
    assert set(PRIVATE_PROFILES) == {name for name, profile in PROFILES.items() if profile.symmetric}


def test_the_telephone_companys_trunk_knows_them_and_extensions_get_there(tmp_path: Path) -> None:
    known = emergency(document(tmp_path))
    assert known.numbers == {"telco": CHINA, "pbx": set()}
    assert known.ways == {"pbx": dict.fromkeys(CHINA, "telco")}      # nobody gets out who calls in


def test_a_private_network_gets_out_too_and_what_is_configured_counts(tmp_path: Path) -> None:
    known = emergency(document(
        tmp_path, ("centre:\n", HQ + 'trunks: [{name: hq, emergency: ["122"]}]\ncentre:\n')))
    assert known.numbers["hq"] == {"122"}
    assert known.ways["pbx"] == {**dict.fromkeys(CHINA, "telco"), "122": "hq"}
    assert known.ways["hq"] == dict.fromkeys(CHINA, "telco")


def test_a_pbx_that_behaves_as_the_network_is_inside_and_no_way_out(tmp_path: Path) -> None:
    known = emergency(document(tmp_path, ("side: network", "side: user")))
    assert known.ways == {"pbx": dict.fromkeys(CHINA, "telco")}


def test_the_country_is_that_of_the_number_plan_or_of_the_tones(tmp_path: Path) -> None:
    german = document(tmp_path, ("centre:\n", "media: {country: de}\ncentre:\n"))
    assert emergency(german).numbers["telco"] == {"110", "112"}
    british = document(
        tmp_path, ("centre:\n", "trunks: [{name: telco, numbers: {country: GB}}]\ncentre:\n"))
    assert emergency(british).numbers["telco"] == {"112", "999"}


@pytest.mark.parametrize(("changes", "sentences"), [
    ([], []),
    ([('called: "9([0-9]{3,})"', 'called: "([0-9]{3,})"')], []),         # goes out where it is known
    ([('extension: "801"', 'extension: "110"')],
     ["centre.agents: li: 110 is an emergency number of trunk telco: give the agent another extension"]),
    ([('extension: "801"', 'extension: "120"'),
      ("outbound: [", 'outbound: [{trunk: pbx, called: "(1..)", to: pbx}, ')],
     ["120 is an emergency number, but by it extensions of trunk pbx reach agent li: give that another "
      "number",
      "centre.agents: li: 120 is an emergency number of trunk telco: give the agent another extension"]),
    ([("inbound: [", 'inbound: [{trunk: pbx, called: "119", flow: fire.yaml}, ')],
     ["119 is an emergency number, but by it extensions of trunk pbx reach the flow FOLDER/fire.yaml: give "
      "that another number"]),
    ([("outbound: [", 'outbound: [{trunk: pbx, called: "(110)", to: pbx}, ')],
     ["110 is an emergency number, but by it extensions of trunk pbx reach trunk pbx by a rule of its own: "
      "give that another number"]),
    ([("outbound: [", 'outbound: [{trunk: pbx, called: "(1[0-9]{2})", to: pbx}, ')], []),    # the call wins
])
def test_the_linter_names_what_keeps_an_emergency_call_inside(
        tmp_path: Path, changes: list[tuple[str, str]], sentences: list[str]) -> None:
    found = [one.replace(str(tmp_path), "FOLDER") for one in warnings(document(tmp_path, *changes))]
    assert found == sentences
