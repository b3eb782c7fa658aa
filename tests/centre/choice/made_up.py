"""Branches of any shape, for hypothesis: small, so that everything meets everything."""

from hypothesis import strategies as st

from appliance.centre.choice import History, Rules, Standing, Waiting
from appliance.centre.choice.history import Pace
from appliance.config.queues import AgentConfig, Overflow, QueueConfig, Reserve, Ring, ServiceLevel, Strategy

AGENTS = ["ann", "bo", "cai", "di", "eve"]
SKILLS = ["tech", "en", "south", "gold"]
ABOUT = ["language", "region", "grade"]
STRATEGIES: list[Strategy] = ["longest-idle", "fewest-calls", "least-occupied", "round-robin", "best-skill",
                              "ring-all", "last-agent-first", "percentage"]
LEVELS = st.sampled_from([1, 4, 7])
SECONDS = st.sampled_from([5.0, 10.0, 20.0, 30.0])


def skills(names: list[str], most: int) -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.sampled_from(names), LEVELS, max_size=most)


@st.composite
def queues(draw: st.DrawFn, name: str, others: list[str]) -> QueueConfig:
    asked = draw(skills(["tech", *ABOUT], 3))
    members = draw(st.lists(st.sampled_from(AGENTS), unique=True, min_size=0 if asked else 1))
    rings, after_s = list[Ring](), 0.0
    for _ in range(draw(st.integers(0, 3))):
        after_s += draw(SECONDS)
        rings.append(Ring(                        # also such as a check of the document would refuse
            after_s=after_s, lower=draw(skills(["tech", *ABOUT], 2)),
            drop=draw(st.lists(st.sampled_from(["tech", *ABOUT]), max_size=1)),
            agents=draw(st.lists(st.sampled_from(AGENTS), max_size=1)),
            queues=draw(st.lists(st.sampled_from(others), max_size=1)) if others else []))
    strategy = draw(st.sampled_from(STRATEGIES))
    spare = [agent for agent in AGENTS if agent not in members]
    reserve = None
    with_reserve: bool = draw(st.booleans())
    if spare and with_reserve:
        reserve = Reserve(agents=draw(st.lists(st.sampled_from(spare), min_size=1, unique=True)),
                          waiting=draw(st.integers(1, 3)), wait_s=draw(SECONDS))
    overflow = [Overflow(after_s=draw(SECONDS)), Overflow(no_agents=True)] if draw(st.booleans()) else []
    return QueueConfig(
        name=name, agents=members, skills=asked,
        preferred={name: level for name, level in draw(skills([*SKILLS, *ABOUT], 2)).items()
                   if name not in asked},
        strategy=strategy, shares={"ann": 60.0, "bo": 40.0} if strategy == "percentage" else {},
        priority=draw(st.sampled_from([0, 0, 5])), ageing_s=draw(SECONDS), most_rung=2, reserve=reserve,
        service_level=ServiceLevel(within_s=draw(SECONDS), percent=draw(st.sampled_from([50.0, 100.0]))),
        overflow=overflow, max_wait_s=draw(st.sampled_from([0.0, 40.0])), position_every_s=0.0,
    ).model_copy(update={"rings": rings})


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    names = ["sales", "service", "vip"][:draw(st.integers(1, 3))]
    return Rules(
        {name: draw(queues(name, names[:place])) for place, name in enumerate(names)},
        {name: AgentConfig(name=name, extension="8001", trunk="pbx", skills=draw(skills(SKILLS, 4)))
         for name in AGENTS},
        draw(st.sampled_from(["first-come", "service-level"])), {"gold": 3, "silver": 1})


@st.composite
def histories(draw: st.DrawFn, of: Rules) -> History:
    waits = st.lists(st.sampled_from([-50.0, -1.0, 0.0, 5.0, 15.0, 25.0, 60.0]), max_size=6)
    talks = st.dictionaries(st.sampled_from(AGENTS), st.sampled_from([0.5, 1.0, 2.0]))
    return History(
        paces={name: Pace(waits=draw(waits), last=draw(st.sampled_from(["", *AGENTS])), talks=draw(talks))
               for name in of.queues},
        last_agents=draw(st.dictionaries(st.sampled_from(["139", "138"]), st.sampled_from(AGENTS))))


@st.composite
def waitings(draw: st.DrawFn, of: Rules, line: int, now: float) -> Waiting:
    since = now - draw(st.sampled_from([0.0, 0.0, 3.0, 20.0, 60.0]))
    return Waiting(
        f"c{line}", draw(st.sampled_from(list(of.queues))), line, since,
        since + (now - since) * draw(st.sampled_from([0.0, 0.5, 1.0])),
        priority=draw(st.sampled_from([None, 0, 2])), grade=draw(st.sampled_from(["", "gold", "tin"])),
        region=draw(st.sampled_from(["south", "north", ""])), language=draw(st.sampled_from(["en", "zh"])),
        skills=draw(st.sampled_from([(), (("tech", 3),), (("chess", 1),)])),
        caller=draw(st.sampled_from(["", "139"])))


@st.composite
def standings(draw: st.DrawFn, agent: str, now: float) -> Standing:
    free = draw(st.booleans())
    return Standing(
        agent, free, now - draw(st.sampled_from([0.0, 1.0, 1.0, 9.0])), logged_in=free or draw(st.booleans()),
        logged_in_at=now - 100, calls=draw(st.integers(0, 3)), busy_s=draw(SECONDS),
        skills=draw(st.one_of(st.none(), skills(SKILLS, 3))) if draw(st.booleans()) else None,
        comes_back=draw(st.booleans()), since=now - draw(SECONDS),
        back_at=draw(st.sampled_from([None, now + 7.0])),
        also=draw(st.sampled_from([(), (), ("sales",), ("service", "vip")])),
        without=draw(st.sampled_from([(), (), ("sales",), ("vip",)])))
