"""help, exit, quit: of the console itself."""

from typing import Annotated

from appliance.box.commands.every import table
from appliance.box.commands.kinds import Rest
from appliance.box.commands.reference import usage
from appliance.box.commands.show_box import Row
from appliance.box.commands.table import (
    Answer,
    Argument,
    Asked,
    Command,
    CommandError,
    Role,
    Said,
    Text,
    column,
    same,
)


class HelpRow(Row, frozen=True, kw_only=True):
    command: Annotated[str, column("command", "命令")]
    usage: Annotated[str, column("usage", "用法", spare=True)]       # "": all commands were asked for
    role: Annotated[str, column("role", "角色")]
    help: Annotated[str, column("does", "说明")]


class Help(Answer, frozen=True, kw_only=True):
    commands: list[HelpRow]


async def help_(asked: Asked) -> Help:
    """Those that this person may give here, and that begin so."""
    begun = asked.get("words", "").lower().split()
    found = [HelpRow(command=one.words, usage=usage(one) if begun else "", role=one.role.name.lower(),
                     help=asked.say(one.help))
             for names, one in table().known(asked.session.mode) if one.role <= asked.who.role
             and all(name.startswith(word) for name, word in zip(names, begun, strict=False))]
    if not found:
        raise CommandError(Text("no command of yours begins so", "没有这样开头的可用命令"), same("help"))
    return Help(commands=found)


async def quit_(asked: Asked) -> Said:
    asked.session.ended = True
    return Said(said="")


COMMANDS = (
    Command("help", Role.WATCH, Text("the commands that you may give", "可用命令"), help_, Help,
            (Argument("words", Rest("COMMAND", 200), Text("those that begin so", "以此开头的命令"),
                      optional=True),), in_both=True),
    Command("exit", Role.WATCH, Text("leave the console", "退出会话"), quit_, Said),
    Command("quit", Role.WATCH, Text("leave the console", "退出会话"), quit_, Said,
            in_both=True),
)
