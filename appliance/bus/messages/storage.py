"""The box's disk: what takes how much of it, how worn it is, when it is full."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Reply, Request

Use = Literal["recordings", "traces", "events", "backup", "updates", "support", "logs", "others"]
USES: tuple[Use, ...] = ("recordings", "events", "traces", "backup", "updates", "support", "logs", "others")
Wear = Literal["good", "worn", "urgent", "unknown"]


class StorageDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A disk as far as the kernel tells. used_share: of its expected life, None: it does not say."""

    name: str
    kind: str                                     # eMMC, SD card, NVMe, disk
    model: str = ""
    octets: int = 0
    wear: Wear = "unknown"
    used_share: float | None = None               # 0.3: 30 % are used at most; over 1: longer than expected
    written_octets: int | None = None             # since the box started
    trouble: str = ""                             # what the kernel says is wrong with it


class StorageState(Reply, frozen=True):
    """Of the file system that the state folder is on. Octets."""

    at: float
    total: int
    free: int                                     # for the daemons
    uses: dict[str, int]                          # by Use; recordings with their journal
    read_only: bool
    trouble: str                                  # why nothing can be written; "": it can
    errors: int                                   # that the file system has counted; 0 of those that do not
    written_octets: int | None                    # to this file system in its life; None: it does not count
    devices: list[StorageDevice]
    growth_octets_day: float | None               # of what is used, from the daily records; None: too few
    days: int                                     # that growth was looked at
    full_at: float                                # when it is full if it goes on so; 0: it does not grow so


class GetStorage(Request[StorageState], frozen=True):
    owner: ClassVar[str] = "boxd"
