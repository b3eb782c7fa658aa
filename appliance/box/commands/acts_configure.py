"""configure: the candidate, how it becomes the document, and the ways back. The document's keeper does it.

Each command of the mode is also one line outside of it (`configure commit confirmed 5 comment WHY`), for
programs: the candidate is the person's, not the session's. A version that waits to be confirmed goes back by
the keeper's own time, whatever becomes of who committed it.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from appliance.box.commands.acting import ACT_S, Did, act, both
from appliance.box.commands.keys import keys_of, part_in_yaml
from appliance.box.commands.kinds import MOST_OFFERED, Duration, FileName, Number, OfBox, Rest
from appliance.box.commands.names import Version
from appliance.box.commands.refusals import said
from appliance.box.commands.render import moment
from appliance.box.commands.table import (
    Argument,
    Asked,
    Command,
    CommandError,
    Lines,
    Offer,
    Role,
    Text,
    column,
    same,
)
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CheckDocument,
    CommitDocument,
    CompareDocuments,
    ConfirmDocument,
    DiscardDocument,
    DocumentCommitted,
    DocumentState,
    EditDocument,
    GetDocument,
    KeyChange,
    NoticeDocument,
    RevertDocument,
    RollBackDocument,
    SetDocumentKey,
)
from appliance.config.changes import HIDDEN
from appliance.errors import ConfigError

MODE = "configure"
MOST_FILE_OCTETS = 512 * 1024                     # as the keeper takes, of a text
WITHIN_S = ACT_S + 10.0                           # the owner's own time is over first
ASKING_S = 300.0                                  # for a person to say why
MOST_NAMED = 10                                   # keys in a sentence
COMMITTED = "committed"                           # of a session: its version that waits to be confirmed

GO_ON = Text("compare, check, then commit", "接着可用 compare、check，然后 commit")
COMMIT = Text("commit, or commit confirmed MINUTES", "commit，或 commit confirmed 分钟数")

log = logging.getLogger(__name__)


class Key(OfBox):
    """A place in the document: centre.queues.sales.ring_s, spans[0].url, centre.agents[+]."""

    def __init__(self) -> None:
        super().__init__("PATH", 500)

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        keys = await asyncio.to_thread(keys_of, await _text(asked, secrets=False))
        return [Offer(one, Text("", "")) for one in keys]


class VersionNumber(Number):
    """Of the document."""

    def __init__(self) -> None:
        super().__init__(1, name="VERSION")

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        return await Version().offers(asked)


class SavedFile(FileName):
    """A file that is kept on the box."""

    def read(self, word: str) -> str:
        return str(super().read(word.removeprefix("/saved/")))

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        def names() -> list[str]:
            try:
                return sorted(one.name for one in asked.box.saved.iterdir() if one.is_file())
            except OSError:
                return []
        return [Offer(one, Text("a saved file", "已保存的文件"))
                for one in (await asyncio.to_thread(names))[:MOST_OFFERED]]


class Difference(Lines, frozen=True, kw_only=True):
    """As diff -u has it."""

    keys: Annotated[list[KeyChange], column("keys", "配置项", "json")]


class Committed(Did, frozen=True, kw_only=True):
    version: Annotated[int, column("version", "版本", "json")]
    keys: Annotated[list[str], column("keys", "配置项", "json")]
    in_force: Annotated[bool, column("in force", "已生效", "json")]
    until: Annotated[float, column("goes back at", "回退时间", "json")]  # Unix seconds; 0: it stays


class Checked(Did, frozen=True, kw_only=True):
    warnings: Annotated[list[str], column("warnings", "警告")] = msgspec.field(default_factory=list)


class Candidate(Did, frozen=True, kw_only=True):
    base: Annotated[int, column("made from version", "基于版本", "json")]


# --- the mode


async def configure(asked: Asked) -> Did:
    reply = await asked.ask(GetDocument(), ACT_S)
    asked.session.mode = MODE
    return Did(said=asked.say(_stands(asked, reply.state)),
               next=asked.say(Text("set, delete, load; then compare, check, commit; exit leaves",
                                   "可用 set、delete、load；再 compare、check、commit；exit 退出")))


def _stands(asked: Asked, state: DocumentState) -> Text:
    head = state.head.number if state.head else 0
    if state.waiting:
        return both("version {number} by {by} waits to be confirmed until {at}: confirm or revert first",
                    "版本 {number}（{by}）等待确认，截止 {at}：请先 confirm 或 revert",
                    number=state.waiting, by=_by(state), at=moment(state.until))
    if state.candidate is None:
        return both("version {head} is the document; there is no candidate yet",
                    "当前配置为版本 {head}；尚无候选配置", head=head)
    if state.candidate.by == asked.who.name:
        return both("your candidate goes on, made from version {base}", "继续你的候选配置，基于版本 {base}",
                    base=state.candidate.base)
    return both("{by} has a candidate, made from version {base}: wait for it, or discard anybodys",
                "{by} 有候选配置，基于版本 {base}：请等待，或 discard anybodys",
                by=state.candidate.by, base=state.candidate.base)


def _by(state: DocumentState) -> str:
    """Who made the version that waits; "-": nobody knows, for the file was edited since."""
    head = state.head
    return head.by if head is not None and head.number == state.waiting and head.by else "-"


async def leave(asked: Asked) -> Did:
    asked.session.mode = ""
    state = (await asked.ask(GetDocument(), ACT_S)).state
    if state.waiting:
        return Did(said=asked.say(_stands(asked, state)), next="confirm")
    if state.candidate is not None and state.candidate.by == asked.who.name:
        return Did(said=asked.say(Text("the candidate stays as it is, not in force",
                                       "候选配置保留，尚未生效")), next="configure")
    return Did(said=asked.say(Text("nothing is left open", "没有未完成的修改")))


# --- the candidate


async def set_key(asked: Asked) -> Candidate:
    value = asked.values["value"]
    _refuse_hidden(value)
    reply = await act(asked, SetDocumentKey(by=asked.who.name, key=asked.values["key"], value=value))
    return _candidate(asked, reply.state, both("{key} is set in the candidate", "候选配置中已设置 {key}",
                                               key=asked.values["key"]))


async def delete_key(asked: Asked) -> Candidate:
    reply = await act(asked, SetDocumentKey(by=asked.who.name, key=asked.values["key"], value=None))
    return _candidate(asked, reply.state, both(
        "{key} is no more in the candidate: it has its default", "候选配置中已删除 {key}：恢复为默认值",
        key=asked.values["key"]))


async def load_file(asked: Asked) -> Candidate:
    name = asked.values["file"]
    text = await asyncio.to_thread(_file, asked.box.saved / name, name)
    _refuse_hidden(text)
    reply = await act(asked, EditDocument(by=asked.who.name, text=text))
    return _candidate(asked, reply.state,
                      both("the candidate is the text of {name}", "候选配置为文件 {name} 的内容",
                                               name=name))


async def load_version(asked: Asked) -> Candidate:
    number = asked.values["version"]
    text = (await asked.ask(GetDocument(number=number, secrets=True), ACT_S)).text
    reply = await act(asked, EditDocument(by=asked.who.name, text=text))
    return _candidate(asked, reply.state, both("the candidate is the text of version {number}",
                                               "候选配置为版本 {number} 的内容", number=number))


def _candidate(asked: Asked, state: DocumentState, did: Text) -> Candidate:
    return Candidate(said=asked.say(did), next=asked.say(GO_ON),
                     base=state.candidate.base if state.candidate else 0)


def _refuse_hidden(text: str) -> None:
    """What was shown without its secrets would put this in their place."""
    if HIDDEN in text:
        raise CommandError(
            both("there is {hidden} in it: that would take the place of a secret",
                 "内容含 {hidden}：它会覆盖密码等机密", hidden=HIDDEN),
            Text("show secrets | save NAME keeps a text with its secrets",
                 "show secrets | save 名称 可连同机密保存"))


def _file(path: Path, name: str) -> str:
    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        with open(path, "rb", opener=opener) as file:
            octets = file.read(MOST_FILE_OCTETS + 1)
    except OSError as error:
        raise CommandError(same(f"/saved/{name}: {error.strerror}"),
                           Text("show saved tells what there is", "show saved 可查看现有文件")) from None
    if len(octets) > MOST_FILE_OCTETS:
        raise CommandError(both("/saved/{name}: larger than {most} octets", "/saved/{name}：超过 {most} 字节",
                                name=name, most=MOST_FILE_OCTETS))
    try:
        return octets.decode()
    except UnicodeError:
        raise CommandError(both("/saved/{name}: is no text in UTF-8", "/saved/{name}：不是 UTF-8 文本",
                                name=name)) from None


async def show(asked: Asked) -> Lines:
    text = await _text(asked, asked.get("secrets", False))
    key = asked.get("key")
    if key is None:
        return Lines(lines=text.splitlines())
    try:
        part = await asyncio.to_thread(part_in_yaml, text, key)
    except ConfigError as error:
        raise CommandError(said(str(error))) from None
    return Lines(lines=part.splitlines())


async def _text(asked: Asked, secrets: bool) -> str:
    """The candidate, or the document where there is none."""
    _note_secrets(asked, secrets)
    reply = await asked.ask(GetDocument(secrets=secrets), ACT_S)
    if reply.state.candidate is None:
        return reply.text
    return (await asked.ask(GetDocument(candidate=True, secrets=secrets), ACT_S)).text


def _note_secrets(asked: Asked, secrets: bool) -> None:
    if secrets:
        log.warning("console: %s reads the configuration with its secrets", asked.who.name)


async def compare(asked: Asked) -> Difference:
    secrets = asked.get("secrets", False)
    _note_secrets(asked, secrets)
    old = asked.get("version")
    if old is None:
        candidate = (await asked.ask(GetDocument(), ACT_S)).state.candidate
        old = candidate.base if candidate else 0
    found = await asked.ask(CompareDocuments(old=old, secrets=secrets), ACT_S)
    lines = found.unified.splitlines()
    lines += [asked.say(both("# {key}: changed, and not shown", "# {key}：已改动，不显示", key=one.key))
              for one in found.keys if one.old == one.new]           # secrets: both look alike
    return Difference(lines=lines or [asked.say(Text("nothing differs", "没有差别"))], keys=found.keys)


async def check(asked: Asked) -> Checked:
    found = await asked.ask(CheckDocument(), ACT_S)
    if found.mistakes:
        wrong = [said(f"line {one.line}: {one.text}" if one.line else one.text) for one in found.mistakes]
        raise CommandError(Text("\n".join(one.en for one in wrong), "\n".join(one.zh for one in wrong)),
                           Text("set what is wrong, and check again", "改正后再 check"))
    if found.refusals:
        why = said("\n".join(found.refusals))
        raise CommandError(
            Text(f"in order, but not while the box runs:\n{why.en}",
                 f"配置无误，但运行中不能生效：\n{why.zh}"),
            Text("commit next-start: it takes effect when the box starts next",
                 "commit next-start：下次启动时生效"))
    return Checked(said=asked.say(Text("in order", "配置无误")), next=asked.say(COMMIT),
                   warnings=found.warnings)


async def discard(asked: Asked) -> Did:
    await act(asked, DiscardDocument(by=asked.who.name, anybodys=asked.get("anybodys", False)))
    return Did(said=asked.say(Text("there is no candidate any more", "候选配置已丢弃")))


# --- the document


async def commit(asked: Asked) -> Committed:
    if not (await asked.ask(GetDocument(), ACT_S)).state.candidate:
        raise CommandError(Text("there is no candidate: nothing to commit", "没有候选配置，无可提交"),
                           Text("set or load something first", "请先 set 或 load"))
    comment = await _comment(asked)
    try:
        done = await act(asked, CommitDocument(
            by=asked.who.name, comment=comment, confirm_within_s=asked.get("within_s", 0.0),
            next_start=asked.get("next_start", False)))
    except Refused as error:
        raise CommandError(said(str(error)), Text("nothing is changed; check says more, discard begins anew",
                                            "未作任何改动；check 查看详情，discard 重新开始")) from None
    return _committed(asked, done)


async def _comment(asked: Asked) -> str:
    """As said, or asked for where somebody sits there."""
    comment = str(asked.get("comment", ""))
    if not comment and asked.session.asking is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASKING_S):
                comment = await asked.session.asking(Text("why (it is kept):", "原因（会保留）："), False)
        comment = comment.strip()
    if not comment:
        raise CommandError(Text("a commit needs a comment: say why", "提交需要说明：请写明原因"),
                           Text("commit comment WHY", "commit comment 原因"))
    return comment


async def rollback(asked: Asked) -> Committed:
    return _committed(asked, await act(asked, RollBackDocument(
        by=asked.who.name, to=asked.values["version"], comment=asked.get("comment", ""),
        confirm_within_s=asked.get("within_s", 0.0), next_start=asked.get("next_start", False))))


async def confirm(asked: Asked) -> Did:
    waiting, by = await _waiting(asked, "confirm")
    await act(asked, ConfirmDocument(by=asked.who.name, number=waiting))
    asked.session.kept.pop(COMMITTED, None)
    return Did(said=asked.say(both("version {number} by {by} stays", "版本 {number}（{by}）已确认保留",
                                   number=waiting, by=by)))


async def revert(asked: Asked) -> Committed:
    waiting, _ = await _waiting(asked, "revert")
    done = await act(asked, RevertDocument(by=asked.who.name, number=waiting))
    asked.session.kept.pop(COMMITTED, None)
    return _committed(asked, done)


async def _waiting(asked: Asked, word: str) -> tuple[int, str]:
    """The version that waits, and whose it is. CommandError: none, or another than the one that is meant.

    Meant is the one that is said, else the one that this session committed: its time may be over, and another
    person's wait instead.
    """
    state = (await asked.ask(GetDocument(), ACT_S)).state
    if not state.waiting:
        raise CommandError(Text("no version waits to be confirmed", "没有等待确认的版本"))
    meant = asked.get("version", asked.session.kept.get(COMMITTED, state.waiting))
    if meant != state.waiting:
        raise CommandError(both("version {meant} does not wait to be confirmed, version {number} by {by} is",
                                "版本 {meant} 不在等待确认；等待的是版本 {number}（{by}）",
                                meant=meant, number=state.waiting, by=_by(state)),
                           same(f"{word} {state.waiting}"))
    return state.waiting, _by(state)


def _committed(asked: Asked, done: DocumentCommitted) -> Committed:
    version, why = done.version, said(done.version.why_not)
    keys = ", ".join(version.keys[:MOST_NAMED]) or "-"
    keys += " ..." if len(version.keys) > MOST_NAMED else ""
    did = both("version {number} is the document: {keys}", "版本 {number} 已成为当前配置：{keys}",
               number=version.number, keys=keys)
    if not version.in_force:
        did = Text(f"{did.en}; not in force: {why.en}", f"{did.zh}；尚未生效：{why.zh}")
    after = Text("", "")
    if done.until:
        asked.session.kept[COMMITTED] = version.number
        after = both("confirm before {at}, or it goes back by itself", "请在 {at} 前 confirm，否则自动回退",
                     at=moment(done.until))
    return Committed(said=asked.say(did), next=asked.say(after), version=version.number, keys=version.keys,
                     in_force=version.in_force, until=done.until)


async def reload(asked: Asked) -> Did:
    try:
        await act(asked, NoticeDocument(by=asked.who.name))
    except Refused as error:
        raise CommandError(said(str(error)), Text("mend the file, or configure rollback NUMBER",
                                            "请改正文件，或 configure rollback 版本号")) from None
    state = (await asked.ask(GetDocument(), ACT_S)).state
    if state.head is not None and not state.head.in_force:
        why = said(state.head.why_not)
        raise CommandError(Text(f"version {state.head.number} is not in force: {why.en}",
                                f"版本 {state.head.number} 未生效：{why.zh}"))
    return Did(said=asked.say(both("all daemons have version {number}", "所有进程已使用版本 {number}",
                                   number=state.head.number if state.head else 0)))


# --- the table

_KEY = Argument("key", Key(), Text("what of the document", "配置项路径"))
_NUMBER = VersionNumber()
_CONFIRMED = Argument("within_s", Duration(86_400.0, unit="m", name="MINUTES"), keyword="confirmed",
                      optional=True,
                      help=Text("it goes back by itself unless confirm comes before",
                                "若未及时 confirm，则自动回退"))
_NEXT_START = Argument("next_start", None, keyword="next-start", optional=True,
                       help=Text("not now: when the box starts next", "现在不生效，下次启动时生效"))
_COMMENT = Argument("comment", Rest("WHY", 500), keyword="comment", optional=True,
                    help=Text("why; it is kept", "原因，会保留"))
_ONLY = Argument("version", _NUMBER, Text("only this one", "只限该版本"), optional=True)
_SECRETS = Argument("secrets", None, keyword="secrets", optional=True,
                    help=Text("with passwords and keys", "包括密码和密钥"))


def _row(words: str, help: Text, does: Any, answer: type[Any], *arguments: Argument,
         within_s: float = WITHIN_S) -> list[Command]:
    """In the mode, and in one line from outside."""
    return [Command(words, Role.ADMIN, help, does, answer, arguments, in_configure=True, within_s=within_s),
            Command(f"{MODE} {words}", Role.ADMIN, help, does, answer, arguments, within_s=within_s)]


COMMANDS: list[Command] = [
    Command("configure", Role.ADMIN, Text("change the configuration", "修改配置"), configure, Did),
    Command("exit", Role.ADMIN, Text("leave configure; the candidate stays", "退出配置模式，候选配置保留"),
            leave, Did, in_configure=True, within_s=WITHIN_S),
    *_row("set", Text("set a key of the candidate", "设置候选配置的一项"), set_key, Candidate, _KEY,
          Argument("value", Rest("VALUE", 20_000, raw=True), Text("as in YAML", "值，YAML 写法"))),
    *_row("delete", Text("take a key out of the candidate", "删除候选配置的一项"), delete_key, Candidate,
          _KEY),
    *_row("load", Text("the candidate becomes the text of a saved file", "用已保存的文件作为候选配置"),
          load_file, Candidate, Argument("file", SavedFile(), Text("in /saved", "/saved 中的文件"))),
    *_row("load version", Text("the candidate becomes the text of a version", "用某个版本作为候选配置"),
          load_version, Candidate, Argument("version", _NUMBER, Text("its number", "版本号"))),
    *_row("show",
          Text("the candidate, or the document where there is none", "显示候选配置，没有则显示当前配置"),
          show, Lines, Argument("key", Key(), Text("only this part", "只显示该部分"),
                                optional=True), _SECRETS),
    *_row("compare", Text("what the candidate changes", "候选配置改动了什么"), compare, Difference,
          Argument("version", _NUMBER, Text("against this version", "与该版本比较"),
                   optional=True), _SECRETS),
    *_row("check", Text("what the box's own start would say of the candidate", "检查候选配置"), check,
          Checked),
    *_row("commit",
          Text("the candidate becomes the document; no call is dropped", "提交候选配置，不影响通话"),
          commit, Committed, _CONFIRMED, _NEXT_START, _COMMENT, within_s=WITHIN_S + ASKING_S),
    *_row("rollback",
          Text("a new version with the text of an older one, at once", "立即恢复为某个旧版本的内容"),
          rollback, Committed, Argument("version", _NUMBER,
                                        Text("its number", "版本号")), _CONFIRMED, _NEXT_START,
          _COMMENT),
    *_row("discard", Text("no candidate any more", "丢弃候选配置"), discard, Did,
          Argument("anybodys", None, keyword="anybodys", optional=True,
                   help=Text("another person's, too", "包括他人的"))),
    Command("confirm", Role.ADMIN, Text("the version that waits for it stays", "确认等待中的版本"), confirm,
            Did, (_ONLY,), in_both=True, within_s=WITHIN_S),
    Command("revert", Role.ADMIN,
            Text("the version that waits to be confirmed goes back now", "立即回退等待确认的版本"),
            revert, Committed, (_ONLY,), in_both=True, within_s=WITHIN_S),
    Command("reload", Role.ADMIN,
            Text("look at the file, which was edited on the box", "重新读取在本机修改的配置文件"),
            reload, Did, within_s=WITHIN_S),
]
