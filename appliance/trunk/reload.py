"""Which settings trunkd can take over while it runs. Pure."""
from collections.abc import Callable, Collection

from appliance.bus.client import Refused
from appliance.config.changes import changes
from appliance.config.lines import SpanConfig
from appliance.config.schema import Config

AT_START = {                                      # section -> who reads it when it starts
    "clock": "spand", "media": "spand", "web": "webui", "cards": "boxd"}
ANEW = ("url", "side", "timeslots")               # of a span without calls, whose link begins anew
# Of other daemons
ELSEWHERE = ("centre", "recording", "retention", "archive", "quality", "backup", "update")


def needs_a_new_link(old: SpanConfig, new: SpanConfig) -> bool:
    """Layer 2 has to begin anew, as for a span that was not there."""
    return (old.side, old.url, old.bearers) != (new.side, new.url, new.bearers)


def check_reload(old: Config, new: Config, busy: Collection[str],
                 spand_has: Callable[[str], bool]) -> list[str]:
    """The keys of `new` that trunkd is to take over. Refused, with a line for each key that cannot be.

    `busy`: spans that have calls; `spand_has` a span's D-channel.
    """
    names = {span.name for span in old.spans}, {span.name for span in new.spans}
    wrong: list[str] = []
    ours: list[str] = []
    for key in changes(old, new):
        section, _, rest = key.partition(".")
        span, _, setting = rest.partition(".")
        if section in ELSEWHERE:
            continue
        ours.append(key)
        if section in AT_START:
            wrong.append(f"{key}: {AT_START[section]} reads it when it starts: put it back, "
                         "or start the box anew")
        elif section == "spans" and setting in ANEW and span in busy:
            wrong.append(f"{key}: calls are on it: branchline busy-out {span}, and again when they are over")
        elif section == "spans" and span not in names[0] and not spand_has(span):
            wrong.append(f"{key}: spand does not have it: start spand anew (calls that talk go on, "
                         "after a gap of some 1.5 s), then reload again")
        elif section == "spans" and span not in names[1] and span in busy:
            wrong.append(f"{key}: calls are on it: branchline busy-out {span}, and reload when they are over")
    if wrong:
        raise Refused("\n".join(wrong))
    return ours
