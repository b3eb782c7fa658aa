"""A configuration is right, or every mistake is named with file, line and key."""

import typing
from dataclasses import fields
from pathlib import Path

import pytest

from appliance.config.changes import changes
from appliance.config.lines import TIMER_NAMES
from appliance.config.load import load
from appliance.config.schema import SpanConfig
from appliance.config.timeslots import in_words, timeslots
from appliance.errors import ConfigError
from appliance.isdn.call.states import Timers
from appliance.isdn.profile import PROFILES

GOOD = """\
spans:
  - {name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}
  - {name: pbx1, url: "virtual:run/pbx/b", side: network, trunk: pbx}
centre:
  inbound: [{trunk: telco, called: "5001", flow: main.yaml}]
  outbound: [{trunk: pbx, called: "9([0-9]{3,})", to: telco}]
  queues: [{name: support, agents: [li]}]
  agents: [{name: li, extension: "801", trunk: pbx}]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "box.yaml"
    path.write_text(text)
    return path


def test_good_document_with_paths_below_its_folder(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert [span.name for span in config.spans] == ["telco1", "pbx1"]
    assert config.centre.inbound[0].flow == str(tmp_path / "main.yaml")
    assert config.media.prompts == str(tmp_path / "prompts")
    assert config.centre.queues[0].ring_s == 15.0


@pytest.mark.parametrize(("wrong", "right", "complaints"), [
    ("virtual:run/pbx", "virtuel:run/pbx",
     ["box.yaml:3: spans[1].url: unknown span URL 'virtuel:run/pbx/b'"]),
    ("virtual:run/pbx/b", "virtual:run/pbx/c", ["spans[1].url: virtual:run/pbx/c: write virtual:PATH/a or"]),
    ("virtual:run/pbx/b", "dahdi:0", ["spans[1].url: dahdi:0: a span is a number from 1 to"]),
    ("virtual:run/pbx/b", "satop:gateway:2142", ["spans[1].url: satop:gateway:2142: HOST:"]),
    ("virtual:run/pbx/b", "tdmoe:eth1/0", ["spans[1].url: tdmoe:eth1/0: write tdmoe:INTERFACE/MAC"]),
    ("virtual:run/pbx/b", "card:/dev/x?span=-1", ["spans[1].url: card:/dev/x?span=-1: write card:DEVICE"]),
    ("virtual:run/pbx/b", "e1d:/run/e1d?line=300", ["spans[1].url: e1d:/run/e1d?line=300: intf and line"]),
    ("virtual:run/pbx/b", "cesop:192.0.2.7:5?timeslots=0", ["spans[1].url: cesop:192.0.2.7:5?timeslots=0:"]),
    ("side: user", "side: users", ["box.yaml:2: spans[0].side: Input should be 'user' or 'network'"]),
    ("name: li,", "nam: li,", ["box.yaml:8: centre.agents[0].name: Field required",
                               "box.yaml:8: centre.agents[0].nam: no such key, there are extension, na"]),
    ("trunk: telco, called", "trunk: telko, called",
     ["box.yaml:1: centre.inbound: no span has trunk 'telko', they have pbx, telco"]),
    ("agents: [li]", "agents: [wang]", ["box.yaml:1: centre.queues: support: no agent is called 'wang'"]),
    ("9([0-9]{3,})", "9[0-9]{3,}", ["box.yaml:6: centre.outbound[0].called: needs exactly one group"]),
    ("9([0-9]{3,})", "9([0-9", ["box.yaml:6: centre.outbound[0].called: not a regular expression"]),
    ("name: pbx1", "name: telco1", ["box.yaml:1: spans: 'telco1' is there twice"]),
    ("  queues: [", "  queues: {", ["box.yaml:7: did not find expected ',' or '}'"]),
    ("9([0-9]{3,})", "9((?:[0-9]+)+)#", ["box.yaml:6: centre.outbound[0].called: the same digits fit"]),
    ("9([0-9]{3,})", "9(?=1)([0-9])", ["box.yaml:6: centre.outbound[0].called: cannot be read at (?"]),
    ('"5001"', "5001", ["box.yaml:5: centre.inbound[0].called: YAML does not read 5001 as text: "
                        'write it in quotes, "5001"']),
    ('"801"', "0701",
     ["box.yaml:8: centre.agents[0].extension: YAML does not read 0701 as text"]),
    ('"801"', "8:01", ['quotes, "8:01"']),
    ('"801"', "2026-01-31", ['quotes, "2026-01-31"']),
    ('"801"', "2026-13-31",
     ["box.yaml:8: 2026-13-31: month must be in 1..12: if it is a text"]),
    ("agents: [li]}", "agents: [no]}",
     ["box.yaml:7: centre.queues[0].agents[0]: YAML does not read no as text"]),
    ("agents: [li]}", "agents: [li], unavailable_s: .inf}",
     ["box.yaml:7: centre.queues[0].unavailable_s: Input should be a finite number"]),
    ("agents: [li]}", "agents: [li], name: sales}", ["box.yaml:7: name: is there twice"]),
    ("centre:", "web: {port: 1}\nweb: {port: 2}\ncentre:", ["box.yaml:5: web: is there twice"]),
    ("centre:", "web: {port: " + "9" * 4500 + "}\ncentre:",
     ["box.yaml:4: a text of more than 4000 characters"]),
    ("centre:", "media: &all {}\nweb: *all\ncentre:", ["box.yaml:5: *all: aliases are not read here"]),
    ("centre:", "? [a, b]\n: c\ncentre:", ["box.yaml:4: a key is one word"]),
    ("centre:", "media: {rtp: {legs: 3, first_port: 4001, last_port: 4006}}\ncentre:",
     ["media.rtp: legs: 3 need as many even ports and the next, there are 2"]),
    ("centre:", "media: {machine: {greeting_s: 7}}\ncentre:",
     ["box.yaml:4: media.machine: must be pause_s <= sentence_pause_s < greeting_s < within_s, and"]),
    ("centre:", "media: {machine: {pause_s: 1}}\ncentre:", ["media.machine: must be pause_s <="]),
    ("centre:", "media: {machine: {within_s: 4.5, silence_s: 5}}\ncentre:", ["media.machine: must be"]),
    ("centre:", "media: {rtp: {address: box.example}}\ncentre:",
     ["box.yaml:4: media.rtp.address: 'box.example' does not appear to be an IPv4 or IPv6 address"]),
])
def test_every_mistake_is_named(tmp_path: Path, wrong: str, right: str, complaints: list[str]) -> None:
    assert wrong in GOOD
    path = written(tmp_path, GOOD.replace(wrong, right))
    with pytest.raises(ConfigError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(complaints)
    for line, complaint in zip(lines, complaints, strict=True):
        assert line.startswith(str(tmp_path)) and complaint in line


@pytest.mark.parametrize(("content", "complaint"), [
    (b"", "Input should be"),
    (b"spans: \xff", "octet 7: not UTF-8"),
    (b"- 1\n", "Input should be"),
    (b"a: &a [*a]", "box.yaml"),
    (b"\x00", "box.yaml"),
    (b"[" * 1_000_000, "nested more than 20 deep"),
    (b"{a: " * 200_000, "nested more than 20 deep"),
    (b"#" * (1024 * 1024 + 1), "larger than"),
    (b"spans: !!python/object:os.system {}", "could not determine a constructor"),
])
def test_no_document_at_all(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "box.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        load(path)


def test_of_countless_mistakes_some_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="and 1951 mistakes more") as caught:
        load(written(tmp_path, "spans: [" + "x, " * 2000 + "]\nmedia: 1"))
    assert len(str(caught.value).splitlines()) == 51


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"box\.yaml: No such file"):
        load(tmp_path / "box.yaml")


TRUNKS = GOOD + """\
trunks:
  - name: telco
    hunting: round-robin
    overflow: [pbx]
    reserved: [{name: vip, called: ["5009"], channels: 2}]
    numbers: {country: CN, area: "21", send_called: typed}
    caller_id: {default: "02187650800", allowed: [02187650800-02187650899]}
    emergency: ["122"]
"""


def test_a_document_with_trunks(tmp_path: Path) -> None:
    config = load(written(tmp_path, TRUNKS))
    assert config.trunk("telco").hunting == "round-robin"
    assert config.trunk("pbx").hunting == "balanced"


@pytest.mark.parametrize(("wrong", "right", "complaint"), [
    ("name: telco\n", "name: telko\n", "10: trunks[0].name: no span has trunk 'telko', they have pbx, telco"),
    ("hunting: round-robin", "hunting: random", "11: trunks[0].hunting: Input should be 'balanced', 'as"),
    ("[pbx]", "[pbx, moon]", "12: trunks[0].overflow[1]: no span has trunk 'moon', they have pbx, telco"),
    ("[pbx]", "[telco]", "10: trunks[0]: overflow: 'telco' is this trunk itself"),
    ("channels: 2", "channels: 31", "13: trunks[0].reserved: 31 channels are kept, telco has 30"),
    (", channels: 2", "", "13: trunks[0].reserved[0]: neither channels nor most: say how many"),
    ("channels: 2", "channels: 2, most: 1", "13: trunks[0].reserved[0]: most is 1, less than the 2 that are"),
    ("country: CN", "country: XX", "14: trunks[0].numbers.country: XX: no country of ISO 3166-1"),
    ('area: "21"', "local: true", "14: trunks[0].numbers: local needs area: which area's numbers"),
    ('area: "21"', 'area: "021"', "14: trunks[0].numbers: area 021: write it without the national"),
    ("hunting:", "hunt:", "11: trunks[0].hunt: no such key, there are caller_id, emergency, hunting"),
    ("[pbx]", "pbx", "12: trunks[0].overflow: write a list: [pbx]"),
    ('["122"]', '["12x"]', "16: trunks[0].emergency[0]: '12x': write digits, *, # and +, at most 32"),
    ('"02187650800"', "5001", "15: trunks[0].caller_id.default: YAML does not read 5001 as text"),
    ("00-02187650899", "00-0", "15: trunks[0].caller_id.allowed: '02187650800-0': write a number, or"),
    ('{default: "02187650800",', '{name: "李",', "15: trunks[0].caller_id.name: a name on the line has"),
    ("trunks:\n", "trunks:\n  - name: telco\n", "11: trunks[1].name: 'telco' is there twice"),
    ("trunk: telco}", "trunk: telco, timers: {t399_s: 1}}", "2: spans[0].timers: t399_s: no such timer"),
    ("trunk: telco}", "trunk: telco, timers: {t310_s: 0}}", "2: spans[0].timers: t310_s: 0 s: write more"),
    ("trunk: telco}", "trunk: telco, timers: {n316: 1.5}}", "2: spans[0].timers: n316: 1.5: write a whole"),
    ("trunk: telco}", 'trunk: telco, incoming_only: "0-3"}', "2: spans[0].incoming_only: '0-3': B-chan"),
    ("trunk: telco}", 'trunk: telco, incoming_only: "1-5", outgoing_only: "4-9"}',
     "2: spans[0]: timeslots 4-5: in incoming_only and in outgoing_only, no call could have them"),
    ("trunk: telco}", 'trunk: telco, timeslots: ""}', "2: spans[0].timeslots: no timeslot: write those"),
    ("trunk: telco}", 'trunk: telco, timeslots: 1-32}', "2: spans[0].timeslots: '1-32': B-channels are"),
    ("trunk: telco}", 'trunk: telco, timeslots: 1-15, outgoing_only: "15-17"}',
     "2: spans[0]: outgoing_only: timeslots 17: the span has 1-15"),
    ("trunk: telco}", "trunk: telco, timeslots: '1'}",
     "13: trunks[0].reserved: 2 channels are kept, telco has 1"),
    ("trunk: telco}", "trunk: telco, profile: dms100}", "2: spans[0].profile: Input should be 'etsi'"),
])
def test_every_mistake_in_spans_and_trunks_is_named(
        tmp_path: Path, wrong: str, right: str, complaint: str) -> None:
    assert wrong in TRUNKS
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, TRUNKS.replace(wrong, right, 1)))
    [line] = str(caught.value).splitlines()
    assert f"box.yaml:{complaint}" in line


@pytest.mark.parametrize(("text", "numbers", "again"), [
    ("", (), ""), ("1", (1,), "1"), ("1-3, 17", (1, 2, 3, 17), "1-3,17"),
    ("14-18", (14, 15, 17, 18), "14-18"), ("31,1-2,2", (1, 2, 31), "1-2,31")])
def test_timeslots_as_people_write_them(text: str, numbers: tuple[int, ...], again: str) -> None:
    assert timeslots(text) == numbers
    assert in_words(numbers) == again


def test_the_schema_knows_the_timers_and_profiles_that_there_are() -> None:
    assert set(TIMER_NAMES) == {field.name for field in fields(Timers)}
    assert set(typing.get_args(SpanConfig.model_fields["profile"].annotation)) == set(PROFILES)


def test_what_changed_is_named_as_in_the_document(tmp_path: Path) -> None:
    old = load(written(tmp_path, TRUNKS))
    for changed, keys in (
            (TRUNKS.replace("round-robin", "ascending"), ["trunks.telco.hunting"]),
            (TRUNKS.replace("channels: 2", "channels: 3, most: 4"),
             ["trunks.telco.reserved.vip.channels", "trunks.telco.reserved.vip.most"]),
            (TRUNKS.replace("trunk: pbx}\ncentre", "trunk: pbx, timers: {n316: 3}}\ncentre"),
             ["spans.pbx1.timers.n316"]),
            (TRUNKS.replace("{3,}", "{4,}"), ["centre.outbound"]),
            (GOOD, ["trunks.telco"]),
            (TRUNKS, [])):
        assert changes(old, load(written(tmp_path, changed))) == keys
    reversed_spans = old.model_copy(update={"spans": old.spans[::-1]})
    assert changes(old, reversed_spans) == ["spans"]
