"""branchline flow: what people see of a flow file."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.launch.flow import flow as group
from tests.centre.flows import HOTLINE

FOUND = json.dumps({"customer": {"name": "Li", "grade": "A", "language": "en"}})
BILL = json.dumps({"balance": 12.5, "due": "2026-12-01"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hotline.yaml"
    path.write_text(HOTLINE, encoding="utf-8")
    return path


def flow(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [*map(str, words)])


def heard(result: Result) -> list[str]:
    return [line.partition("hears: ")[2] for line in result.output.splitlines() if "hears: " in line]


def way(result: Result) -> list[str]:
    return [line.split()[2] for line in result.output.splitlines() if ", by " in line]


def test_the_way_of_a_caller_and_what_is_heard(file: Path) -> None:
    result = flow("test", file, "--keys", "1,1001#,2468#", "--lookup", f"crm={FOUND}", "--lookup",
                  f"billing={BILL}", "--expect", "queue sales")
    assert result.exit_code == 0, result.output
    assert way(result) == [
        "greeting", "who", "tongue", "hello", "menu", "proof", "bill", "enough", "rank", "agents"]
    assert "Hello Li" in heard(result)
    assert any("twelve point five yuan" in one for one in heard(result))
    assert "2468" not in result.output and "presses •" in result.output
    assert "for the queue: priority 50, grade A, skills {'bills': 3}" in result.output


@pytest.mark.parametrize(("keys", "lookups", "end", "code"), [
    ("0", [], "queue sales", 10), ("", [], "queue sales", 10), ("-,-,-", [], "queue sales", 10),
    ("2,715#,-", [], "hangup", 0), ("5", [], "transfer", 11),
    ("4,4111111111111111#", ["billing={}"], "hangup", 0),
    ("1,1001#,2468#", ["billing=error"], "hangup", 0),
    ("1,1001#,1#,1001#,2468#", ["billing=missing"], "queue sales", 10),
    ("1,1001#,2468#,1001#,1357#,8", ["billing=missing", f"billing={BILL}"], "hangup", 0),
])
def test_the_exit_code_is_the_outcome(file: Path, keys: str, lookups: list[str], end: str, code: int) -> None:
    given = [word for one in ["crm=missing", *lookups] for word in ("--lookup", one)]
    result = flow("test", file, "--keys", keys, *given)
    assert result.output.splitlines()[-1].startswith(f"end: {end}"), result.output
    assert result.exit_code == code
    assert flow("test", file, "--keys", keys, *given, "--expect", "voicemail").exit_code == 1


def test_calendars_are_open_or_those_of_the_configuration(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, config = tmp_path / "hours.yaml", tmp_path / "box.yaml"
    path.write_text("""\
start: when
nodes:
  when: {kind: hours, calendar: office, open: day, closed: night}
  day: {kind: queue, queue: sales}
  night: {kind: play, prompt: night, next: bye}
  bye: {kind: hangup}
""")
    config.write_text("""\
spans: [{name: t, url: "virtual:t/b", side: user, trunk: telco}]
centre:
  queues: [{name: sales, agents: [ann]}]
  agents: [{name: ann, extension: "8001", trunk: telco}]
  calendars: [{name: office, hours: {mon-fri: ["09:00-17:30"]}}]
""")
    assert flow("test", path, "--expect", "queue sales").exit_code == 0
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    for at, end in [("2025-11-17T09:00:00", "queue sales"), ("2025-11-17T08:59:59", "hangup"),
                    ("2025-11-22T12:00:00", "hangup")]:
        assert flow("test", path, "--config", config, "--at", at, "--expect", end).exit_code == 0, at


def test_prompts_are_shown_as_their_texts(file: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "prompts.toml"
    catalogue.write_text('[zh]\nwelcome = "欢迎"\nmenu = "请按键"\n', encoding="utf-8")
    result = flow("test", file, "--catalogue", catalogue)
    assert heard(result)[:2] == ["欢迎 上午 九 点 三 十 分", "请按键"]


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--lookup", "crm=[1]"], 2, "crm=[1]: write 'crm={name: Li}', crm=missing or crm=error"),
    (["--lookup", "crm={"], 2, "write 'crm={name: Li}'"),
    (["--lookup", "crn=missing"], 2, "the flow does not ask crn: it asks billing, crm"),
    (["--at", "yesterday"], 2, "is no time: give e.g. 20:00"),
    (["--config", "none.yaml"], 78, "none.yaml: No such file"),
])
def test_wrong_words_are_told(file: Path, words: list[str], code: int, said: str) -> None:
    result = flow("test", file, *words)
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_lint_says_file_line_and_key(file: Path, tmp_path: Path) -> None:
    result = flow("lint", file)
    assert (result.exit_code, result.output) == (0, f"{file}: in order: 18 nodes, en, zh\n")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(HOTLINE.replace("default: bye", "default: buy"), encoding="utf-8")
    result = flow("lint", file, wrong)
    assert result.exit_code == 78
    assert "wrong.yaml:48: nodes.enough.default: no node is called 'buy'" in result.output


@pytest.mark.need(22)
def test_lint_with_a_configuration_looks_for_names_and_prompts(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "box.yaml"
    config.write_text("""\
spans: [{name: t, url: "virtual:t/b", side: user, trunk: telco}]
centre:
  queues: [{name: sales, agents: [ann]}]
  agents: [{name: ann, extension: "8001", trunk: telco, skills: {bills: 5}}]
  sources: [{name: crm, url: "http://crm/"}]
""")
    assert "no source is called 'billing', there are crm" in flow("lint", file, "--config", config).output
    config.write_text(config.read_text().replace("crm/\"}", "crm/\"}, {name: billing, table: x.csv}"))
    result = flow("lint", file, "--config", config)
    assert result.exit_code == 78
    assert "prompts/zh/welcome.wav: No such file" in result.output


def test_show_draws_every_node_once(file: Path) -> None:
    text = flow("show", file).output.splitlines()
    assert text[0] == "greeting [play] welcome time:09:30"
    assert sum("(above)" not in line for line in text) == 18
    assert "          1 -> proof [authenticate] customer-number pin wrong" in text
    mermaid = flow("show", file, "--as", "mermaid").output
    assert mermaid.startswith("flowchart TD\n") and '{{"menu [menu] menu invalid"}}' in mermaid
    dot = flow("show", file, "--as", "dot").output
    assert '    "menu" -> "proof" [label="1"];' in dot and dot.count("shape=") == 18
