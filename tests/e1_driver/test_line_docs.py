"""docs/line.md says all that there is and nothing else: alarms, counters, interfaces, findings, e1ctl."""

import re

import click
import pytest

from e1_driver import BACKENDS, Alarm, Counters, Loop
from e1_driver.backends.dahdi import abilities_of
from e1_driver.backends.dahdi_wire import SpanInfo
from e1_driver.ctl.cli import e1ctl
from e1_driver.ctl.terms import ALARMS, CLOCKS, COUNTERS, LOOPS
from e1_driver.testing.prbs import NAMES
from e1_driver.testing.verdict import LEAVES, Fault
from tests.conftest import ROOT
from tests.e1_driver.line_docs import TOLD, can_tell, rows, told

TEXT = (ROOT / "docs" / "line.md").read_text()
CHAIN = (Fault.US, Fault.CABLE, Fault.TELCO, Fault.FAR_END)


def test_every_alarm_and_counter_has_its_row() -> None:
    assert [row[0] for row in rows("alarm")] == [alarm.upper() for alarm in Alarm]
    assert [row[0] for row in rows("counter")] == list(Counters.__dataclass_fields__)
    assert [row[0] for row in rows("KIND")] == [*(loop for loop in Loop if loop is not Loop.NONE), Loop.NONE]


def test_every_term_is_in_the_tool() -> None:
    assert set(ALARMS) == set(Alarm) and set(LOOPS) == set(Loop) and len(CLOCKS) == 2
    assert list(COUNTERS) == list(Counters.__dataclass_fields__)


def test_every_interface_has_an_example() -> None:
    assert [row[0].strip("`:") for row in rows("URL")] == list(BACKENDS)
    for scheme, _, example in rows("URL"):
        assert example.startswith(f"`{scheme.strip('`')}")


def test_the_picture_of_who_is_at_fault_is_the_one_that_decides() -> None:
    drawn = {row[0]: row[2:] for row in rows("finding")}
    assert list(drawn) == [leaf.key for leaf in LEAVES]
    for leaf in LEAVES:
        assert drawn[leaf.key] == ["●" if fault == leaf.causes[0] else "○" if fault in leaf.causes else ""
                                   for fault in CHAIN], leaf.key


@pytest.mark.parametrize(("column", "kind", "name"), [
    ("dahdi card", "E1", "WCT1/0"), ("dahdi dynamic", "DYNAM", "DYN/eth/eth0")])
def test_what_dahdi_can_tell(column: str, kind: str, name: str) -> None:
    abilities = abilities_of(SpanInfo(1, name, "", 0, 0, 0, 0, 0, 1, 31, 0, kind), maintenance=kind == "E1")
    assert can_tell(column) == told(abilities.alarms, abilities.counters, abilities.loops)
    everything = told(Alarm, Counters.__dataclass_fields__, set(Loop) - {Loop.NONE})
    assert {row[0] for row in rows(TOLD)} == everything


@pytest.mark.parametrize("name", sorted(e1ctl.commands))
def test_every_command_and_option_is_explained(name: str) -> None:
    section = re.search(rf"^### e1ctl {name}\b.*?(?=^##)", TEXT + "\n##", re.M | re.S)
    assert section, f"docs/line.md: ### e1ctl {name}"
    cells = "\n".join(re.findall(r"^\| (`-[^|]*) \|", section[0], re.M))
    explained = set(re.findall(r"--?[a-z][a-z-]*", cells))
    options = {option for each in e1ctl.commands[name].params if isinstance(each, click.Option)
               for option in each.opts}
    assert explained == options


def test_every_pattern_and_exit_code_is_named() -> None:
    assert all(f"`{name}`" in TEXT for name in NAMES)
    assert [int(row[0]) for row in rows("exit code")] == [0, 1, 64, 66, 69, 73, 130]
