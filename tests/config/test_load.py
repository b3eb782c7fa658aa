"""A configuration is right, or every mistake is named with file, line and key."""

from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.errors import ConfigError

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
                               "box.yaml:8: centre.agents[0].nam: Extra inputs are not permitted"]),
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
