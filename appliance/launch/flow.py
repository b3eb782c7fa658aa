"""branchline flow: a flow file tried, checked and drawn, without a box."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from appliance.centre import heard
from appliance.centre.entry.load import box_zone
from appliance.centre.flow import (
    AuthenticateNode,
    Flow,
    Known,
    LookupNode,
    drawing,
    load_flow,
    load_subflow,
    tester,
)
from appliance.centre.flow.names import known
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.launch import prompts
from appliance.launch.asking import PATH, or_exit
from appliance.launch.flow_bench import serving
from appliance.launch.flow_bench.answers import answer_of
from appliance.launch.flow_history import compare, history, roll_back
from appliance.launch.moments import Moment
from appliance.media import speech
from appliance.media.prompts import Library, PromptError

EXIT_CODES = {"hangup": 0, "queue": 10, "transfer": 11, "rejected": 20}
UNFINISHED = 21                                   # any other end

FILE = click.argument("file", type=PATH)
CONFIG = click.option("--config", type=PATH,
                      help="Whose names and prompts there are; else any, and calendars are open.")


@click.group()
def flow() -> None:
    """Try, check and draw the flow of a number, without the box; and the versions that a box has of it."""


for _command in (history, compare, roll_back):
    flow.add_command(_command)


@flow.command()
@FILE
@CONFIG
@click.option("--keys", default="", metavar="1,2,#", help="What the caller presses, a part each time that "
              "digits are awaited: 1,12345#,2. A - is nothing. After the last: nothing.")
@click.option("--caller", default="13800000000", show_default=True, help="The caller's number.")
@click.option("--called", default="5000", show_default=True)
@click.option("--at", type=Moment(), help='When, e.g. 20:00 or "2026-10-01 20:00". [now]')
@click.option("--lookup", "lookups", multiple=True, metavar="SOURCE=ANSWER",
              help="'{name: Li, bill: {amount: 12.5}}' or JSON, missing, or error; again for the next answer "
                   "of the source.")
@click.option("--catalogue", type=PATH, help="TOML of `branchline prompts build`: what the prompts say.")
@click.option("--expect", metavar="END", help="Fail unless it ends so: hangup, queue NAME, transfer, ...")
def test(file: Path, config: Path | None, keys: str, caller: str, called: str, at: datetime | None,
         lookups: Sequence[str], catalogue: Path | None, expect: str | None) -> None:
    """Go through FILE as a caller would, and show the way and what is heard.

    Exit code: 0 it hangs up, 10 waits in a queue, 11 somebody is rung for a transfer, 20 is refused,
    21 else; with --expect 0 or 1. 78: the flow is wrong.
    """
    centre, names = _configured(config)
    zone = or_exit(box_zone)
    moment = at or datetime.now(zone)
    call = tester.Call(
        keys=[part for part in keys.split(",") if part], caller=caller, called=called,
        at=moment.replace(tzinfo=moment.tzinfo or zone).timestamp(), zone=zone, answers=_answers(lookups),
        texts=or_exit(lambda: _texts(centre, catalogue)))
    found = or_exit(lambda: load_flow(file, names.queues, names))
    _refuse_unasked(found, call.answers)
    outcome = tester.run(found, call, centre.centre if centre else None)
    click.echo("\n".join(outcome.lines))
    left = f", {outcome.keys_left} parts of --keys were not pressed" if outcome.keys_left else ""
    click.echo(f"end: {outcome.end or 'none'}{left}")
    if expect is not None:
        if outcome.end != expect:
            click.echo(f"expected: {expect}", err=True)
        sys.exit(0 if outcome.end == expect else 1)
    sys.exit(EXIT_CODES.get(outcome.end.partition(" ")[0], UNFINISHED))


@flow.command()
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
@CONFIG
def lint(files: Sequence[Path], config: Path | None) -> None:
    """Say what is wrong with flow files; with --config also names and prompts that are not there."""
    def check() -> list[str]:
        found, wrong = [], []
        centre, names = _configured(config)
        for file in files:
            try:
                one = load_subflow(file, names.queues, names)
                missing = list(_missing(one, centre)) if centre else []
                wrong += [f"{file}: {what}" for what in missing]
                languages = ", ".join(sorted(one.languages))
                found += [] if missing else [f"{file}: in order: {len(one.nodes)} nodes, {languages}"]
            except ConfigError as error:
                wrong.append(str(error))
        if wrong:
            raise ConfigError("\n".join([*wrong, *found]))
        return found
    click.echo("\n".join(or_exit(check)))


@flow.command()
@FILE
@click.option("--as", "kind", type=click.Choice(["text", "mermaid", "dot"]), default="text",
              show_default=True)
def show(file: Path, kind: str) -> None:
    """Draw FILE: in the terminal, for a page (Mermaid), or for Graphviz (dot)."""
    found = or_exit(lambda: load_subflow(file, None))
    draw = {"text": drawing.text, "mermaid": drawing.mermaid, "dot": drawing.dot}[kind]
    click.echo("\n".join(draw(found)))


@flow.command(hidden=True)
@click.option("--config", type=PATH, required=True, help="Whose names and prompts there are.")
def bench(config: Path) -> None:
    """What boxd has drawn, edited and tried: orders on standard input, a line of JSON each."""
    serving.serve(config)


def _configured(path: Path | None) -> tuple[Config | None, Known]:
    if path is None:
        return None, Known()
    config = or_exit(lambda: load(path))
    return config, known(config.centre, config.quality)


def _missing(found: Flow, config: Config) -> Iterable[str]:
    """Prompts that cannot be played."""
    library = Library(Path(config.media.prompts))
    for name in sorted(heard.prompts([found], config.centre.queues, config.media)):
        try:
            library.get(name)
        except PromptError as error:
            yield str(error)


def _texts(config: Config | None, catalogue: Path | None) -> Mapping[str, str]:
    """Prompt -> what it says, as far as that is known."""
    words = prompts.vocabulary(list(speech.CURRENCIES))
    texts = prompts.texts(Path(config.media.prompts)) if config else {}
    return {**words, **texts, **(prompts.load(catalogue) if catalogue else {})}


def _answers(lookups: Sequence[str]) -> dict[str, list[tester.Answer]]:
    answers: dict[str, list[tester.Answer]] = {}
    for lookup in lookups:
        source, _, text = lookup.partition("=")
        try:
            answers.setdefault(source, []).append(answer_of(source, text))
        except ValueError as error:
            raise click.UsageError(f"--lookup: {error}") from None
    return answers


def _refuse_unasked(found: Flow, answers: Iterable[str]) -> None:
    """An answer that nobody asks for is a slip of the pen."""
    asked = {node.source for node in found.nodes.values() if isinstance(node, LookupNode | AuthenticateNode)}
    if wrong := sorted(set(answers) - asked):
        raise click.UsageError(f"--lookup: the flow does not ask {', '.join(wrong)}: it asks "
                               f"{', '.join(sorted(asked)) or 'nobody'}")
