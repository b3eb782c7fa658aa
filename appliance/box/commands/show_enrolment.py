"""show enrolment: by what a fleet tool and this box know each other. How: appliance/config/enrolment.py."""

from typing import Annotated

from appliance.box.commands.show_box import Row
from appliance.box.commands.table import (
    Answer,
    Asked,
    Command,
    CommandError,
    Role,
    Text,
    column,
    same,
)
from appliance.box.ssh.area import Console
from appliance.config.enrolment import code, octets


class CodeRow(Row, frozen=True, kw_only=True):
    person: Annotated[str, column("person", "人员")]
    key: Annotated[str, column("key", "密钥")]
    code: Annotated[str, column("code", "登记码")]


class Enrolment(Answer, frozen=True, kw_only=True):
    host_key: Annotated[str, column("host key", "主机密钥")]
    codes: list[CodeRow]


async def enrolment(asked: Asked) -> Enrolment:
    """The codes are no secrets: they are of public keys."""
    console = asked.box.area(Console)
    if console.door is None:
        raise CommandError(same(console.wrong) if console.wrong else
                           Text("the console is not open by SSH", "尚未开放 SSH 控制台"),
                           Text("set console.port, or provision admin keys",
                                "请设置 console.port 或下发管理密钥"))
    host = console.key
    people = [(person.name, key) for person in console.config.people for key in person.keys]
    people += [("admin", key) for key in console.door.admin_keys]
    return Enrolment(host_key=host.fingerprint, codes=[
        CodeRow(person=name, key=key.split(None, 2)[-1] if len(key.split()) > 2 else key.split()[0],
                code=code(octets(host.public), octets(key))) for name, key in people])


COMMANDS = (
    Command("show enrolment", Role.WATCH, Text("codes by which a fleet tool knows this box",
                                               "供批量管理工具核对的登记码"), enrolment, Enrolment),
)
