"""The reference day: 24 hours of a branch with one E1, 30 channels, whose lines are as full as they can be.

Two queues behind a menu, 20 agents in three shifts, half of whom serve both, two peaks in which more calls
come than they can take; they write after a call, and at times do not hear the telephone.
"""

from typing import Any

from appliance.centre.flow import QueueNode
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.schema import CentreConfig, Config, InboundRoute
from appliance.sim.branch import Branch
from appliance.sim.scenario import Scenario
from tests.sim.branches import MENU, spans

FLOW = MENU.model_copy(update={"nodes": {**MENU.nodes, "service": QueueNode(kind="queue", queue="service")}})

SALES = [f"sales{number}" for number in range(1, 7)]
SERVICE = [f"service{number}" for number in range(1, 5)]
BOTH = [f"both{number}" for number in range(1, 11)]
NIGHT = BOTH[:2]
EARLY = [*SALES[:3], *SERVICE[:2], *BOTH[2:6]]
LATE = [*SALES[3:], *SERVICE[2:], *BOTH[6:]]

RATES = {"00:00": 20, "06:00": 45, "08:00": 130, "09:00": 220, "09:30": 300, "11:30": 180, "13:00": 200,
         "14:00": 290, "16:00": 210, "18:00": 120, "20:00": 70, "22:00": 30}


def shift(agents: list[str], begins: str, ends: str, *rest: str) -> dict[str, Any]:
    breaks = [{"begins": rest[0], "ends": rest[1]}] if rest else []
    return {"agents": agents, "begins": begins, "ends": ends, "breaks": breaks}


SCENARIO: dict[str, Any] = {
    "box": "branchline.yaml",
    "arrivals": [{"called": "5001", "calls_per_hour": RATES, "keys": {"1": 55.0, "2": 45.0}}],
    "patience": {"kind": "exponential", "mean_s": 300.0},
    "handling": {"kind": "log-normal", "mean_s": 200.0, "variation": 0.6},
    "queues": {"service": {"handling": {"kind": "log-normal", "mean_s": 240.0, "variation": 0.7},
                           "wrap_up": {"kind": "exponential", "mean_s": 15.0}}},
    "agents": {"answer": {"kind": "uniform", "least_s": 2.0, "most_s": 6.0}, "no_answer": 0.01},
    "shifts": [shift(NIGHT, "00:00", "08:00"), shift(NIGHT, "20:00", "24:00"),
               shift(EARLY, "07:00", "16:00", "12:00", "12:30"),
               shift(LATE, "09:00", "21:00", "13:00", "13:45")],
    "replications": 1,
}


def reference(**scenario: Any) -> Branch:
    centre = CentreConfig(
        inbound=[InboundRoute(trunk="telco", called="5001", flow="menu")],
        queues=[QueueConfig(name="sales", agents=[*SALES, *BOTH], wrap_up_s=20.0, handling_s=220.0),
                QueueConfig(name="service", agents=[*SERVICE, *BOTH], wrap_up_s=30.0, handling_s=260.0)],
        agents=[AgentConfig(name=name, extension=str(8000 + place), trunk="pbx")
                for place, name in enumerate([*SALES, *SERVICE, *BOTH])])
    config = Config(spans=[*spans("telco", "user", 1), *spans("pbx", "network", 1)], centre=centre)
    return Branch(scenario=Scenario.model_validate({**SCENARIO, **scenario}), config=config,
                  flows={"menu": FLOW}, known={})
