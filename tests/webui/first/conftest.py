"""An application whose branch has a document that boxd keeps, and a line that was detected."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from appliance.bus.messages import (
    BeginLineTest,
    CallTable,
    CallTested,
    ExplainRoute,
    GetCalls,
    GetDocumentHistory,
    GetLineTest,
    GetLineTests,
    GetProvision,
    LineTest,
    LineTestOrder,
    LineTestReply,
    LineTests,
    PlaceTestCall,
    Reply,
    Request,
    RouteExplained,
    Sentence,
)
from appliance.bus.messages.flows import FlowFile, FlowList, GetFlows
from tests.webui.access.people import Staff
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import Branch
from webui.users import Users

TEST = "1795400001-00000001"
DOCUMENT = """\
spans:
  # the telephone company's
  - {name: telco, url: "virtual:/x/b?framing=g704&crc4=off", side: network, trunk: telco}
  - {name: pbx, url: "virtual:/y/b", side: network, trunk: office}
centre:
  inbound:
    - {trunk: telco, called: "5001", flow: main.yaml}
  queues:
    - {name: sales, agents: [zhang]}
  agents:
    - {name: zhang, extension: "801", trunk: office}
"""
FINDINGS = [
    {"what": "signal", "value": "there", "sure": "seen",
     "evidence": [{"key": "blocks", "figures": {"n": 1}}]},
    {"what": "crc4", "value": "on", "sure": "seen", "evidence": [{"key": "multiframes", "figures": {}}]},
    {"what": "side", "value": "user", "sure": "tried",
     "evidence": [{"key": "answers_user", "figures": {}},
                  {"key": "of a later version", "figures": {"n": 1}}]},
    {"what": "profile", "value": "china", "sure": "usual",
     "evidence": [{"key": "no_messages", "figures": {}}]},
    {"what": "channels", "value": "1-31", "sure": "usual",
     "evidence": [{"key": "only_ones", "figures": {"timeslots": [*range(17, 32)]}}]}]


class Line:
    """In front of the branch: detections, test calls, and calls that came."""

    def __init__(self, branch: Branch) -> None:
        self.branch, self._reply = branch, branch.reply
        self.calls: list[Any] = []
        self.provision: Reply | None = None
        self.called: list[PlaceTestCall] = []
        self.begun: list[BeginLineTest] = []
        self.test = LineTest(
            test=TEST, span="telco", order=LineTestOrder(kind="detect", for_s=15.0), by="admin",
            began_at=time.time() - 9, state="ended", outcome="found", ended_at=time.time() - 4)
        self.facts: dict[str, Any] = {"up": True, "looped": False, "findings": FINDINGS}
        branch.reply = self.reply                 # type: ignore[method-assign]

    def reply(self, request: Request[Any]) -> Reply:
        match request:
            case GetCalls():
                return CallTable(calls=self.calls, released=[])
            case GetProvision() if self.provision is not None:
                return self.provision
            case GetLineTests(span=span):
                return LineTests(tests=[self.test] if span in ("", "telco") else [])
            case GetLineTest():
                return LineTestReply(test=self.test, facts=self.facts)
            case GetFlows():
                return FlowList(flows=[FlowFile(file="night.yaml", head=None, draft=None, used_by=[])])
            case ExplainRoute(called=called):
                return RouteExplained(at=time.time(), kind="in", steps=[
                    Sentence("flow {flow}", {"flow": f"main.yaml for {called}"})])
            case PlaceTestCall():
                self.called.append(request)
                return CallTested(trunk=request.trunk, number=request.number,
                                  error="was not answered in 30 s")
            case BeginLineTest():
                self.begun.append(request)
                return LineTestReply(test=self.test, facts={})
        return self._reply(request)


@pytest.fixture
def line(branch: Branch) -> Line:
    return Line(branch)


@pytest.fixture
def kept(line: Line, exchange: FakeExchange, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(exchange, tmp_path / "box", DOCUMENT)
    exchange.mirror.load(kept.ask(GetDocumentHistory(most=1)))
    yield kept
    kept.close()


@pytest.fixture
def staff(app: Flask, users: Users) -> Staff:
    users.create_first(NAME, PASSWORD)
    return Staff(app, users)
