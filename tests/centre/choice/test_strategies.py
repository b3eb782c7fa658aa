"""Which of several free agents, strategy by strategy."""

from typing import Any

import pytest

from appliance.centre.choice.history import Pace
from tests.centre.choice.branch import Branch, agent, queue

NAMES = ["ann", "bo", "cai"]
FEWEST = {"strategy": "fewest-calls"}
SHARES = {"strategy": "percentage", "shares": {"ann": 75, "bo": 25}}
IDLE = {"ann": 30.0, "bo": 20.0, "cai": 10.0}


@pytest.mark.parametrize(("keys", "facts", "pace", "chosen"), [
    ({}, {}, {}, ("cai",)),
    (FEWEST, {"ann": {"calls": 3}, "bo": {"calls": 2}, "cai": {"calls": 4}}, {}, ("bo",)),
    (FEWEST, {"ann": {"calls": 3}, "bo": {"calls": 2}, "cai": {"calls": 2}}, {}, ("cai",)),
    ({"strategy": "least-occupied"},              # 50 of 100 s, 30 of 50 s, 60 of 100 s
     {"ann": {"busy_s": 50.0}, "bo": {"busy_s": 30.0, "logged_in_at": 50.0}, "cai": {"busy_s": 60.0}},
     {}, ("ann",)),
    ({"strategy": "round-robin"}, {}, {"last": "ann"}, ("bo",)),
    ({"strategy": "round-robin"}, {}, {"last": "cai"}, ("ann",)),
    ({"strategy": "best-skill"}, {}, {}, ("bo",)),
    ({"strategy": "ring-all", "most_rung": 2}, {}, {}, ("cai", "bo")),
    ({"strategy": "ring-all"}, {}, {}, ("cai", "bo", "ann")),
    ({"strategy": "last-agent-first"}, {}, {}, ("ann",)),
    (SHARES, {}, {"talks": {"ann": 2.5, "bo": 0.5}}, ("ann",)),
    (SHARES, {}, {"talks": {"ann": 3.5, "bo": 0.0}}, ("bo",)),
    ({"preferred": {"cats": 2}}, {}, {}, ("ann",)),
    ({"preferred": {"dogs": 2}, "strategy": "round-robin"}, {}, {"last": "ann"}, ("bo",)),
])
def test_who_is_chosen(keys: dict[str, Any], facts: dict[str, Any], pace: dict[str, Any],
                       chosen: tuple[str, ...]) -> None:
    main = queue("main", **{"skills": {"tech": 1}, **keys})
    branch = Branch([main], [agent("ann", tech=2, cats=2), agent("bo", tech=9, dogs=3),
                             agent("cai", tech=5, cats=1, dogs=2)])
    branch.history.paces["main"] = Pace(**pace)
    branch.history.last_agents["139"] = "ann"
    for name in NAMES:
        branch.agent(name, **{"idle_since": IDLE[name], **facts.get(name, {})})
    branch.join("c1", "main", caller="139")
    assert branch.decisions(100.0) == {"c1": chosen}


def test_percentages_are_kept_in_the_long_run() -> None:
    shares = {"ann": 50, "bo": 30, "cai": 20}
    branch = Branch([queue("main", agents=NAMES, strategy="percentage", shares=shares)],
                    [agent(name) for name in NAMES])
    count = dict.fromkeys(NAMES, 0)
    for number in range(200):
        for name in NAMES:
            branch.agent(name)
        branch.join(f"c{number}", "main")
        (name,), = branch.decisions(0.0).values()
        branch.floor.contact_gone(f"c{number}")
        branch.history.talked("main", name, "", 0.0, 0.0, None)
        count[name] += 1
    assert {name: round(talks / 2) for name, talks in count.items()} == pytest.approx(shares, abs=2)
