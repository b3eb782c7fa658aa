"""The disks as the kernel tells of them in /sys: kind, size, wear, what was written.

Ref: Linux Documentation/driver-api/mmc/mmc-dev-attrs.rst; JESD84-B51 (eMMC 5.1), EXT_CSD[267..269];
Documentation/block/stat.rst.
"""

from pathlib import Path

from appliance.bus.messages import StorageDevice
from appliance.bus.messages.storage import Wear

SYS = Path("/sys")
SECTOR_OCTETS = 512                               # of /sys/block, whatever the disk's own
WORN_SHARE = 0.8
_NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_BOOT_PARTS = ("boot0", "boot1", "rpmb")          # of an eMMC: not for data
_TENTHS = range(1, 12)                            # EXT_CSD[268]: 1 is up to 10 % used, 11 more than all
_PRE_EOL: dict[int, Wear] = {1: "good", 2: "worn", 3: "urgent"}      # EXT_CSD[267]: of the spare blocks


def devices(sys: Path = SYS) -> list[StorageDevice]:
    """By name. What cannot be read is not known."""
    try:
        names = sorted(path.name for path in (sys / "block").iterdir())
    except OSError:
        return []
    return [_device(sys / "block" / name, name) for name in names
            if not name.startswith(_NOT_DISKS) and not name.endswith(_BOOT_PARTS)]


def _device(block: Path, name: str) -> StorageDevice:
    device, size = block / "device", _whole(_read(block / "size"))
    octets = (size or 0) * SECTOR_OCTETS
    written = _written(block)
    if name.startswith("mmcblk"):
        share, wear = _worn(_numbers(_read(device / "life_time")), _numbers(_read(device / "pre_eol_info")))
        return StorageDevice(
            name=name, kind="SD card" if _read(device / "type") == "SD" else "eMMC",
            model=_read(device / "name")[:80], octets=octets, wear=wear, used_share=share,
            written_octets=written)
    if name.startswith("nvme"):
        state = _read(device / "state") or "live"
        return StorageDevice(name=name, kind="NVMe", model=_read(device / "model")[:80], octets=octets,
                             written_octets=written, trouble="" if state == "live" else state)
    return StorageDevice(name=name, kind="disk", model=_read(device / "model")[:80], octets=octets,
                         written_octets=written, trouble=_scsi(_read(device / "state")))


def _worn(life_time: list[int], pre_eol: list[int]) -> tuple[float | None, Wear]:
    """The worse of the two kinds of cells; 0 is: not told."""
    tenths = max((one for one in life_time[:2] if one in _TENTHS), default=None)
    spare: Wear = _PRE_EOL.get(pre_eol[0], "unknown") if pre_eol else "unknown"
    if tenths is None:
        return None, spare
    share = tenths / 10
    wear: Wear = "urgent" if share > 1.0 else "worn" if share > WORN_SHARE else "good"
    order: tuple[Wear, ...] = ("unknown", "good", "worn", "urgent")
    return share, max(wear, spare, key=order.index)


def _written(block: Path) -> int | None:
    fields = _read(block / "stat").split()
    sectors = _whole(fields[6]) if len(fields) > 6 else None
    return None if sectors is None else sectors * SECTOR_OCTETS


def _scsi(state: str) -> str:
    return "" if state in ("", "running") else state


def _numbers(text: str) -> list[int]:
    """Of "0x01 0x02"."""
    found = []
    for part in text.split():
        try:
            found.append(int(part, 16))
        except ValueError:
            return []
    return found


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _read(path: Path) -> str:
    """"": it is not there, or the kernel refuses."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
