"""A box with agents, people and recordings, for the tests of quality: real catalogue and chain."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from appliance.bus.messages import QualityAnswer, Reply, Request
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.recording.catalogue import schema
from appliance.recording.catalogue.rows import Finished, add
from appliance.recording.parts import Parts
from appliance.recording.quality.requests import ANSWERS
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys

MONDAY = 1_790_553_600.0                          # 2026-09-28 00:00 UTC

FORM = """\
name: service
title: Service
passing: 80
sections:
  - title: Opening
    items:
      - {name: greeting, text: Greets as agreed, weight: 1}
      - {name: verified, text: Verifies who calls, weight: 1, fatal: true, na: false}
  - title: Matter
    weight: 2
    items:
      - {name: listens, text: Listens, kind: scale, weight: 2}
      - {name: solves, text: Solves it, kind: points, best: 10, weight: 1}
"""

CONFIG = """\
spans: [{name: telco, url: "virtual:x/a", side: user, trunk: telco}]
centre:
  queues:
    - {name: sales, agents: [li, wang]}
    - {name: help, agents: [li, zhao]}
  agents:
    - {name: li, extension: "801", trunk: telco}
    - {name: wang, extension: "802", trunk: telco}
    - {name: zhao, extension: "803", trunk: telco}
quality:
  groups:
    - {name: desk, agents: [li, wang]}
    - {name: others, agents: [zhao]}
  people:
    - {name: chen, groups: [desk], may: [score, see, coach]}
    - {name: sun, may: [score, see, decide, calibrate, publish, coach]}
    - {name: wang, may: [score, see]}
    - {name: li2, agent: li}
"""


@dataclass
class Box:
    parts: Parts
    clock: list[float] = field(default_factory=lambda: [MONDAY])
    figures: dict[tuple[str, str], float] = field(default_factory=dict)

    def ask(self, request: Request[Any]) -> Any:
        answer: Callable[[Parts, Any], Reply] = ANSWERS[type(request)]
        return answer(self.parts, request)

    def record(self, number: int, **facts: Any) -> str:
        """A finished recording of `agent` that began at `began_at`."""
        name, began_at = f"{number:032x}", facts.pop("began_at", self.clock[0] - 3600.0)
        duration_s = facts.pop("duration_s", 120.0)
        with self.parts.database.write() as connection:
            add(connection, Finished(
                recording=name, began_at=began_at, ended_at=began_at + duration_s,
                duration_ticks=round(duration_s * 100), gap_ticks=0, first_tick=0, format="opus", octets=1,
                file_octets=1, sha256="", path=f"{name}.blr", peaks=b"", silences=b""))
            connection.execute(update(schema.recordings).where(schema.recordings.c.recording == name).values(
                **{"contact": f"c{number}", "agent": "li", "queue": "sales", "direction": "in"} | facts))
        return name

    def score_of(self, recording: str) -> float | None:
        with self.parts.database.read() as connection:
            found: float | None = connection.execute(select(schema.recordings.c.score).where(
                schema.recordings.c.recording == recording)).scalar()
            return found


def make_box(folder: Path, quality: str = "") -> Box:
    """With the form published; `quality`: more lines of that section."""
    (folder / "forms").mkdir(exist_ok=True)
    (folder / "forms" / "service.yaml").write_text(FORM)
    (folder / "box.yaml").write_text(CONFIG + quality)
    config: Config = load(folder / "box.yaml")
    clock = [MONDAY]
    keys = Keys(folder / "keys")
    of_quality = {"folder": folder, "config": config, "now": lambda: clock[0], "ask": _silent,
                  "database": schema.open_catalogue(folder), "keys": keys, "chain": Chain(keys)}
    others: dict[str, Any] = {one.name: None for one in fields(Parts)}   # that quality has nothing to do with
    parts = Parts(**others | of_quality)
    return Box(parts, clock)


def _silent(request: Request[Any], timeout_s: float = 2.0) -> Any:
    raise AssertionError(f"nobody is asked {request}")


def said(greeting: float | None = 1, verified: float | None = 1, listens: float | None = 5,
         solves: float | None = 10) -> list[QualityAnswer]:
    return [QualityAnswer(item=name, value=value) for name, value in {
        "greeting": greeting, "verified": verified, "listens": listens, "solves": solves}.items()]
