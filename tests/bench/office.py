"""The box that is measured: one telco line, one line to the agents' telephones, one queue."""

import copy
from typing import Any

from tests.e2e.rig import CONFIG

AGENTS = 30
CALLED = "5001"

QUEUE_FLOW: dict[str, Any] = {
    "language": "en", "start": "sales", "nodes": {"sales": {"kind": "queue", "queue": "sales"}}}
ANSWER_FLOW: dict[str, Any] = {
    "language": "en", "start": "greeting", "nodes": {
        "greeting": {"kind": "play", "prompt": "greeting", "next": "end"}, "end": {"kind": "hangup"}}}


class BenchError(Exception):
    """What was measured did not work: no figure."""


def config(agents: int = AGENTS) -> dict[str, Any]:
    """So many agents in one queue, free again at once after each call."""
    made = copy.deepcopy(CONFIG)
    names = [f"agent-{number}" for number in range(1, agents + 1)]
    made["centre"]["agents"] = [
        {"name": name, "extension": str(800 + number), "trunk": "pbx"}
        for number, name in enumerate(names, start=1)]
    made["centre"]["queues"] = [
        {"name": "sales", "agents": names, "position_every_s": 0.0, "ring_s": 20.0, "wrap_up_s": 0.0}]
    return made
