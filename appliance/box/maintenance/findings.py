"""What the box's own rounds look at, and what a figure comes to. Pure: what was measured in, a finding out.

good: nothing to do; attend: somebody should see to it, nothing fails yet; failed: it does not do what it is
there for; undone: it could not be looked at, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.box.backup.contents import NO_ROOM
from appliance.box.fitness import ROUND
from appliance.box.maintenance.lists import DAY_S, FREE_SHARE, FULL_IN_DAYS, Facts
from appliance.box.maintenance.packets import Packets, damaged
from appliance.box.maintenance.words import WORDS
from appliance.box.network_cards import NetworkCard
from appliance.bus.messages import (
    BackupInfo,
    BackupReply,
    CallTested,
    ChainChecked,
    Hardware,
    RecordingCheck,
    RoutineKind,
    SelfChecked,
    StorageState,
    UpdateState,
    WallClock,
)
from appliance.bus.messages.maintenance import Outcome
from appliance.config.update import TrialCallConfig
from appliance.isdn.causes import NO_CHANNEL, PRE_EMPTION

WEEK_S = 7.5 * DAY_S                              # of daily records: seven, whatever the clock did
SYNC_S, SLOWEST_S = 0.1, 2.0                      # a commit waits for the disk: usually, at worst
OFF_S, DRIFT_PPM, RTC_S = 1.0, 200.0, 10.0        # of the clock
DAMAGED_SHARE = 1e-4                              # of a network card's packets: a cable or a port is bad
SOON_DAYS = 30                                    # a certificate's end
WORN_SHARE = 0.8                                  # of a disk's expected life, as storage.devices judges it
MOST_NAMED = 5                                    # in a sentence


@dataclass(frozen=True, slots=True)
class Item:
    en: str
    zh: str
    rounds: tuple[RoutineKind, ...]
    calm: bool = False                            # waits until calls would not suffer


_BOTH: tuple[RoutineKind, ...] = ("weekly", "monthly")

ITEMS: dict[str, Item] = {                        # in the order they are looked at
    "programs": Item("programs and condition", "程序与设备状态", _BOTH),
    "lines": Item("lines", "线路", _BOTH),
    "network": Item("network", "网络", _BOTH),
    "clock": Item("clock", "时钟", _BOTH),
    "board": Item("temperatures, fan, power", "温度、风扇、供电", _BOTH),
    "certificate": Item("certificate of the pages", "网页证书", _BOTH),
    "backup": Item("backups", "备份", _BOTH),
    "updates": Item("software version", "软件版本", _BOTH),
    "wear": Item("wear of the storage", "存储器磨损", ("monthly",)),
    "call": Item("test call", "测试通话", _BOTH, calm=True),
    "disk": Item("disk: room, writing, errors", "磁盘：空间、写入、错误", _BOTH, calm=True),
    "recordings": Item("recordings of the week", "一周录音", _BOTH, calm=True),
    "chain": Item("chain of the recordings", "录音链", ("monthly",), calm=True),
    "restore": Item("restore of a backup, tried out", "备份试恢复", ("monthly",), calm=True),
}
# Those of which a failure is a reason of the box's condition: nothing else watches them all the time.
REASONS = ("call", "disk", "certificate", "recordings", "chain", "restore")


@dataclass(frozen=True, slots=True)
class Found:
    """`words`: of WORDS, with `said` filled in."""

    result: Outcome
    words: str
    figure: str = ""
    limit: str = ""
    said: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiskProbe:
    """How long the disk took to keep small blocks, one after another. error: "": it gave them back, too."""

    syncs_s: tuple[float, ...] = ()
    octets_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """The certificate that browsers get. until: Unix seconds; error: why there is none to be had; away:
    because nobody serves."""

    tls: bool
    until: float = 0.0
    own: bool = False                             # the box signed it
    error: str = ""
    away: bool = False


def of_round(kind: RoutineKind) -> list[str]:
    return [name for name, item in ITEMS.items() if kind in item.rounds]


def checked(item: str, found: Found, at: float, took_s: float) -> SelfChecked:
    """With its words: the log is read when they are others."""
    told, words = ITEMS[item], WORDS[found.words]
    return SelfChecked(
        item=item, title={"en": told.en, "zh": told.zh}, result=found.result, figure=found.figure,
        limit=found.limit, text=words.text(**found.said), next=words.next(), at=at, took_s=round(took_s, 3))


def programs(facts: Facts) -> Found:
    if facts.health is None or facts.fitness is None:
        return Found("undone", "programs-unknown")
    every = facts.health.daemons
    down = [one.daemon for one in every if one.state != "up"]
    figure, limit = f"{len(every) - len(down)}/{len(every)}", f"{len(every)}"
    if down:
        return Found("failed", "programs-down", figure, limit, _named(down))
    # Not what an earlier round found: this one looks at it itself.
    reasons = [f"{one.code} {one.about}".strip() for one in facts.fitness.reasons
               if not one.code.startswith(ROUND)]
    if reasons:
        return Found("attend", "programs-unwell", figure, limit, _named(reasons))
    return Found("good", "programs", figure, limit)


def lines(facts: Facts) -> Found:
    """Up, and without severely errored or unavailable seconds in the last week's records."""
    if not facts.spans:
        return Found("undone", "lines-unknown")
    bad: dict[str, int] = {}
    for one in facts.records:
        if one.record is not None and one.at > facts.now - WEEK_S:
            for name, span in one.record.spans.items():
                bad[name] = bad.get(name, 0) + (span.ses or 0) + (span.uas or 0)
    figure = ", ".join(f"{name} {seconds} s" for name, seconds in sorted(bad.items()))
    limit = "SES+UAS 0 s / 7 d" if bad else ""
    dark = sorted(span.span for span in facts.spans.values() if not span.up and not span.lent)
    if dark:
        return Found("failed", "lines-dark", figure, limit, _named(dark))
    if wrong := sorted(name for name, seconds in bad.items() if seconds):
        return Found("attend", "lines-errors", figure, limit, _named(wrong))
    return Found("good", "lines", figure, limit, _named(sorted(facts.spans)))


def network(cards: Sequence[NetworkCard], now: Packets, before: Packets | None = None) -> Found:
    """Since the last round, else since the box started: a card counts from there. One that nothing is plugged
    into is no trouble beside another that has its link."""
    if not cards:
        return Found("undone", "network-none")
    linked = [card for card in cards if card.linked is not False]
    share = {card.name: damaged(card, now, before) for card in linked}
    figure = ", ".join(
        f"{card.name} {f'{card.mbps} Mbit/s ' if card.mbps else ''}{share[card.name]:.3%}" for card in linked)
    limit = f"{DAMAGED_SHARE:.2%}"
    if not linked:
        return Found("failed", "network-dark", "", "", _named([card.name for card in cards]))
    if bad := [card.name for card in linked if share[card.name] > DAMAGED_SHARE]:
        return Found("attend", "network-errors", figure, limit, _named(bad))
    return Found("good", "network", figure, limit, _named([card.name for card in linked]))


def clock(wall: WallClock | None, drift_ppm: float | None) -> Found:
    """`drift_ppm`: of the crystal, as the kernel corrects it; None: it does not say."""
    if wall is None:
        return Found("undone", "clock-unknown")
    figure = ", ".join([wall.source, f"{wall.offset_s * 1000:+.1f} ms",
                        *([] if drift_ppm is None else [f"{drift_ppm:+.1f} ppm"]),
                        *([] if wall.rtc_offset_s is None else [f"RTC {wall.rtc_offset_s:+.0f} s"])])
    limit = f"NTP/PTP, ±{OFF_S:g} s, ±{DRIFT_PPM:g} ppm, RTC ±{RTC_S:g} s"
    if wall.source == "unknown":
        return Found("failed", "clock-unset", figure, limit)
    if wall.source == "rtc":
        return Found("attend", "clock-battery", figure, limit)
    if (wall.error_s is not None and wall.error_s > OFF_S) or abs(wall.offset_s) > OFF_S:
        return Found("attend", "clock-off", figure, limit)
    if drift_ppm is not None and abs(drift_ppm) > DRIFT_PPM:
        return Found("attend", "clock-drift", figure, limit)
    if wall.rtc_offset_s is not None and abs(wall.rtc_offset_s) > RTC_S:
        return Found("attend", "clock-rtc", figure, limit)
    return Found("good", "clock", figure, limit)


def board(hardware: Hardware | None) -> Found:
    if hardware is None:
        return Found("undone", "board-unknown")
    if not hardware.board or not (hardware.readings or hardware.inputs):
        return Found("undone", "board-none")
    unit = {"celsius": "°C", "rpm": "/min"}
    figure = ", ".join([
        *(f"{one.name} {one.value:.0f} {unit.get(one.unit, one.unit)}" for one in hardware.readings),
        *(name for name, on in sorted(hardware.inputs.items()) if on)])
    limit = ", ".join(f"{one.name} {'<' if one.unit == 'celsius' else '≥'} {one.low:.0f}"
                      for one in hardware.readings if one.low is not None)
    if hardware.trouble:
        return Found("failed", "board-trouble", figure, limit, _named(sorted(hardware.trouble)))
    on = [name for name in ("power_fail", "battery_low", "on_battery") if hardware.inputs.get(name)]
    if on:
        return Found("attend" if on == ["on_battery"] else "failed", "board-battery", figure, limit)
    outside = [one.name for one in hardware.readings if one.low is not None
               and (one.value >= one.low if one.unit == "celsius" else one.value < one.low)]
    if outside:
        return Found("attend", "board-range", figure, limit, _named(outside))
    return Found("good", "board", figure, limit)


def certificate(served: Served, now: float) -> Found:
    if served.away:
        return Found("undone", "away", said={"why": served.error})
    if served.error:
        return Found("failed", "certificate-unusable", said={"why": served.error})
    if not served.tls:
        return Found("undone", "certificate-none")
    days = (served.until - now) / DAY_S
    figure, limit = f"{days:.0f} d", f"> {SOON_DAYS} d"
    own = "certificate-own" if served.own else "certificate"
    if days <= 0:
        return Found("failed", f"{own}-over", figure, limit)
    if days <= SOON_DAYS:
        return Found("attend", f"{own}-soon", figure, limit)
    return Found("good", "certificate", figure, limit)


def backup(reply: BackupReply, now: float) -> Found:
    if not reply.path:
        return Found("attend", "backup-off")
    made = next((one for one in reply.backups if not one.error), None)
    figure = "" if made is None else f"{max(0.0, now - made.at) / DAY_S:.1f} d"
    if reply.backups and reply.backups[0].error:
        return Found("failed", "backup-failed", figure, said={"why": reply.backups[0].error})
    if made is None:
        return Found("failed", "backup-never")
    if reply.overdue:
        return Found("failed", "backup-overdue", figure)
    if made.hub_error:
        return Found("attend", "backup-hub", figure, said={"why": made.hub_error})
    return Found("good", "backup", figure)


def updates(update: UpdateState, bundles: Sequence[str]) -> Found:
    """`bundles`: updates that lie in the box."""
    if update.unusable:
        return Found("attend", "updates-slot", update.version, said=_named(update.unusable))
    if update.slot and update.trial == update.slot:
        return Found("attend", "updates-trial", update.version)
    if bundles:
        return Found("attend", "updates-there", update.version, said=_named(bundles))
    return Found("good", "updates", update.version) if update.slot else Found(
        "undone", "updates-none", update.version)


def wear(storage: StorageState | None) -> Found:
    if storage is None:
        return Found("failed", "disk-away")
    known = [one for one in storage.devices if one.wear != "unknown" or one.trouble]
    if not known:
        return Found("undone", "wear-untold")
    figure = ", ".join(f"{one.name} {one.used_share:.0%}" if one.used_share is not None and not one.trouble
                       else f"{one.name} {one.trouble or one.wear}" for one in known)
    limit = f"{WORN_SHARE:.0%}"
    if any(one.wear == "urgent" or one.trouble for one in known):
        return Found("failed", "wear-urgent", figure, limit)
    if any(one.wear == "worn" for one in known):
        return Found("attend", "wear-worn", figure, limit)
    return Found("good", "wear", figure, limit)


def call(config: TrialCallConfig | None, tested: CallTested | None) -> Found:
    """None: no number is set, and nothing was called."""
    if config is None or tested is None:
        return Found("undone", "call-unset")
    limit = f"{config.answer_within_s:g} s, {config.level_dbm0:g} dBm0"
    figure = ", ".join([*([] if tested.answer_s is None else [f"{tested.answer_s:.1f} s"]),
                        *([] if tested.level_dbm0 is None else [f"{tested.level_dbm0:.0f} dBm0"])])
    said: dict[str, object] = {"number": tested.number, "trunk": tested.trunk, "why": tested.error}
    if tested.cause in (NO_CHANNEL, PRE_EMPTION):                    # others needed it
        return Found("undone", "call-full", said=said)
    return Found("failed", "call-failed", figure, limit, said) if tested.error else Found(
        "good", "call", figure, limit, said)


def disk(storage: StorageState | None, probe: DiskProbe) -> Found:
    if storage is None or not storage.total:
        return Found("failed", "disk-away")
    syncs = sorted(probe.syncs_s)
    usual, slowest = (syncs[len(syncs) // 2], syncs[-1]) if syncs else (0.0, 0.0)
    free = storage.free / storage.total
    figure = ", ".join([f"{free:.0%}", *([
        f"fsync {usual * 1000:.1f} ms ({slowest * 1000:.0f} ms)", f"{probe.octets_s / 1e6:.1f} MB/s"]
        if syncs else [])])
    limit = f"{FREE_SHARE:.0%}, fsync {SYNC_S * 1000:.0f} ms ({SLOWEST_S * 1000:.0f} ms)"
    wrong = probe.error or storage.trouble or ("read-only" if storage.read_only else "")
    if wrong:
        return Found("failed", "disk-lost", figure, limit, {"why": wrong})
    if storage.errors:
        return Found("attend", "disk-errors", figure, limit, {"count": storage.errors})
    if usual > SYNC_S or slowest > SLOWEST_S:
        return Found("attend", "disk-slow", figure, limit)
    if free < FREE_SHARE:
        return Found("attend", "disk-room", figure, limit)
    days = (storage.full_at - storage.at) / DAY_S
    if storage.full_at and days < FULL_IN_DAYS:
        return Found("attend", "disk-soon", figure, limit, {"count": round(max(0.0, days))})
    return Found("good", "disk", figure, limit)


def recordings(checks: Sequence[RecordingCheck]) -> Found:
    """Each hour's recordings against what the event log and the chain say there must be."""
    sums = {name: sum(getattr(one, name) for one in checks)
            for name in ("expected", "found", "missing", "orphans", "differing", "altered")}
    figure, limit, said = f"{sums['found']}/{sums['expected']}", "100%", dict[str, object](sums)
    if sums["missing"] or sums["altered"]:
        return Found("failed", "recordings-lost", figure, limit, said)
    if sums["orphans"] or sums["differing"]:
        return Found("attend", "recordings-differ", figure, limit, said)
    return Found("good", "recordings", figure, limit)


def chain(told: ChainChecked) -> Found:
    if told.broken_seq is not None:
        return Found("failed", "chain-broken", f"{told.entries}",
                     said={"seq": told.broken_seq, "why": told.why})
    return Found("good", "chain", f"{told.entries}")


def restore(tried: BackupInfo | None) -> Found:
    """`tried`: with what came of it just now; None: there is no backup that it could be tried with."""
    if tried is None:
        return Found("undone", "restore-none")
    figure = tried.path.rpartition("/")[2]
    if NO_ROOM in tried.trial_error:
        return Found("undone", "restore-room", figure, said={"why": tried.trial_error})
    if tried.trial_error:
        return Found("failed", "restore-failed", figure, said={"why": tried.trial_error})
    return Found("good", "restore", figure)


def _named(names: Sequence[str]) -> dict[str, object]:
    more = len(names) - MOST_NAMED
    return {"names": ", ".join(names[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")}
