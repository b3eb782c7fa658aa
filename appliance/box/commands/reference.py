"""docs/console.md: every command with its words, role, arguments and JSON schema, out of the table."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from appliance.box.commands.pipes import PIPES
from appliance.box.commands.run import Counted
from appliance.box.commands.table import Answer, Argument, Command, Table

HEAD = """\
# Console commands

Written by `python -m appliance.box.commands > docs/console.md` out of the table that the console, `ssh BOX
COMMAND`, the page Box / Console and `branchline fleet` use. A test holds it up to date.

`ssh BOX` opens the console: Tab completes a word, `?` says what fits here, Ctrl-C ends what goes on, `help`
lists what you may do. `ssh BOX COMMAND` gives one command, for programs; its output is never paged.

- **Short words.** A word may be cut short as long as the whole line means one command: `sh sp` is
  `show spans`, `sh sp e1-1` is `show span e1-1`. Programs write words in full: a later version may have more.
- **Quotes.** `"two words"` is one word; within quotes `\\"` is a quote.
- **Order.** Arguments without a keyword come first, those with one in any order. `[ ]`: may be left out.
- **Languages.** Titles and texts are in the person's language, Chinese or English. Words of JSON (names of
  fields, states, kinds) are the same in both; sentences in it (`text`, `action`, `said`, `steps`, `unknown`,
  `trouble`) are the person's where the box has them in both.

## Roles

`watch` sees how the box is. `operate` does what operation needs: takes channels out of use, traces, tests,
reads logs and the configuration without its secrets. `admin` changes the box. Each may do what those before
it may.

## Pipes

| pipe | does |
|---|---|
"""
AFTER_PIPES = """
Pipes work on the rows of an answer, not on characters: `show calls | match 138 | json` is the JSON of those
calls. Small letters in RE find great ones, too; RE is an extended regular expression as `grep -E` has it, in
quotes when it has a blank or `|` in it. It is looked for in the words that are shown and in those of JSON, so
that it finds the same in each language. `save` keeps what would be shown as a file of the box: `show saved`,
`delete saved`, and SFTP; what a command of the role admin said is for admins alone. `--json` as the last word
is `| json`.

## Exit statuses

| status | means |
|---|---|
| 0 | done |
| 1 | the command says no: its text says why, on stderr |
| 64 | the line is wrong: what, where, and what would fit |
| 69 | who has to answer is not there, or was too late |
| 77 | the command is for another role |

## JSON

One object on one line (at a terminal on several). Each command below has its schema (JSON Schema 2020-12).
It is kept: a field may come to it, none goes, none changes its meaning. Times are Unix seconds, lengths of
time seconds (`_s`), sizes octets. What is not known, or never was, is `null`. A command that goes on until
Ctrl-C says one object a line.
"""


def reference(table: Table) -> str:
    """The page."""
    pipes = "".join(f"| `{one.word}{f' {one.kind.name}' if one.kind else ''}` | {one.help.en} |\n"
                    for one in PIPES)
    return (HEAD + pipes + AFTER_PIPES + "\n`| count | json`:\n\n" + _schema(Counted)
            + "\n## Commands\n\n" + "".join(_row(one) for one in _sorted(table.commands, False))
            + "\nIn `configure`; `run COMMAND` gives one of the others there:\n\n"
            + "".join(_row(one) for one in _sorted(table.commands, True))
            + "\n" + "\n".join(_section(one) for one in table.commands))


def _sorted(commands: Sequence[Command], configure: bool) -> Iterator[Command]:
    return (one for one in commands if one.known_in("configure" if configure else ""))


def _row(command: Command) -> str:
    return f"- [`{command.words}`](#{_anchor(command)}): {command.help.en} *({command.role.name.lower()})*\n"


def _anchor(command: Command) -> str:
    """As GitHub and GitLab make it from the heading."""
    return _heading(command).lower().replace(" ", "-").replace("(", "").replace(")", "")


def _heading(command: Command) -> str:
    return f"{command.words} (in configure)" if command.in_configure else command.words


def _section(command: Command) -> str:
    lines = [f"### {_heading(command)}", "", f"`{usage(command)}`", "",
             f"{command.help.en[:1].upper()}{command.help.en[1:]}. {command.help.zh}。 "
             f"Role {command.role.name.lower()}." + (" Goes on until Ctrl-C." if command.live else "")]
    if command.arguments:
        lines += ["", "| argument | means | 说明 |", "|---|---|---|"]
        lines += [f"| `{spelled(one)}` | {one.help.en}{_choices(one)} | {one.help.zh} |"
                  for one in command.arguments]
    return "\n".join(lines) + "\n\n" + _schema(command.answer)


def usage(command: Command) -> str:
    """As a person would write it: show span SPAN [by WORD] [most N]."""
    parts = [f"[{spelled(one)}]" if one.optional else spelled(one) for one in command.arguments]
    return " ".join([command.words, *parts])


def spelled(argument: Argument) -> str:
    kind = argument.kind.name if argument.kind is not None else ""
    return " ".join(one for one in (argument.keyword or "", kind) if one)


def _choices(argument: Argument) -> str:
    fixed = getattr(argument.kind, "fixed", ())
    return f": {', '.join(f'`{one.word}`' for one in fixed)}" if fixed else ""


def schema(answer: type[Answer]) -> dict[str, Any]:
    """The JSON Schema of an answer."""
    return msgspec.json.schema(answer)


def _schema(answer: type[Answer]) -> str:
    text = json.dumps(_plain(schema(answer)), ensure_ascii=False, separators=(", ", ": "))
    return f"<details><summary>JSON</summary>\n\n```json\n{text}\n```\n</details>\n"


def _plain(one: Any) -> Any:
    """Without descriptions, which are docstrings that an installed box has not got."""
    if isinstance(one, dict):
        return {name: _plain(value) for name, value in one.items()
                if not (name == "description" and isinstance(value, str))}
    return [_plain(each) for each in one] if isinstance(one, list) else one
