"""Emergency numbers: which trunk knows which, and by which one an extension's call gets out. Pure.

An emergency number goes before every pattern of the dial plan; only what is configured as exactly this number
(a flow, an agent's extension, a rule without wildcards) goes before it.

Ref: the countries' numbers are those of phonenumbers.
"""
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.config.lines import PRIVATE_PROFILES, SpanConfig, TrunkConfig
from appliance.config.pattern import DialPattern
from appliance.config.schema import CentreConfig, Config


def known_numbers(trunk: TrunkConfig, spans: Sequence[SpanConfig], country: str) -> frozenset[str]:
    """Those of one trunk. Toward a PBX or in a private network a short number is an extension, unless it is
    configured. `country` as in NumbersConfig, for a trunk without one."""
    if trunk.numbers is not None:
        country = trunk.numbers.country
    return frozenset(trunk.emergency) | (of_country(country) if _public(spans) else frozenset())


@functools.cache
def of_country(country: str) -> frozenset[str]:
    """The country's own; none when it is not known."""
    from phonenumbers import PhoneMetadata, shortnumberinfo  # here: 1.4 MB, not for all

    metadata = PhoneMetadata.short_metadata_for_region(country)
    text = metadata.emergency.national_number_pattern if metadata and metadata.emergency else None
    if not text:
        return frozenset()
    pattern, so_far, found = DialPattern(text), [""], set()
    while so_far:
        longer = [number + digit for number in so_far for digit in "0123456789"]
        found |= {number for number in longer if shortnumberinfo.is_emergency_number(number, country)}
        so_far = [number for number in longer if pattern.may_grow(number)]
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Emergency:
    """`numbers`: what each trunk knows. `ways`: by trunk with extensions, number -> trunk it leaves by."""

    numbers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ways: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def knows(self, number: str) -> bool:
        """Some trunk does."""
        return any(number in known for known in self.numbers.values())


def emergency(config: Config) -> Emergency:
    """Of the whole box. A way is the first trunk of the dial plan's rules for these extensions that knows the
    number, else the first of the document; those with agents come last."""
    members: dict[str, list[SpanConfig]] = {}
    for span in config.spans:
        members.setdefault(span.trunk, []).append(span)
    country = config.media.country.upper()
    numbers = {name: known_numbers(config.trunk(name), spans, country) for name, spans in members.items()}
    with_agents = {agent.trunk for agent in config.centre.agents}
    ways: dict[str, dict[str, str]] = {}
    for name, spans in members.items():
        ruled = [route.to for route in config.centre.outbound if route.trunk == name and route.to != name]
        if _public(spans) and name not in with_agents and not any(numbers[to] for to in ruled):
            continue                              # no extension calls from there
        others = sorted((other for other in members if other != name), key=lambda one: one in with_agents)
        ways[name] = {number: to for to in reversed([*ruled, *others]) for number in numbers[to]}
    return Emergency(numbers, ways)


def instead(centre: CentreConfig, known: Emergency, trunk: str, number: str) -> str:
    """What extensions of `trunk` reach by exactly this number; "": an emergency call may go."""
    for inbound in centre.inbound:
        if (inbound.trunk, inbound.called) == (trunk, number):
            return f"the flow {inbound.flow}"
    for entry in centre.entry:
        if trunk in entry.trunks and number in entry.called:
            return f"the entry rule {entry.name}"
    for rule in centre.outbound:
        if rule.trunk == trunk and (match := re.fullmatch(rule.called, number)):
            out = match[1] or ""
            if out in known.numbers.get(rule.to, ()):
                return ""
            agent = next((agent.name for agent in centre.agents
                          if (agent.trunk, agent.extension) == (rule.to, out)), "")
            literal = re.sub(r"\?:|[()^$]", "", rule.called) == number
            return f"agent {agent}" if agent else f"trunk {rule.to} by a rule of its own" if literal else ""
    return ""


def warnings(config: Config) -> Iterator[str]:
    """Where emergency numbers and numbers of the box are the same: a sentence each."""
    known = emergency(config)
    for trunk, ways in known.ways.items():
        for number in sorted(ways):
            if found := instead(config.centre, known, trunk, number):
                yield (f"{number} is an emergency number, but by it extensions of trunk {trunk} reach "
                       f"{found}: give that another number")
        for agent in config.centre.agents:
            extension = agent.extension
            if agent.trunk == trunk and extension is not None and extension in ways:
                yield (f"centre.agents: {agent.name}: {extension} is an emergency number of trunk "
                       f"{ways[extension]}: give the agent another extension")


def _public(spans: Sequence[SpanConfig]) -> bool:
    """The telephone company is at its far end, or a PBX that behaves as one."""
    return any(span.side == "user" and span.profile not in PRIVATE_PROFILES for span in spans)
