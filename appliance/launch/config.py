"""branchline config: the configuration's versions, its candidate, commit with confirmation, ways back."""

import os
import sys
import time
from pathlib import Path

import click

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    CheckDocument,
    CommitDocument,
    CompareDocuments,
    ConfirmDocument,
    DiscardDocument,
    DocumentCommitted,
    DocumentState,
    DocumentVersion,
    EditDocument,
    GetDocument,
    GetDocumentHistory,
    RevertDocument,
    RollBackDocument,
    SetDocumentKey,
)
from appliance.config.load import text_of
from appliance.launch.asking import PATH, RUN_DIR, beside, columns, leave, on_bus, or_exit, person, shown

ACT_S = 120.0                                     # a check is a process of its own
STATES = {"waiting": "waits to be confirmed", "confirmed": "confirmed", "rolled-back": "rolled back"}
KINDS = {"found": "as it was found", "edited": "edited on the box", "rollback": "back to",
         "expired": "not confirmed in time: back to", "reverted": "taken back: back to"}

CONFIRM = click.option("--confirm", "minutes", type=click.FloatRange(1 / 6, 1440), metavar="MINUTES",
                       help="Goes back by itself unless `config confirm` comes before.")
NEXT_START = click.option("--next-start", is_flag=True,
                          help="Not now: it takes effect when the box starts next.")
NUMBER = click.argument("number", type=click.IntRange(1))


@click.group("config")
@RUN_DIR
def config(run_dir: Path) -> None:
    """The configuration of a running box as versions: nothing is lost, and every change can be undone.

    A change is made in the candidate, looked at with diff and check, and then committed.
    """


@config.command()
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--candidate", is_flag=True, help="Instead of a version.")
@RUN_DIR
def show(number: int | None, candidate: bool, run_dir: Path) -> None:
    """The text of version NUMBER, or of the one that is the document."""
    asked = GetDocument(number=number or 0, candidate=candidate, secrets=True)
    click.echo(on_bus(run_dir, lambda bus: bus.ask(asked, ACT_S), "boxd").text, nl=False)


@config.command()
@click.option("--most", type=click.IntRange(1, 200), default=20, show_default=True)
@RUN_DIR
def history(most: int, run_dir: Path) -> None:
    """Who changed what, when and why; the newest first."""
    found = on_bus(run_dir, lambda bus: bus.ask(GetDocumentHistory(most=most), ACT_S), "boxd")
    for version in found.versions:
        click.echo("\n".join(_of_version(version)))
    if found.older:
        click.echo("there are older ones: --most")
    if words := _of_state(found.state):
        click.echo("\n".join(words))


@config.command()
@click.argument("old", type=click.IntRange(1), required=False)
@click.argument("new", type=click.IntRange(1), required=False)
@click.option("--keys", is_flag=True, help="Only the keys, with their values.")
@RUN_DIR
def diff(old: int | None, new: int | None, keys: bool, run_dir: Path) -> None:
    """What differs between versions OLD and NEW; without NEW the candidate, without OLD its base."""
    async def ask(bus: Bus) -> list[str]:
        base = old
        if base is None:
            candidate = (await bus.ask(GetDocument(candidate=True), ACT_S)).state.candidate
            base = candidate.base if candidate else 0
        found = await bus.ask(CompareDocuments(old=base, new=new or 0, secrets=True), ACT_S)
        if keys:
            return [f"{one.key}: {one.old or '(none)'} -> {one.new or '(none)'}" for one in found.keys]
        return found.unified.splitlines()
    for line in on_bus(run_dir, ask, "boxd") or ["nothing differs"]:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1]) if not keys else None
        click.secho(shown(line), fg=colour, bold=line.startswith(("+++", "---")))


@config.command("set")
@click.argument("key")
@click.argument("value")
@RUN_DIR
def set_key(key: str, value: str, run_dir: Path) -> None:
    """Set KEY of the candidate to VALUE, which is YAML: centre.queues.sales.ring_s 12.

    Parts of lists are named, or counted: spans[0].url. centre.agents[+] adds one at the end. Comments stay.
    """
    on_bus(run_dir, lambda bus: bus.ask(SetDocumentKey(by=person(), key=key, value=value), ACT_S), "boxd")


@config.command()
@click.argument("key")
@RUN_DIR
def delete(key: str, run_dir: Path) -> None:
    """Take KEY out of the candidate: it has its default then, or is no more."""
    on_bus(run_dir, lambda bus: bus.ask(SetDocumentKey(by=person(), key=key, value=None), ACT_S), "boxd")


@config.command()
@RUN_DIR
def edit(run_dir: Path) -> None:
    """Open the candidate, or the document when there is none, in the editor that EDITOR names."""
    async def get(bus: Bus) -> tuple[str, int]:
        reply = await bus.ask(GetDocument(secrets=True), ACT_S)
        if reply.state.candidate is not None:
            return (await bus.ask(GetDocument(candidate=True, secrets=True), ACT_S)).text, \
                reply.state.candidate.base
        return reply.text, reply.version.number if reply.version else 0
    text, base = on_bus(run_dir, get, "boxd")
    new = click.edit(text, extension=".yaml")
    if new is None or new == text:
        leave("nothing was changed", 0)
    _candidate(new, base, run_dir)


@config.command("import")
@click.argument("file", type=PATH)
@RUN_DIR
def import_file(file: Path, run_dir: Path) -> None:
    """The candidate becomes the text of FILE; -: standard input."""
    text = sys.stdin.read() if str(file) == "-" else or_exit(lambda: text_of(file))
    _candidate(text, 0, run_dir)


@config.command()
@click.argument("file", type=PATH)
@click.option("--number", type=click.IntRange(1), help="Of the version. [the newest]")
@RUN_DIR
def export(file: Path, number: int | None, run_dir: Path) -> None:
    """Write a version to FILE, with its comments and its secrets."""
    reply = on_bus(run_dir, lambda bus: bus.ask(GetDocument(number=number or 0, secrets=True), ACT_S), "boxd")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(reply.text)
    except OSError as error:
        leave(f"{file}: {error.strerror}", 1)
    click.echo(f"{file}: version {reply.version.number if reply.version else 0}")


@config.command()
@RUN_DIR
def check(run_dir: Path) -> None:
    """What the box's start would say of the candidate, and whether its daemons can take it over now."""
    found = on_bus(run_dir, lambda bus: bus.ask(CheckDocument(), ACT_S), "boxd")
    for mistake in found.mistakes:
        click.echo(shown(f"line {mistake.line}: {mistake.text}" if mistake.line else mistake.text), err=True)
    for warning in found.warnings:
        click.echo(shown(f"warning: {warning}"), err=True)
    for refusal in found.refusals:
        click.echo(shown(f"not while the box runs: {refusal}"), err=True)
    if found.mistakes:
        sys.exit(78)
    click.echo("in order, but only for the next start: commit --next-start" if found.refusals else "in order")


@config.command()
@click.option("--comment", required=True, help="Why; it is kept.")
@CONFIRM
@NEXT_START
@RUN_DIR
def commit(comment: str, minutes: float | None, next_start: bool, run_dir: Path) -> None:
    """The candidate becomes the document, and no call is dropped for it."""
    asked = CommitDocument(by=person(), comment=comment, confirm_within_s=60 * (minutes or 0),
                           next_start=next_start)
    _done(on_bus(run_dir, lambda bus: bus.ask(asked, ACT_S), "boxd"))


@config.command()
@click.argument("number", type=click.IntRange(1), required=False)
@RUN_DIR
def confirm(number: int | None, run_dir: Path) -> None:
    """The version that waits for it stays."""
    async def ask(bus: Bus) -> int:
        waiting = number or await _waiting(bus)
        await bus.ask(ConfirmDocument(by=person(), number=waiting), ACT_S)
        return waiting
    click.echo(f"version {on_bus(run_dir, ask, 'boxd')} stays")


@config.command()
@RUN_DIR
def revert(run_dir: Path) -> None:
    """The version that waits to be confirmed goes back now."""
    async def ask(bus: Bus) -> DocumentCommitted:
        return await bus.ask(RevertDocument(by=person(), number=await _waiting(bus)), ACT_S)
    _done(on_bus(run_dir, ask, "boxd"))


@config.command()
@NUMBER
@click.option("--comment", default="", help="Why; it is kept.")
@CONFIRM
@NEXT_START
@RUN_DIR
def rollback(number: int, comment: str, minutes: float | None, next_start: bool, run_dir: Path) -> None:
    """A new version with the text of version NUMBER."""
    asked = RollBackDocument(by=person(), to=number, comment=comment, confirm_within_s=60 * (minutes or 0),
                             next_start=next_start)
    _done(on_bus(run_dir, lambda bus: bus.ask(asked, ACT_S), "boxd"))


@config.command()
@click.option("--anybodys", is_flag=True, help="Another person's, too.")
@RUN_DIR
def discard(anybodys: bool, run_dir: Path) -> None:
    """No candidate any more."""
    on_bus(run_dir, lambda bus: bus.ask(DiscardDocument(by=person(), anybodys=anybodys), ACT_S), "boxd")


def _candidate(text: str, base: int, run_dir: Path) -> None:
    on_bus(run_dir, lambda bus: bus.ask(EditDocument(by=person(), text=text, base=base), ACT_S), "boxd")
    click.echo("the candidate is there: config diff, config check, config commit")


async def _waiting(bus: Bus) -> int:
    if not (waiting := (await bus.ask(GetDocument(), ACT_S)).state.waiting):
        raise BusError("no version waits to be confirmed")
    return waiting


def _done(committed: DocumentCommitted) -> None:
    version = committed.version
    for key in version.keys:
        click.echo(shown(f"changed: {key}"))
    click.echo(shown(f"version {version.number} is the document{'' if version.in_force else ', but: '}"
                     f"{version.why_not}"))
    if committed.until:
        click.echo(f"it goes back at {time.strftime('%H:%M:%S', time.localtime(committed.until))} "
                   f"unless `branchline config confirm` comes before")


def _of_version(version: DocumentVersion) -> list[str]:
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(version.at))
    head = f"{version.number:>5}  {at}  {version.by or '-':<12}  "
    words = [KINDS.get(version.kind, "")] + ([f"version {version.of}"] if version.of else [])
    said = [" ".join(words).strip(), version.comment, STATES.get(version.state, ""),
            "" if version.in_force else f"not in force: {version.why_not}"]
    lines = [beside(head, "; ".join(one for one in said if one), columns())]
    if version.keys:
        lines.append(beside(" " * 7, ", ".join(version.keys), columns()))
    return lines


def _of_state(state: DocumentState) -> list[str]:
    words = []
    if state.candidate is not None:
        words.append(f"candidate of {state.candidate.by}, made from version {state.candidate.base}")
    if state.waiting:
        until = time.strftime("%H:%M:%S", time.localtime(state.until))
        words.append(f"version {state.waiting} goes back to version {state.back_to} at {until} "
                     "unless it is confirmed")
    if state.wrong:
        words.append(f"the file was edited and is wrong:\n{state.wrong}")
    return [shown(one) for one in words]
