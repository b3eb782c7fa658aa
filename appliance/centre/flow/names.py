"""The names of a configuration that flows may use, and the flows that it names."""

from collections.abc import Mapping
from pathlib import Path

from appliance.centre.entry.small_flows import small_flows
from appliance.centre.flow.lint import Known
from appliance.centre.flow.load import load_flow
from appliance.centre.flow.model import Flow
from appliance.config import entrance
from appliance.config.quality import QualityConfig
from appliance.config.queues import skills_of
from appliance.config.schema import CentreConfig
from appliance.errors import ConfigError


def known(config: CentreConfig, quality: QualityConfig | None = None) -> Known:
    """Without `quality` any group of agents may be named."""
    return Known(
        queues=[queue.name for queue in config.queues],
        sources={source.name: source.for_secrets for source in config.sources},
        agents=[agent.name for agent in config.agents],
        skills=skills_of(config.agents),
        trunks=sorted({route.to for route in config.outbound} | {route.trunk for route in config.outbound}
                      | {agent.trunk for agent in config.agents if agent.trunk}
                      | {route.trunk for route in config.inbound}),
        calendars=[calendar.name for calendar in config.calendars],
        boxes=[box.name for box in config.voicemail], surveys=[survey.name for survey in config.surveys],
        groups=None if quality is None else [group.name for group in quality.groups])


def load_flows(config: CentreConfig) -> Mapping[str, Flow]:
    """All flows that the configuration names, by path. ConfigError has a line for every mistake in any."""
    names, flows, wrong = known(config), dict[str, Flow](), list[str]()
    for path in entrance.flows(config):
        try:
            flows[path] = load_flow(Path(path), names.queues, names)
        except ConfigError as error:
            wrong.append(str(error))
    try:
        flows |= small_flows(config)
    except ConfigError as error:
        wrong.append(str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return flows
