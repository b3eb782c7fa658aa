"""How full the disk of the recordings is, as levels that do not flicker. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from appliance.config.retention import LowSpaceConfig, QuotaConfig

GIB, MIB = 2 ** 30, 2 ** 20
# The journal of all channels has room for so long when a level begins, however small the shares are.
WARN_S, URGENT_S, FULL_S = 3600, 600, 60
CLEAR = 1.1                                       # so much of a level's limit must be free to leave it


class Level(IntEnum):
    OK = 0
    LOW = 1
    URGENT = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Disk:
    """Octets; `journal_octets_s` is what all channels together record in a second."""

    total: int
    free: int
    journal_octets_s: int


def limits(disk: Disk, config: LowSpaceConfig) -> dict[Level, float]:
    """Free octets below which a level begins."""
    full = max(config.full_mebibytes * MIB, FULL_S * disk.journal_octets_s)
    urgent = max(config.urgent_percent / 100 * disk.total, URGENT_S * disk.journal_octets_s, full)
    low = max(config.warn_percent / 100 * disk.total, WARN_S * disk.journal_octets_s, urgent)
    return {Level.FULL: full, Level.URGENT: urgent, Level.LOW: low}


def level(disk: Disk, config: LowSpaceConfig, before: Level) -> Level:
    """A level begins at its limit and ends when a tenth more than that is free."""
    return next((one for one, limit in limits(disk, config).items()
                 if disk.free < limit * (CLEAR if before >= one else 1)), Level.OK)


def quota_octets(config: QuotaConfig, total: int) -> int | None:
    """What recordings may take; None: no quota."""
    allowed = [share for share in (
        None if config.gib is None else int(config.gib * GIB),
        None if config.percent is None else int(config.percent / 100 * total)) if share is not None]
    return min(allowed, default=None)


def over(disk: Disk, used: int, quota: QuotaConfig, low_space: LowSpaceConfig, now: Level) -> int:
    """Octets that have to go: above the quota and, where there is one, what a disk in need is short of."""
    allowed = quota_octets(quota, disk.total)
    if allowed is None:
        return 0
    short = int(limits(disk, low_space)[Level.URGENT] * CLEAR) - disk.free if now >= Level.URGENT else 0
    return max(0, used - allowed, short)
