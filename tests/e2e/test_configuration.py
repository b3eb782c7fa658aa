"""A commit changes a whole box while it runs, and goes back by itself when nobody confirms it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    Board,
    CommitDocument,
    DocumentState,
    GetBoard,
    GetDocument,
    GetDocumentHistory,
    SetDocumentKey,
)
from tests.e2e.rig import Rig

ACT_S = 60.0


def config(box: Rig, *words: str, code: int = 0) -> str:
    """What `branchline config` says."""
    done = subprocess.run(
        [sys.executable, "-m", "appliance.launch", "config", "--run-dir", str(box.run_dir), *words],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def has_queue(board: Board, name: str) -> bool:
    return any(queue.name == name for queue in board.queues)


@pytest.mark.need(16)
def test_a_queue_is_there_live_and_gone_when_nobody_confirms_it(rig: Rig) -> None:
    document = Path(rig.config_path)
    first = document.read_text()
    assert config(rig, "show") == first
    config(rig, "set", "centre.queues[+]", "{name: extra, agents: [zhang]}")
    config(rig, "set", "centre.queues.sales.ring_s", "7.5")
    assert "centre.queues.sales.ring_s: 4.0 -> 7.5" in config(rig, "diff", "--keys")
    assert config(rig, "check") == "in order\n"
    assert document.read_text() == first
    mark = rig.bus.mark()
    said = config(rig, "commit", "--comment", "two more agents", "--confirm", "0.2")
    assert "changed: centre.queues.sales.ring_s" in said and "version 2 is the document" in said
    rig.bus.ask_until(GetBoard(), lambda reply: has_queue(reply.board, "extra"))
    assert "ring_s: 7.5" in document.read_text()
    rig.kill("boxd")                              # who is to take it back is killed meanwhile
    rig.start("boxd")
    rig.bus.wait_event(DocumentState, lambda state: state.head is not None and state.head.number == 3,
                       20.0, mark)
    assert document.read_text() == first
    rig.bus.ask_until(GetBoard(), lambda reply: not has_queue(reply.board, "extra"))
    history = rig.bus.ask(GetDocumentHistory())
    assert [(one.number, one.kind, one.state, one.in_force) for one in history.versions] == [
        (3, "expired", "committed", True), (2, "commit", "rolled-back", True),
        (1, "found", "committed", True)]
    assert "not confirmed in time: back to version 1" in config(rig, "history")
    out = rig.folder / "exported.yaml"
    assert config(rig, "export", str(out)) == f"{out}: version 3\n" and out.read_text() == first
    assert "File exists" in config(rig, "export", str(out), code=1)
    config(rig, "rollback", "2", "--comment", "now for good")
    rig.bus.ask_until(GetBoard(), lambda reply: has_queue(reply.board, "extra"))
    assert rig.complaints() == []


def test_what_needs_a_new_start_is_refused_by_its_keys_or_waits_for_it(rig: Rig) -> None:
    ask = rig.bus.ask
    ask(SetDocumentKey(by="li", key="media.country", value="us"), ACT_S)
    with pytest.raises(Refused, match=r"media\.country: spand reads it when it starts"):
        ask(CommitDocument(by="li", comment="from abroad"), ACT_S)
    assert ask(GetDocument()).state.head == ask(GetDocument(number=1)).version
    done = ask(CommitDocument(by="li", comment="from abroad", next_start=True), ACT_S)
    assert not done.version.in_force and "next start" in done.version.why_not
    rig.kill_everything(power_cut=True)
    rig.start_everything()
    rig.bus.ask_until(GetDocument(), lambda reply: reply.version is not None and reply.version.in_force)
    by_hand = rig.config_path.read_text().replace("country: us", "country: cn")
    rig.config_path.write_text(by_hand)
    found = rig.bus.ask(GetDocument())            # another observer: it is another box
    assert found.version is not None and (found.version.kind, found.version.keys) == (
        "edited", ["media.country"])
    rig.config_path.write_text("spans: 3")
    assert "write a list: [3]" in rig.bus.ask(GetDocument()).state.wrong
