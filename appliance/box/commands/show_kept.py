"""show log, configuration, history, backups, maintenance, sessions, certificates, saved: what is kept."""

import asyncio
import contextlib
import ssl
import stat
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from appliance.box.commands.chinese import unanswered
from appliance.box.commands.chinese import word as in_words
from appliance.box.commands.kinds import Choice, Duration, FileName, Number, OfBox, Word
from appliance.box.commands.names import DaemonName
from appliance.box.commands.names import Version as VersionNumber
from appliance.box.commands.run import ADMINS
from appliance.box.commands.show_box import Row, known
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    Lines,
    Role,
    Said,
    Text,
    column,
    same,
)
from appliance.bus.client import BusError
from appliance.bus.messages import (
    GetBackups,
    GetBoxKey,
    GetDocument,
    GetDocumentHistory,
    GetLogs,
    GetMaintenance,
    MaintenanceEntry,
)
from appliance.bus.messages.logs import LOG_LEVELS, MOST_LINES

LOG_S = 12.0
TLS_S = 3.0
WEB_URL = "web.url"                               # webui's, in the run folder
HOST_KEY = Path("ssh/host_key.pub")               # in the state folder

# --- log


class LogRow(Row, frozen=True, kw_only=True):
    at: Annotated[float, column("at", "时间", "moment")]
    program: Annotated[str, column("program", "程序")]
    level: Annotated[str, column("level", "级别", words="log")]
    text: Annotated[str, column("text", "内容")]


class Log(Answer, frozen=True, kw_only=True):
    """Oldest first, as a log is read."""

    lines: list[LogRow]
    more: Annotated[bool, column("older ones are left out", "更早的未显示", "yes", spare=True)]


async def show_log(asked: Asked) -> Log:
    ago = asked.get("since_s", 0.0)
    said = await asked.ask(GetLogs(
        programs=[asked.values["program"]] if "program" in asked.values else [],
        level=asked.get("level", "info"), text=asked.get("text", ""), since=asked.now - ago if ago else 0.0,
        most=asked.get("most", 50)), LOG_S)
    if not said.source:
        raise CommandError(Text("this box keeps no log", "本机不保存日志"))
    return Log(more=said.more, lines=[LogRow(at=one.at, program=one.program, level=one.level, text=one.text)
                                      for one in reversed(said.lines)])


# --- configuration and its versions


async def configuration(asked: Asked) -> Lines:
    number = asked.get("version", "0")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise CommandError(Text(f"{number!r} is no version's number", f"“{number}”不是版本号"),
                           same("show history"))
    said = await asked.ask(GetDocument(number=int(number)), 10.0)
    lines = said.text.splitlines()
    if key := asked.get("key", ""):
        lines = _part(lines, key)
    return Lines(lines=lines)


def _part(lines: list[str], key: str) -> list[str]:
    """The lines of one section of the document, as its text has them."""
    begins = [place for place, line in enumerate(lines) if line.startswith(f"{key}:")]
    if not begins:
        keys = sorted({line.partition(":")[0] for line in lines if line[:1].isalpha() and ":" in line})
        raise CommandError(Text(f"the document has no section {key!r}", f"配置中没有“{key}”"),
                           Text(f"it has: {', '.join(keys)}", f"现有：{', '.join(keys)}"))
    end = next((place for place, line in enumerate(lines[begins[0] + 1:], begins[0] + 1)
                if line[:1].isalpha()), len(lines))
    return lines[begins[0]:end]


class SectionName(OfBox):
    def __init__(self) -> None:
        super().__init__("SECTION")

    async def names(self, asked: Asked) -> dict[str, Text]:
        text = (await asked.ask(GetDocument())).text
        return {line.partition(":")[0]: same("") for line in text.splitlines()
                if line[:1].isalpha() and ":" in line}


class VersionRow(Row, frozen=True, kw_only=True):
    number: Annotated[int, column("version", "版本")]
    at: Annotated[float, column("at", "时间", "moment")]
    by: Annotated[str, column("by", "操作人", words="by")]
    kind: Annotated[str, column("kind", "类别", words="version")]
    state: Annotated[str, column("state", "状态", words="version state")]
    in_force: Annotated[bool, column("in force", "已生效", "yes")]
    keys: Annotated[list[str], column("changes", "改动")]
    comment: Annotated[str, column("comment", "备注", spare=True)]
    why_not: Annotated[str, column("why not", "未生效原因", spare=True)]


class History(Answer, frozen=True, kw_only=True):
    waiting: Annotated[int, column("waits to be confirmed", "等待确认的版本", spare=True)]
    until: Annotated[float, column("goes back at", "自动回退于", "moment", spare=True)]
    candidate_by: Annotated[str, column("candidate of", "候选配置属于", spare=True)]
    wrong: Annotated[str, column("the file is wrong", "配置文件有误", spare=True)]
    versions: list[VersionRow]


async def history(asked: Asked) -> History:
    said = await asked.ask(GetDocumentHistory(most=asked.get("most", 20)))
    state = said.state
    return History(
        waiting=state.waiting, until=state.until, wrong=state.wrong,
        candidate_by=state.candidate.by if state.candidate is not None else "",
        versions=[VersionRow(number=one.number, at=one.at, by=one.by or "box", kind=one.kind, state=one.state,
                             in_force=one.in_force, keys=one.keys, comment=one.comment, why_not=one.why_not)
                  for one in said.versions])


# --- backups


class BackupRow(Row, frozen=True, kw_only=True):
    at: Annotated[float, column("at", "时间", "moment")]
    kind: Annotated[str, column("kind", "类别", words="backup")]
    octets: Annotated[int, column("size", "大小", "octets")]
    verified: Annotated[bool, column("read back", "已回读", "yes")]
    tried_at: Annotated[float | None, column("tried out", "试恢复于", "moment")]
    gone: Annotated[bool, column("gone", "已删除", "yes")]
    path: Annotated[str, column("file", "文件")]
    error: Annotated[str, column("error", "错误", spare=True)]
    hub: Annotated[str, column("copy at", "副本位置", spare=True)]
    hub_error: Annotated[str, column("copy's error", "副本错误", spare=True)]


class Backups(Answer, frozen=True, kw_only=True):
    path: Annotated[str, column("folder", "目录")]
    passphrase: Annotated[bool, column("passphrase is set", "已设密码", "yes")]
    running: Annotated[str, column("doing", "正在", spare=True)]
    overdue: Annotated[bool, column("overdue", "已逾期", "yes")]
    next_at: Annotated[float | None, column("next", "下次", "moment", spare=True)]
    backups: list[BackupRow]


async def backups(asked: Asked) -> Backups:
    said = await asked.ask(GetBackups())
    return Backups(
        path=said.path, passphrase=said.passphrase, running=said.running, overdue=said.overdue,
        next_at=known(said.next_at), backups=[
            BackupRow(at=one.at, kind=one.kind, octets=one.octets, verified=one.verified,
                      tried_at=known(one.tried_at), gone=one.gone, path=one.path,
                      error=one.error or one.trial_error, hub=one.hub, hub_error=one.hub_error)
            for one in said.backups])


# --- maintenance


class EntryRow(Row, frozen=True, kw_only=True):
    number: Annotated[int, column("entry", "编号")]
    at: Annotated[float, column("at", "时间", "moment")]
    kind: Annotated[str, column("kind", "类别", words="maintenance")]
    by: Annotated[str, column("by", "操作人", words="by")]
    text: Annotated[str, column("what", "内容")]


class Maintenance(Answer, frozen=True, kw_only=True):
    entries: list[EntryRow]


async def maintenance(asked: Asked) -> Maintenance:
    said = await asked.ask(GetMaintenance(most=asked.get("most", 20)), 10.0)
    return Maintenance(entries=[
        EntryRow(number=one.number, at=one.at, kind=one.kind, by=one.by or "box", text=_entry(one, asked))
        for one in said.entries])


def _entry(one: MaintenanceEntry, asked: Asked) -> str:
    parts = [one.text, one.note]
    if one.record is not None:
        down = ", ".join(name for name, state in one.record.daemons.items() if state != "up")
        parts += [in_words(one.record.fitness, "fitness", asked.language),
                  asked.say(Text(f"down: {down}", f"未运行：{down}")) if down else "",
                  *(f"{name}: ES {span.es} SES {span.ses} UAS {span.uas}"
                    for name, span in one.record.spans.items() if span.es is not None)]
        if one.record.calls is not None:
            parts.append(asked.say(Text(f"calls {one.record.calls}", f"呼叫 {one.record.calls}")))
    parts += [f"{each.item}: {in_words(each.result, 'result', asked.language)} {each.remark}"
              for each in one.checked if each.result != "good"]
    if one.check is not None:
        parts += [f"{each.title.get(asked.language) or each.item}: "
                  f"{in_words(each.result, 'result', asked.language)} {each.figure}"
                  for each in one.check.results]
    return "; ".join(" ".join(part.split()) for part in parts if part)


# --- sessions


class SessionRow(Row, frozen=True, kw_only=True):
    name: Annotated[str, column("who", "用户")]
    role: Annotated[str, column("role", "角色")]
    origin: Annotated[str, column("from", "来源")]
    door: Annotated[str, column("door", "方式")]
    started_at: Annotated[float, column("since", "开始于", "moment")]
    idle_s: Annotated[float, column("idle", "空闲", "duration")]
    mode: Annotated[str, column("mode", "模式", spare=True, words="mode")]
    line: Annotated[str, column("does", "正在执行", spare=True)]


class Sessions(Answer, frozen=True, kw_only=True):
    sessions: list[SessionRow]


async def sessions(asked: Asked) -> Sessions:
    return Sessions(sessions=[
        SessionRow(name=one.who.name, role=one.who.role.name.lower(), origin=one.who.origin,
                   door=one.who.door, started_at=one.started_at, mode=one.mode, line=one.line,
                   idle_s=max(0.0, asked.now - max(one.last_at, one.started_at)))
        for one in asked.box.sessions])


# --- certificates and keys


class KeyRow(Row, frozen=True, kw_only=True):
    what: Annotated[str, column("what", "用途", words="key")]
    subject: Annotated[str, column("subject", "主体", spare=True)]
    issuer: Annotated[str, column("issuer", "颁发者", spare=True)]
    since: Annotated[float | None, column("from", "起", "moment")]
    until: Annotated[float | None, column("until", "止", "moment")]
    fingerprint: Annotated[str, column("fingerprint (SHA-256)", "指纹（SHA-256）")]
    trouble: Annotated[str, column("trouble", "问题", spare=True)]


class Keys(Answer, frozen=True, kw_only=True):
    keys: list[KeyRow]


async def certificates(asked: Asked) -> Keys:
    """What others know the box by: of its pages, its console, its recordings."""
    context = asked.box.context
    rows = [await asyncio.to_thread(_of_pages, context.run_dir / WEB_URL, asked)]
    with contextlib.suppress(OSError, ValueError, IndexError):       # there is none, or it is no key
        rows.append(await asyncio.to_thread(_of_console, context.state_dir / HOST_KEY))
    try:
        key = await asked.ask(GetBoxKey())
        rows.append(KeyRow(what="recordings", subject="", issuer="", since=None, until=None,
                           fingerprint=key.fingerprint, trouble=""))
    except BusError as error:
        rows.append(_none("recordings", unanswered(str(error), asked.language)))
    return Keys(keys=rows)


def _of_pages(url: Path, asked: Asked) -> KeyRow:
    """As browsers get it."""
    from cryptography import x509  # large: only when there is one to be read
    from cryptography.hazmat.primitives import hashes
    try:
        parts = urlsplit(url.read_text().strip())
        if parts.scheme != "https":
            return _none("pages", asked.say(Text("they are without TLS", "网页未启用 TLS")))
        pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=TLS_S)
        found = x509.load_pem_x509_certificate(pem.encode())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)         # without the path of a file
        return _none("pages", asked.say(Text(f"they do not answer: {why}", f"网页无应答：{why}")))
    return KeyRow(
        what="pages", subject=found.subject.rfc4514_string(), issuer=found.issuer.rfc4514_string(),
        since=found.not_valid_before_utc.timestamp(), until=found.not_valid_after_utc.timestamp(),
        fingerprint=found.fingerprint(hashes.SHA256()).hex(":").upper(), trouble="")


def _of_console(public: Path) -> KeyRow:
    from appliance.box.ssh.host_key import fingerprint
    return KeyRow(what="console", subject="", issuer="", since=None, until=None,
                  fingerprint=fingerprint(public.read_text()), trouble="")


def _none(what: str, trouble: str) -> KeyRow:
    return KeyRow(what=what, subject="", issuer="", since=None, until=None, fingerprint="", trouble=trouble)


# --- files of `| save`


class SavedRow(Row, frozen=True, kw_only=True):
    file: Annotated[str, column("file", "文件")]
    octets: Annotated[int, column("size", "大小", "octets")]
    at: Annotated[float, column("at", "时间", "moment")]


class Saved(Answer, frozen=True, kw_only=True):
    files: list[SavedRow]


def _files(folder: Path, role: Role) -> list[SavedRow]:
    """Those that this role may see."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    found: list[SavedRow] = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):                 # it has just been removed
            about = path.lstat()
            whose = Role.ADMIN if stat.S_IMODE(about.st_mode) == ADMINS else Role.OPERATE
            if stat.S_ISREG(about.st_mode) and not path.name.startswith(".") and role >= whose:
                found.append(SavedRow(file=path.name, octets=about.st_size, at=about.st_mtime))
    return found


async def saved(asked: Asked) -> Saved:
    return Saved(files=await asyncio.to_thread(_files, asked.box.saved, asked.who.role))


async def delete_saved(asked: Asked) -> Said:
    name = asked.values["file"]
    if name not in [one.file for one in (await saved(asked)).files]:
        raise CommandError(Text(f"there is no file {name}", f"没有文件 {name}"), same("show saved"))
    await asyncio.to_thread((asked.box.saved / name).unlink, missing_ok=True)
    return Said(said=asked.say(Text(f"deleted: {name}", f"已删除：{name}")))


class SavedName(OfBox):
    def __init__(self) -> None:
        super().__init__("FILE")

    def read(self, word: str) -> str:
        return FileName().read(word)

    async def names(self, asked: Asked) -> dict[str, Text]:
        return {one.file: same("") for one in (await saved(asked)).files}


_SAID = (Text("everything", "全部"), Text("and worse", "及以上"), Text("and worse", "及以上"),
         Text("errors alone", "仅错误"))
_LEVELS: dict[str, Text] = {level: text for level, text in zip(LOG_LEVELS, _SAID, strict=True)}


def _most(most: int, usual: int) -> Argument:
    return Argument("most", Number(1, most, "N"), Text(f"so many; {usual} otherwise", f"条数，默认 {usual}"),
                    keyword="most", optional=True)


COMMANDS = (
    Command("show log", Role.OPERATE, Text("what the programs wrote, newest last", "程序日志，最新在后"),
            show_log, Log,
            (Argument("program", DaemonName(), Text("only of this program", "只看该程序"), keyword="program",
                      optional=True),
             Argument("level", Choice(_LEVELS), Text("of this level and worse; info otherwise",
                                                     "级别，默认 info"),
                      keyword="level", optional=True),
             Argument("text", Word("TEXT"), Text("only with this in it", "只看含此内容"), keyword="text",
                      optional=True),
             Argument("since_s", Duration(), Text("not older, e.g. 1h", "多久以内，如 1h"), keyword="since",
                      optional=True),
             _most(MOST_LINES, 50))),
    Command("show configuration", Role.OPERATE, Text("the document in force, without its secrets",
                                                     "当前配置（隐去密码）"), configuration, Lines,
            (Argument("key", SectionName(), Text("one section of it", "只看该部分"), optional=True),
             Argument("version", VersionNumber(), Text("another version", "其他版本"), keyword="version",
                      optional=True))),
    Command("show history", Role.OPERATE, Text("versions of the configuration", "配置版本历史"), history,
            History,
            (_most(50, 20),)),
    Command("show backups", Role.OPERATE, Text("backups, and the next one", "备份情况"), backups, Backups),
    Command("show maintenance", Role.WATCH, Text("the newest entries of the maintenance log", "最新维护记录"),
            maintenance, Maintenance, (_most(200, 20),)),
    Command("show sessions", Role.OPERATE, Text("who is at the console", "当前会话"), sessions, Sessions),
    Command("show certificates", Role.WATCH, Text("certificates and keys that others know the box by",
                                                  "证书与密钥指纹"),
            certificates, Keys),
    Command("show saved", Role.OPERATE, Text("files that | save keeps", "已保存的文件"), saved, Saved),
    Command("delete saved", Role.OPERATE, Text("a file that | save kept goes", "删除已保存的文件"),
            delete_saved, Said,
            (Argument("file", SavedName(), Text("its name", "文件名")),)),
)
