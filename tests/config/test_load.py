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
    (b"[" * 5000, "box.yaml"),
    (b"spans: !!python/object:os.system {}", "could not determine a constructor"),
])
def test_no_document_at_all(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "box.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        load(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"box\.yaml: No such file"):
        load(tmp_path / "box.yaml")
