"""docs/console.md is what the table says."""

import pytest

from appliance.box.commands.every import table
from appliance.box.commands.reference import reference, schema
from appliance.box.commands.table import Command
from tests.conftest import ROOT

COMMANDS = table().commands


def test_the_page_is_up_to_date() -> None:
    page = ROOT / "docs/console.md"
    assert page.read_text() == reference(table()), "python -m appliance.box.commands > docs/console.md"


@pytest.mark.parametrize("command", COMMANDS, ids=[one.words for one in COMMANDS])
def test_every_command_is_said_in_both_languages_and_has_a_schema(command: Command) -> None:
    for help in (command.help, *(one.help for one in command.arguments)):
        assert help.en and help.zh and help.en.isascii() and not help.zh.isascii(), (command.words, help)
        assert not help.en.endswith(".") and "\n" not in help.en
    assert schema(command.answer)["$ref"] == f"#/$defs/{command.answer.__name__}"
    assert command.words == command.words.lower()
