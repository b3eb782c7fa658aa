"""What is told of a trunk: its settings in force, and how many calls have it. Pure."""

from collections.abc import Iterable

from appliance.bus.messages import ReservedInfo, TrunkInfo
from appliance.trunk.groups import Use, is_for
from appliance.trunk.legs import Leg
from appliance.trunk.trunk import Trunk


def trunk_info(trunk: Trunk, calls: Iterable[Leg]) -> TrunkInfo:
    """`calls`: of all trunks."""
    config = trunk.config
    infos = [leg.info for leg in calls if leg.info.trunk == config.name]
    uses = [Use(info.inbound, info.called, info.complete) for info in infos]
    return TrunkInfo(
        trunk=config.name, spans=list(trunk.spans), hunting=config.hunting, overflow=list(config.overflow),
        reserved=[ReservedInfo(name=share.name, direction=share.direction, called=list(share.called),
                               channels=share.channels, most=share.most,
                               used=sum(is_for(share, use) for use in uses)) for share in config.reserved],
        emergency=sorted(config.emergency), calling=config.caller_id.default or "",
        country=config.numbers.country if config.numbers else "",
        area=config.numbers.area if config.numbers else "",
        calls_in=sum(info.inbound for info in infos), calls_out=sum(not info.inbound for info in infos))
