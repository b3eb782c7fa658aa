"""Queues and agents in the document: what cannot be meant is told, with the queue and what to do."""

from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.config.queues import QueueConfig, skills_of
from appliance.errors import ConfigError

HEAD = """\
spans:
  - {name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}
centre:
  agents:
    - {name: ann, extension: "801", trunk: telco, skills: {billing: 7, en: 3}}
    - {name: bo, extension: "802", trunk: telco, skills: {billing: 4}}
    - {name: cai, extension: "803", trunk: telco}
"""
OTHER = "    - {name: other, agents: [cai], overflow: [{after_s: 9, to: main}]}\n"


def written(tmp_path: Path, keys: str, more: str = "") -> Path:
    path = tmp_path / "box.yaml"
    path.write_text(f"{HEAD}  queues:\n    - {{name: main, {keys}}}\n{more}")
    return path


@pytest.mark.parametrize("keys", [
    "agents: [ann]",
    "skills: {billing: 5}",
    "skills: {billing: 9}, rings: [{after_s: 20, lower: {billing: 4}}]",
    "skills: {billing: 9}, rings: [{after_s: 20, drop: [billing]}]",
    "skills: {billing: 9}, rings: [{after_s: 20, agents: [cai]}]",
    "skills: {language: 3, grade: 1}, preferred: {region: 5, billing: 7}",
    "agents: [cai], skills: {region: 1}, reserve: {agents: [bo], wait_s: 30}",
    "agents: [bo], skills: {billing: 7}, reserve: {agents: [ann], waiting: 3}",
    "agents: [ann, bo], strategy: percentage, shares: {ann: 70, bo: 30}",
    "agents: [ann], overflow: [{waiting: 10, estimate_s: 300}, {after_s: 60, no_agents: true, to: other}]",
])
def test_a_queue_that_can_be_meant(tmp_path: Path, keys: str) -> None:
    more = "    - {name: other, agents: [cai]}\n" if "other" in keys else ""
    config = load(written(tmp_path, keys, more))
    assert isinstance(config.centre.queues[0], QueueConfig)
    assert skills_of(config.centre.agents) == ["billing", "en"]


@pytest.mark.parametrize(("keys", "complaint"), [
    ("ring_s: 9", "main: who serves it? Give agents, skills or both"),
    ("skills: {bilingual: 1}", "main: no agent has skill 'bilingual', there are billing, en"),
    ("agents: [ann], preferred: {fr: 1}", "main: no agent has skill 'fr', there are billing, en"),
    ("skills: {billing: 11}", "queues[0].skills.billing: Input should be less than or equal to 10"),
    ("skills: {billing: 9}", "main: nobody can serve it, not even in its last ring"),
    ("agents: [cai], skills: {en: 1}", "main: nobody can serve it, not even in its last ring"),
    ("skills: {billing: 9}, rings: [{after_s: 20, lower: {billing: 8}}]", "not even in its last ring"),
    ("agents: [ann], rings: [{after_s: 20, agents: [dan]}]", "main: no agent is called 'dan'"),
    ("agents: [ann], rings: [{after_s: 20, queues: [main]}]", "main: no other queue is called 'main'"),
    ("agents: [ann], rings: [{after_s: 20}]", "main: ring after 20 s: changes nothing: give lower, drop"),
    ("skills: {en: 3}, rings: [{after_s: 9, drop: [en]}, {after_s: 9, agents: [bo]}]",
     "main: ring after 9 s: comes not after the one before it"),
    ("skills: {en: 3}, rings: [{after_s: 9, lower: {en: 3}}]", "after 9 s: lower: en: 3 is not below 3"),
    ("skills: {en: 3}, preferred: {en: 5}", "main: en: required or preferred, one of them"),
    ("agents: [ann], strategy: percentage", "main: strategy percentage and shares go together"),
    ("agents: [ann], shares: {ann: 100}", "main: strategy percentage and shares go together"),
    ("agents: [ann], strategy: percentage, shares: {ann: 90}", "main: shares: 90 in all: make it 100"),
    ("agents: [ann], strategy: percentage, shares: {dan: 100}", "main: no agent is called 'dan'"),
    ("agents: [ann], strategy: loudest", "queues[0].strategy: Input should be 'longest-idle',"),
    ("agents: [ann], reserve: {agents: [bo]}", "reserve: when does the queue need them? Give waiting"),
    ("agents: [ann], reserve: {agents: [ann], waiting: 3}", "main: reserve: ann: serves the queue anyway"),
    ("agents: [ann], reserve: {agents: [dan], waiting: 3}", "main: no agent is called 'dan'"),
    ("agents: [ann], overflow: [{to: other}]", "overflow[0]: when? Give after_s, waiting,"),
    ("agents: [ann], overflow: [{after_s: 9, waiting: 3}]", "before the contact waits: no after_s"),
    ("agents: [ann], overflow: [{after_s: 9, to: nowhere}]", "main: no other queue is called 'nowhere'"),
    ("agents: [ann], overflow: [{after_s: 9, to: other}]", "in a circle: main -> other -> main"),
    ("agents: [ann], priority: 101", "queues[0].priority: Input should be less than or equal to 100"),
    ("agents: [ann], ageing_s: 0", "queues[0].ageing_s: Input should be greater than 0"),
])
def test_a_mistake_is_told(tmp_path: Path, keys: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, keys, OTHER if "to: other" in keys else ""))
    line, = str(caught.value).splitlines()
    assert line.startswith(str(tmp_path)) and complaint in line


def test_a_skill_is_not_called_like_what_is_known_of_contacts(tmp_path: Path) -> None:
    path = written(tmp_path, "agents: [ann]")
    path.write_text(path.read_text().replace("billing: 4", "language: 4"))
    with pytest.raises(ConfigError, match=r"agents\[1\]: skills: language: stands for what is known"):
        load(path)


def test_grades_and_order(tmp_path: Path) -> None:
    path = written(tmp_path, "agents: [ann]", "  grades: {A: 10, 金卡: 30}\n  order: service-level\n")
    assert load(path).centre.grades == {"A": 10, "金卡": 30}
