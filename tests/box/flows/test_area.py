"""The flows on the bus, over the real bench: what it draws, edits and tries, and what if it hangs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.box.flows import bench
from appliance.box.flows.area import Flows
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CompareFlow,
    DiscardFlow,
    Done,
    EditFlow,
    FlowEdit,
    FlowsChanged,
    GetFlow,
    GetFlowKinds,
    GetFlows,
    PublishFlow,
    ReloadCentre,
    Reloaded,
    Request,
    RollBackFlow,
    StepFlow,
    TryFlow,
    WriteFlow,
)
from appliance.bus.runner import Context
from appliance.centre.flow import load_flow, tester
from appliance.config.load import load
from tests.box.flows.test_files import DOCUMENT

SOON_S = 40.0
FLOW = """\
# what callers hear
start: say
language: en
nodes:
  say: {kind: say, text: {zh: 您好, en: Hello}, next: menu}   # a word
  menu:
    kind: menu
    prompt: silence:500
    digits: {1: who}
    default: end
  who: {kind: collect, prompt: silence:500, to: number, most: 4, next: end, default: end}
  end: {kind: hangup}
"""


class Acdd:
    """And the bus to it."""

    def __init__(self) -> None:
        self.asked: list[Request[Any]] = []
        self.said: list[FlowsChanged] = []
        self.refusal = ""

    async def say(self, event: FlowsChanged) -> None:
        self.said.append(event)

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reloaded:
        self.asked.append(request)
        if self.refusal:
            raise Refused(self.refusal)
        return Reloaded(document="", changed=[])


class Rig:
    def __init__(self, folder: Path) -> None:
        self.acdd, self.stop, self.file = Acdd(), asyncio.Event(), folder / "main.yaml"
        (folder / "night").mkdir()
        (folder / "night" / "menu.yaml").write_text(FLOW)
        (folder / "box.yaml").write_text(DOCUMENT)
        self.file.write_text(FLOW)
        self.area = Flows(Context("boxd", load(folder / "box.yaml"), folder, folder, cast(Any, self.acdd),
                                  self.stop, config_path=folder / "box.yaml"), lambda: 1000.0)

    async def ask(self, request: Request[Any]) -> Any:
        async with asyncio.timeout(SOON_S):
            return await self.area.answers[type(request)](request)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Rig]:
    rig = Rig(folder)
    task = asyncio.create_task(rig.area.run(rig.stop))
    try:
        yield rig
    finally:
        rig.stop.set()
        await asyncio.wait_for(task, SOON_S)
        rig.area.close()


async def test_a_draft_is_drawn_edited_tried_and_published(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        listed = (await rig.ask(GetFlows())).flows
        assert [(one.file, one.nodes, one.head.number) for one in listed] == [
            ("main.yaml", 4, 1), ("night/menu.yaml", 4, 1)]
        kinds = {one.kind: one for one in (await rig.ask(GetFlowKinds())).kinds}
        assert kinds["flow"].fields[0].choices == ["main.yaml", "night/menu.yaml"]
        first = await rig.ask(GetFlow(file="main.yaml"))
        assert [(one.name, one.kind, one.line, one.about) for one in first.picture.nodes] == [
            ("say", "say", 5, "Hello"), ("menu", "menu", 6, "silence:500"),
            ("who", "collect", 11, "silence:500"), ("end", "hangup", 12, "")]
        edits = [FlowEdit(do="rename", name="who", to="number"), FlowEdit(do="move", name="end", x=10, y=20),
                 FlowEdit(do="set", keys=["nodes", "menu", "digits", "2"], value="end")]
        drawn = await rig.ask(EditFlow(by="ann", file="main.yaml", edits=edits, sha256=first.version.sha256))
        assert (drawn.version, drawn.file.draft.undo, drawn.picture.mistakes) == (None, 1, [])
        assert "digits: {1: number, 2: end}" in drawn.text and "# a word" in drawn.text
        tried = await rig.ask(TryFlow(file="main.yaml", keys=["1"], caller="138", called="5001"))
        assert (tried.node, tried.awaits, tried.end) == ("number", "digits", "")
        assert rig.acdd.asked == [] and rig.file.read_text() == FLOW
        done = await rig.ask(PublishFlow(by="ann", file="main.yaml", comment="a way out"))
        assert done.version.number == 2 and rig.file.read_text() == drawn.text
        assert rig.acdd.asked == [ReloadCentre(check=True, flows=True), ReloadCentre(flows=True)]
        assert rig.acdd.said[-1] == FlowsChanged(file="main.yaml")
        found = await rig.ask(CompareFlow(file="main.yaml", old=1, new=2))
        assert (found.added, found.gone, found.changed) == (["number"], ["who"], ["menu"])
        assert (await rig.ask(RollBackFlow(by="li", file="main.yaml", to=1))).version.of == 1
        assert rig.file.read_text() == FLOW


async def test_mistakes_are_drawn_where_they_are_and_refuse_publishing(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        drawn = await rig.ask(EditFlow(by="ann", file="main.yaml", edits=[
            FlowEdit(do="set", keys=["nodes", "menu", "digits", "1"], value="nowhere"),
            FlowEdit(do="add", name="wait", value="{kind: queue, queue: nobody}")]))
        assert {(one.line, tuple(one.keys)) for one in drawn.picture.mistakes} >= {
            (9, ("nodes", "menu", "digits", "1", "next")), (13, ("nodes", "wait", "queue"))}
        with pytest.raises(Refused, match="line 9: no node is called 'nowhere'"):
            await rig.ask(PublishFlow(by="ann", file="main.yaml"))
        with pytest.raises(Refused, match="the flow is wrong: line 9"):
            await rig.ask(TryFlow(file="main.yaml"))
        assert (await rig.ask(StepFlow(by="ann", file="main.yaml"))).text == FLOW
        assert await rig.ask(DiscardFlow(by="ann", file="main.yaml")) == Done()
        with pytest.raises(Refused, match=r"nodes\.none: is not there"):
            await rig.ask(EditFlow(by="ann", file="main.yaml", edits=[
                FlowEdit(do="set", keys=["nodes", "none", "next"])]))
        with pytest.raises(Refused, match="no draft"):
            await rig.ask(GetFlow(file="main.yaml", draft=True))


async def test_what_acdd_does_not_take_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.ask(WriteFlow(by="ann", file="main.yaml", text=FLOW.replace("Hello", "Welcome")))
        rig.acdd.refusal = "main.yaml: its queue has just gone"
        with pytest.raises(Refused, match="has just gone"):
            await rig.ask(PublishFlow(by="ann", file="main.yaml"))
        reply = await rig.ask(GetFlow(file="main.yaml"))
        assert reply.version.number == 1 and rig.file.read_text() == FLOW and reply.file.draft is not None


async def test_a_trial_is_what_the_tester_says(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        keys = ["1", "123#"]
        tried = await rig.ask(TryFlow(file="main.yaml", keys=keys, caller="138", draft=False))
        out = tester.run(load_flow(rig.file, None), tester.Call(keys=keys, caller="138"))
        assert [(one.node, one.text) for one in tried.steps if one.kind == "heard"] == [
            (one.node, one.text) for one in out.steps if one.kind == "heard"]
        assert [one.node for one in tried.steps if one.kind == "node"] == out.nodes
        assert (tried.end, tried.awaits) == (out.end, out.awaits) == ("hangup", "")
        assert "".join(one.text for one in tried.steps if one.kind == "pressed") == "1123"
        waited = await rig.ask(TryFlow(file="main.yaml", keys=["-", "-", "-"], draft=False))
        assert (waited.end, waited.node) == ("hangup", "end")
        assert (await rig.ask(TryFlow(file="main.yaml", draft=False))).awaits == "key"
        with pytest.raises(Refused, match="write 'crm"):
            await rig.ask(TryFlow(file="main.yaml", draft=False, answers={"crm": ["3"]}))


async def test_a_bench_that_hangs_is_ended_and_the_next_one_answers(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as rig:
        assert (await rig.ask(GetFlow(file="main.yaml"))).picture.nodes
        ground = cast(Any, rig.area._ground)
        ground._bench._child.send_signal(19)      # SIGSTOP
        with monkeypatch.context() as patch:
            patch.setattr(bench, "ANSWER_S", 0.1)
            with pytest.raises(Refused, match="took longer than"):
                await rig.ask(GetFlow(file="main.yaml"))
        assert (await rig.ask(GetFlow(file="main.yaml"))).picture.nodes
        ground._bench._child.kill()
        await ground._bench._child.wait()
        monkeypatch.setattr(bench, "IDLE_S", 0.0)
        assert (await rig.ask(GetFlow(file="main.yaml"))).picture.nodes
        await asyncio.wait_for(ground._bench._child.wait(), SOON_S)
        assert ground._bench._child is None


HOSTILE = (
    "nodes: {" + ", ".join(f"n{number}: {{kind: play}}" for number in range(1500)) + "}\nstart: n0",
    "start: a\nnodes: " + "{a: " * 18 + "1" + "}" * 18,
    "start: [a]\nnodes: {a: 3, b: {kind: [x]}, c: {kind: menu, digits: 7, prompt: {x: y}}}\ndrawing: 7",
    "start: a\nlanguage: {}\nnodes: {a: {kind: branch, cases: [3, {next: [a]}], default: {}}}\n"
    "drawing: {a: [x, 9]}")


async def test_a_hostile_text_is_drawn_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for text in HOSTILE:
            reply = await rig.ask(WriteFlow(by="ann", file="main.yaml", text=text))
            assert reply.picture.mistakes
            with pytest.raises(Refused):
                await rig.ask(PublishFlow(by="ann", file="main.yaml"))
            with pytest.raises(Refused):
                await rig.ask(TryFlow(file="main.yaml"))


async def test_a_file_that_became_a_link_elsewhere_is_told_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    async with running(tmp_path / "box") as rig:
        assert len((await rig.ask(GetFlows())).flows) == 2
        rig.file.rename(tmp_path / "main.yaml")
        rig.file.symlink_to(tmp_path / "main.yaml")
        listed = {one.file: one.wrong for one in (await rig.ask(GetFlows())).flows}
        assert "leads out of" in listed["main.yaml"] and listed["night/menu.yaml"] == ""
        assert (await rig.ask(GetFlow(file="night/menu.yaml"))).version.number == 1
