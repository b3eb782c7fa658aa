"""branchline recorded: which rule decides on a talk's recording, and what was decided of a contact's."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.bus.messages import ContactFacts, RecordingPause, RecordingStory
from appliance.launch import recorded as module
from appliance.launch.cli import main

BOX = """\
spans:
  - {name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}
centre:
  queues: [{name: support, agents: [li], record: false}, {name: sales, agents: [li]}]
  agents: [{name: li, extension: "801", trunk: telco}]
recording:
  rules:
    - {name: calls-out, direction: out, record: never}
    - {name: li, agent: li, queue: support, record: on-demand, format: original}
"""
NAME = "a" * 32


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "box.yaml").write_text(BOX)
    return tmp_path / "box.yaml"


def run(*words: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(main, ["recorded", *words])
    return done.exit_code, (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize(("words", "lines"), [
    (("--queue", "support", "--agent", "li"), [
        "  calls-out: does not take it: direction is in, not out", "  li: takes it",
        "is recorded when somebody asks for it: rule li; kept as original; paused by agent, system"]),
    (("--queue", "support"), [
        "  calls-out: does not take it: direction is in, not out",
        "  li: does not take it: queue is support, agent is not known",
        "is not recorded: queue support says so; kept as small; paused by agent, system"]),
    (("--direction", "out"), [
        "  calls-out: takes it",
        "is not recorded: rule calls-out; kept as small; paused by agent, system"])])
def test_it_says_rule_by_rule_what_is_done(box: Path, words: tuple[str, ...], lines: list[str]) -> None:
    code, said = run(*words, "--config", str(box))
    assert code == 0 and said[0] == lines[0] and said[-1] == lines[-1] and len(said) == len(lines)


def test_a_queue_that_is_not_there_is_an_error(box: Path) -> None:
    code, said = run("--queue", "nowhere", "--config", str(box))
    assert code == 78 and "no queue is called 'nowhere', there are support, sales" in said[0]


def test_a_rule_in_error_is_named(box: Path) -> None:
    box.write_text(BOX.replace("agent: li, queue", "agent: nobody, queue"))
    code, said = run("--config", str(box))
    assert code == 78 and "recording.rules: li: no agent is called 'nobody', there are li" in said[0]


def test_what_was_decided_and_done_is_told(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = RecordingStory(
        recording=NAME, at=0.0, record="on-demand", why="is recorded when somebody asks for it: rule li",
        begun_by="boss", pauses=[RecordingPause(at=60.0, by="li", ended_at=75.0, tick=7, end_tick=1507)])

    told = [story]
    monkeypatch.setattr(module, "on_bus", lambda run_dir, ask: ContactFacts(recordings=told))
    code, said = run("c1")
    assert code == 0 and NAME in said[0] and "rule li; kept as small" in said[0]
    assert said[1] == "    begun by boss" and said[2].endswith("by its time, ticks 7 to 1507")
    told.clear()
    code, said = run("c2")
    assert code == 1 and "c2: nobody has talked in it" in said[0]
