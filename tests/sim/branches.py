"""Branches to rehearse: one queue, its agents, their lines, and a scenario in words."""

from typing import Any

from appliance.centre.flow import Flow, HangupNode, MenuNode, Option, PlayNode, QueueNode
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.schema import CentreConfig, Config, InboundRoute, SpanConfig
from appliance.sim.branch import Branch
from appliance.sim.scenario import Scenario

MENU = Flow(start="greeting", nodes={
    "greeting": PlayNode(kind="play", prompt=["welcome"], next="menu"),
    "menu": MenuNode(kind="menu", prompt=["menu"], digits={
        "1": Option(next="sales"), "2": Option(next="service")}, default="bye", retries=0),
    "sales": QueueNode(kind="queue", queue="sales"),
    "service": QueueNode(kind="queue", queue="service", overflow_s=30.0, next="sales"),
    "bye": HangupNode(kind="hangup"),
})


def spans(trunk: str, side: str, count: int) -> list[SpanConfig]:
    names = [f"{trunk}{number}" for number in range(count)]
    return [SpanConfig.model_validate({"name": name, "url": f"virtual:/nowhere/{name}/b", "side": side,
                                       "trunk": trunk}) for name in names]


def branch(staff: int = 3, lines: int = 4, queue: dict[str, Any] | None = None, **scenario: Any) -> Branch:
    """Calls go straight into the queue sales; every agent serves both queues, which are as `queue` says."""
    names = [f"agent{number}" for number in range(1, staff + 1)]
    like = {"agents": names, "wrap_up_s": 0.0, "position_every_s": 0.0, "record": False, **(queue or {})}
    centre = CentreConfig(
        inbound=[InboundRoute(trunk="telco", called="5001", flow="menu")],
        queues=[QueueConfig.model_validate({"name": name, **like}) for name in ("sales", "service")],
        agents=[AgentConfig(name=name, extension=str(8000 + place), trunk="pbx")
                for place, name in enumerate(names)])
    given = {"box": "branchline.yaml", "arrivals": [{"queue": "sales", "calls_per_hour": 60.0}],
             "patience": "never", "handling": 60.0, "agents": {"answer": 0.0}, "begins": "08:00",
             "ends": "09:00", "replications": 1, **scenario}
    return Branch(scenario=Scenario.model_validate(given), flows={"menu": MENU}, known={},
                  config=Config(spans=[*spans("telco", "user", lines), *spans("pbx", "network", 4)],
                                centre=centre))
