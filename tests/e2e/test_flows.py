"""A flow is changed and published while calls go through it: new callers hear it, those inside do not."""

from collections.abc import Sequence
from typing import Any

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    EditFlow,
    FlowEdit,
    FlowReply,
    FlowsChanged,
    GetFlowHistory,
    GetFlowKinds,
    GetFlows,
    PublishFlow,
    RollBackFlow,
    StepFlow,
    TryFlow,
)
from hil_tests.instruments.call import Call
from tests.e2e.calls import branchline, new_number
from tests.e2e.rig import FLOW, PROMPT_HZ, Rig

ACT_S = 60.0
FILE = "main.yaml"


@pytest.fixture
def rig_options() -> dict[str, Any]:
    menu = {**FLOW["nodes"]["menu"], "timeout_s": 30.0}
    return {"flow": {**FLOW, "nodes": {**FLOW["nodes"], "menu": menu}}}


def at_the_menu(rig: Rig) -> Call:
    caller = rig.telco.place_call(called="5001", calling=new_number()).answered()
    caller.wait_to_hear(hz=PROMPT_HZ["menu"])
    return caller


def edit(rig: Rig, edits: Sequence[FlowEdit]) -> FlowReply:
    return rig.bus.ask(EditFlow(by="ann", file=FILE, edits=list(edits)), ACT_S)


@pytest.mark.need(4)
def test_a_published_flow_is_heard_by_who_calls_then_and_goes_back(rig: Rig) -> None:
    path = rig.config_path.parent / FILE
    first = path.read_text()
    ask = rig.bus.ask
    listed, = ask(GetFlows(), ACT_S).flows
    assert (listed.file, listed.used_by, listed.nodes, listed.head and listed.head.kind) == (
        FILE, ["centre.inbound[0].flow"], 8, "found")
    assert "sales" in next(field.choices for kind in ask(GetFlowKinds(), ACT_S).kinds if kind.kind == "queue"
                           for field in kind.fields if field.name == "queue")
    inside = at_the_menu(rig)
    drawn = edit(rig, [FlowEdit(do="set", keys=["nodes", "to-service", "prompt"], value="busy"),
                       FlowEdit(do="move", name="menu", x=500, y=70)])
    assert drawn.picture.mistakes == [] and path.read_text() == first
    trial = ask(TryFlow(file=FILE, keys=["2"], called="5001"), ACT_S)
    assert [step.prompts for step in trial.steps if step.kind == "heard"][:3] == [
        ["en/greeting"], ["en/menu"], ["en/busy"]]
    edit(rig, [FlowEdit(do="set", keys=["nodes", "sales", "queue"], value="nobody")])
    with pytest.raises(Refused, match=r"no queue is called 'nobody', there are sales, service"):
        ask(PublishFlow(by="ann", file=FILE), ACT_S)
    assert ask(StepFlow(by="ann", file=FILE), ACT_S).text == drawn.text and path.read_text() == first
    document = rig.config_path.read_text()
    rig.config_path.write_text(document.replace("called: '5001'", "called: '5001'\n    calendar: never"))
    with pytest.raises(Refused, match=r"mend it first: .*calendar and closed go together"):
        ask(PublishFlow(by="ann", file=FILE), ACT_S)
    rig.config_path.write_text(document)
    mark = rig.bus.mark()
    done = ask(PublishFlow(by="ann", file=FILE, comment="another word"), ACT_S)
    assert done.version.number == 2 and path.read_text() == drawn.text != first
    rig.bus.wait_event(FlowsChanged, lambda event: event.file == FILE, since=mark)
    after = at_the_menu(rig)
    after.dtmf("2")
    after.wait_to_hear(hz=PROMPT_HZ["busy"])
    inside.dtmf("2")
    inside.wait_to_hear(hz=PROMPT_HZ["queue"])
    for caller in (inside, after):
        caller.hang_up()
    ask(RollBackFlow(by="li", file=FILE, to=1), ACT_S)
    assert path.read_text() == first
    last = at_the_menu(rig)
    last.dtmf("2")
    last.wait_to_hear(hz=PROMPT_HZ["queue"])
    last.hang_up()
    assert branchline(rig, "flow", "history", FILE).splitlines()[1].endswith(
        "published by ann: another word")
    assert "-    prompt: queue" in branchline(rig, "flow", "compare", FILE, "1", "2")
    assert [(one.number, one.kind, one.by, one.of) for one in ask(
        GetFlowHistory(file=FILE)).versions] == [
        (3, "rollback", "li", 1), (2, "published", "ann", 0), (1, "found", "", 0)]
    assert rig.complaints() == []
