"""What is looked at each week and each month, and what the box itself says of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appliance.bus.messages import (
    BackupReply,
    CardState,
    Checked,
    Fitness,
    Hardware,
    Health,
    MaintenanceEntry,
    MaintenanceItem,
    SelfChecked,
    SpanState,
    StorageState,
    UpdateState,
    WallClock,
)
from appliance.bus.messages.maintenance import MOST_REMARK, MOST_TEXT, PEOPLES, Result

DAY_S = 86_400.0
FREE_SHARE = 0.1                                  # of the disk: less is bad
FULL_IN_DAYS = 30
WEEK, MONTH = "weekly", "monthly"
MOST_NAME = 64

Says = tuple[Result | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the box knows of itself; None, {}: it does not know."""

    now: float
    health: Health | None = None
    fitness: Fitness | None = None
    hardware: Hardware | None = None
    clock: WallClock | None = None
    spans: Mapping[str, SpanState] = field(default_factory=dict)
    cards: Mapping[str, CardState] = field(default_factory=dict)
    update: UpdateState | None = None
    backup: BackupReply | None = None
    storage: StorageState | None = None
    records: Sequence[MaintenanceEntry] = ()      # of the last days, newest first
    looked: Mapping[str, SelfChecked] = field(default_factory=dict)  # what the box's own rounds found last


@dataclass(frozen=True, slots=True)
class Item:
    text: dict[str, str]
    lists: tuple[str, ...]
    says: Callable[[Facts], Says] = lambda facts: (None, "")         # of people: nobody else can see it


def _daemons(facts: Facts) -> Says:
    if facts.health is None:
        return None, ""
    down = [one.daemon for one in facts.health.daemons if one.state != "up"]
    return ("bad", ", ".join(down)) if down else ("good", f"{len(facts.health.daemons)}")


def _fitness(facts: Facts) -> Says:
    if facts.fitness is None:
        return None, ""
    reasons = ", ".join(f"{one.code} {one.about}".strip() for one in facts.fitness.reasons)
    return "good" if facts.fitness.state == "ok" else "bad", reasons or facts.fitness.state


def _lines(facts: Facts) -> Says:
    if not facts.spans:
        return None, ""
    dark = [span.span for span in facts.spans.values() if not span.up]
    return ("bad", ", ".join(sorted(dark))) if dark else ("good", ", ".join(sorted(facts.spans)))


def _errors(facts: Facts) -> Says:
    """Severely errored and unavailable seconds of the last week's records."""
    recent = [one.record for one in facts.records if one.record and one.at > facts.now - 7.5 * DAY_S]
    seconds: dict[str, int] = {}
    for record in recent:
        for name, span in record.spans.items():
            seconds[name] = seconds.get(name, 0) + (span.ses or 0) + (span.uas or 0)
    if not seconds:
        return None, ""
    text = ", ".join(f"{name} SES+UAS {count} s" for name, count in sorted(seconds.items()))
    return "bad" if any(seconds.values()) else "good", text


def _disk(facts: Facts) -> Says:
    disk = facts.storage
    if disk is None or not disk.total:
        return None, ""
    soon = bool(disk.full_at) and disk.full_at < facts.now + FULL_IN_DAYS * DAY_S
    short = disk.free < FREE_SHARE * disk.total
    return ("bad" if soon or short or disk.read_only or disk.trouble else "good",
            disk.trouble or f"{disk.free / disk.total:.0%}")


def _wear(facts: Facts) -> Says:
    if facts.storage is None or not any(one.wear != "unknown" for one in facts.storage.devices):
        return None, ""
    known = [one for one in facts.storage.devices if one.wear != "unknown" or one.trouble]
    text = ", ".join(f"{one.name} {one.used_share:.0%}" if one.used_share is not None else
                     f"{one.name} {one.trouble or one.wear}" for one in known)
    return "good" if all(one.wear == "good" and not one.trouble for one in known) else "bad", text


def _backup(facts: Facts) -> Says:
    if facts.backup is None:
        return None, ""
    if not facts.backup.path:
        return "bad", "-"
    last = facts.backup.backups[0] if facts.backup.backups else None
    wrong = facts.backup.overdue or last is None or last.error or last.trial_error
    return "bad" if wrong else "good", (last.error or last.trial_error or last.path) if last else "-"


def _clock(facts: Facts) -> Says:
    if facts.clock is None:
        return None, ""
    return "bad" if facts.clock.source in ("rtc", "unknown") else "good", facts.clock.source


def _heat(facts: Facts) -> Says:
    if facts.hardware is None or not facts.hardware.readings:
        return None, ""
    wrong = [one.name for one in facts.hardware.readings
             if (one.unit == "celsius" and one.low is not None and one.value >= one.low)
             or (one.unit == "rpm" and one.value < (one.low or 0))]
    text = ", ".join(f"{one.name} {one.value:.0f} {'°C' if one.unit == 'celsius' else '/min'}"
                     for one in facts.hardware.readings)
    return "bad" if wrong else "good", text


def _cards(facts: Facts) -> Says:
    if not facts.cards:
        return None, ""
    wrong = [card.card for card in facts.cards.values() if card.trouble or card.troubles]
    return ("bad", ", ".join(sorted(wrong))) if wrong else ("good", ", ".join(sorted(facts.cards)))


def _looked(item: str) -> Callable[[Facts], Says]:
    """As the box's last round found it: with its figure and its day."""
    def says(facts: Facts) -> Says:
        one = facts.looked.get(item)
        if one is None or one.result == "undone":
            return None, ""
        day = datetime.fromtimestamp(one.at).strftime("%Y-%m-%d")
        return "good" if one.result == "good" else "bad", f"{one.figure} {day}".strip()
    return says


def _version(facts: Facts) -> Says:
    return (None, "") if facts.update is None else (None, facts.update.version)


def _item(zh: str, en: str, *lists: str, says: Callable[[Facts], Says] | None = None) -> Item:
    return Item({"zh": zh, "en": en}, lists, says) if says else Item({"zh": zh, "en": en}, lists)


ITEMS: dict[str, Item] = {                        # in the order of the sheet
    "daemons": _item("各守护进程均在运行", "all daemons run", WEEK, MONTH, says=_daemons),
    "condition": _item("设备状态正常,无告警", "the box is well, no alarm stands", WEEK, MONTH,
                       says=_fitness),
    "lines": _item("各线路无告警", "no line has an alarm", WEEK, MONTH, says=_lines),
    "line-errors": _item("一周内线路无严重误码秒和不可用秒",
                         "no severely errored or unavailable second in a week", WEEK, MONTH, says=_errors),
    "disk": _item("磁盘空间充足", "the disk has room", WEEK, MONTH, says=_disk),
    "backup": _item("备份已完成且校验通过", "backups are made and hold", WEEK, MONTH, says=_backup),
    "clock": _item("时钟与时间服务器同步", "the clock follows a time server", WEEK, MONTH, says=_clock),
    "call-in": _item("呼入测试通话接通且声音正常", "a test call in is answered and heard both ways",
                     WEEK, MONTH),
    "call-out": _item("呼出测试通话接通且声音正常", "a test call out is answered and heard both ways",
                      WEEK, MONTH, says=_looked("call")),
    "recording": _item("抽听一条录音,声音清晰", "a recording was heard at random and is clear",
                       WEEK, MONTH),
    "heat": _item("温度和风扇正常", "temperatures and fan are well", MONTH, says=_heat),
    "cards": _item("线路卡工作正常", "the line cards are well", MONTH, says=_cards),
    "wear": _item("存储器寿命充足", "the storage is not worn out", MONTH, says=_wear),
    "version": _item("软件版本已核对,已决定是否更新", "the version was looked at, an update decided on",
                     MONTH, says=_version),
    "restore": _item("已试恢复一份备份", "a restore of a backup was tried out", MONTH,
                     says=_looked("restore")),
    "people": _item("已核对账号和权限,停用不再需要的账号", "accounts and roles were gone through", MONTH),
    "bypass": _item("已测试断电直通(继电器切至原交换机)", "fail-to-wire to the old exchange was tried out",
                    MONTH),
    "power": _item("已检查电源、UPS 和接地", "power, UPS and earth were looked at", MONTH),
    "cabling": _item("线缆、接头牢固,标签完整", "cables and plugs are firm and labelled", MONTH),
    "dust": _item("已清洁灰尘,通风口无遮挡", "dust was removed, nothing blocks the air", MONTH),
}
LISTS = (WEEK, MONTH)


def asked(kind: str, facts: Facts) -> list[MaintenanceItem]:
    """The items of a list with what the box says now."""
    found = []
    for name, item in ITEMS.items():
        if kind in item.lists:
            result, box = item.says(facts)
            found.append(MaintenanceItem(
                item=name, text=item.text, found=result or "", box=box[:MOST_REMARK]))
    return found


def mistake(kind: str, by: str, text: str, note: str, checked: Sequence[Checked], corrects: int,
            signs: int = 0) -> str:
    """Why it cannot be an entry; "": it can."""
    if kind not in PEOPLES:
        return f"kind {kind!r}: one of {', '.join(PEOPLES)}"
    if not 0 < len(by) <= MOST_NAME or not by.isprintable():
        return f"by: who did it, at most {MOST_NAME} characters"
    if len(text) > MOST_TEXT or len(note) > MOST_TEXT:
        return f"what was done, and the note: at most {MOST_TEXT} characters each"
    if any(not (one.isprintable() or one == "\n") for one in text + note):
        return "what was done, and the note: no control characters"
    if (corrects != 0) != (kind == "correction"):
        return "a correction names the entry that it puts right, and nothing else does"
    if (signs != 0) != (kind == "signature"):
        return "a signature names the entry that was seen, and nothing else does"
    if kind not in LISTS:
        if checked:
            return f"{kind}: has no list of items"
        if kind == "signature":
            return ""
        return "" if text.strip() else "what was done: say it"
    wanted = [name for name, item in ITEMS.items() if kind in item.lists]
    if [one.item for one in checked] != wanted:
        missing = sorted(set(wanted) - {one.item for one in checked})
        return f"{kind}: the items are {', '.join(wanted)}" + (
            f"; missing: {', '.join(missing)}" if missing else "")
    if any(one.result not in ("good", "bad", "skipped") for one in checked):
        return "result: good, bad or skipped"
    if any(len(one.remark) > MOST_REMARK or not one.remark.isprintable() for one in checked):
        return f"remark: one line of at most {MOST_REMARK} characters"
    lacking = [one.item for one in checked if one.result == "bad" and not one.remark.strip()]
    return f"{', '.join(lacking)}: say in the remark what is wrong" if lacking else ""
