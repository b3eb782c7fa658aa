"""What the agent shows, by the numbers of RFC 2863, RFC 4805 and BRANCHLINE-MIB."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.box.snmp.interfaces import cards
from appliance.box.snmp.tree import Oid
from appliance.bus.messages import DaemonHealth, Health, LineFailure
from tests.box.snmp.boxes import CARD, ENTERPRISE, RUNNING, UNIX, Shown, health, quarter, state

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
IF, IFX = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
DS1 = (1, 3, 6, 1, 2, 1, 10, 18)
OWN = (1, 3, 6, 1, 4, 1, ENTERPRISE, 1, 1)
TELCO, PBX = 1001, 1002


def failure(span: str, alarm: str, declared: bool = True) -> LineFailure:
    return LineFailure(span=span, alarm=alarm, declared=declared, since=0.0, at=0.0)


def test_system_group() -> None:
    box = Shown()
    box.now += 12.5
    assert box.at(*SYSTEM, 3, 0) == 1250 and box.at(*SYSTEM, 5, 0) == b"box-7"
    assert box.at(*SYSTEM, 2, 0) == (1, 3, 6, 1, 4, 1, ENTERPRISE, 2, 1)
    assert box.at(*SYSTEM, 4, 0) == b"noc@example.net" and box.at(*SYSTEM, 6, 0) == b"branch 7"


@pytest.mark.need(11)
def test_spans_are_interfaces_beside_the_network_cards() -> None:
    box = Shown()
    assert box.at(1, 3, 6, 1, 2, 1, 2, 1, 0) == 3
    assert [box.at(*IF, column, TELCO) for column in (1, 3, 5, 6, 7, 8)] == [TELCO, 18, 2_048_000, b"", 1, 1]
    assert (box.at(*IFX, 1, TELCO), box.at(*IFX, 14, TELCO), box.at(*IFX, 15, TELCO)) == (b"telco1", 1, 2)
    assert [box.at(*IFX, 17, span) for span in (TELCO, PBX)] == [1, 2], "over a network: no connector"
    assert box.at(*IF, 10, 2) == 7 and box.at(*IFX, 6, 2) == (1 << 32) + 7, "32 bits wrap, 64 do not"
    assert box.at(*IF, 10, TELCO) is None, "a line counts no octets"


def test_a_line_goes_down_with_its_failure_and_says_when() -> None:
    box = Shown()
    box.view.lines()
    box.now += 60
    box.seen.hear(failure("telco1", "los"))
    assert (box.at(*IF, 8, TELCO), box.at(*IF, 8, PBX)) == (2, 1)
    assert (box.at(*IF, 9, TELCO), box.at(*IF, 9, PBX)) == (6000, 0)
    assert (box.at(*DS1, 6, 1, 10, TELCO), box.at(*DS1, 6, 1, 16, TELCO)) == (64, 6000)
    box.now += 60
    box.seen.hear(failure("telco1", "los", declared=False))
    box.seen.hear(failure("telco1", "rai"))
    assert box.at(*IF, 8, TELCO) == 1, "the far end does not hear us; we hear it"
    assert (box.at(*DS1, 6, 1, 10, TELCO), box.at(*DS1, 6, 1, 16, TELCO)) == (2, 12_000)


@pytest.mark.parametrize(("loop", "config", "status"), [
    ("none", 1, 1), ("payload", 2, 2), ("line", 3, 4), ("local", 5, 16)])
def test_loops(loop: str, config: int, status: int) -> None:
    box = Shown()
    box.seen.hear(state("telco1", loop=loop))
    assert (box.at(*DS1, 6, 1, 9, TELCO), box.at(*DS1, 6, 1, 18, TELCO)) == (config, status)
    assert box.at(*DS1, 6, 1, 10, TELCO) == (1 if loop == "none" else 128)


def test_a_span_that_is_lent_is_being_tested_and_one_not_heard_of_is_unknown() -> None:
    box = Shown()
    box.seen.hear(state("telco1", lent=True))
    assert (box.at(*IF, 7, TELCO), box.at(*IF, 8, TELCO)) == (3, 3)
    health(box.seen, spand="down")
    box.now += 10
    assert box.at(*IF, 8, TELCO) == box.at(*IF, 8, PBX) == 4
    assert [box.at(*DS1, 6, 1, column, TELCO) for column in (5, 9, 10, 12, 18)] == [None] * 5, "nobody knows"
    assert box.at(*DS1, 6, 1, 16, TELCO) == 0 and box.at(*DS1, 6, 1, 6, TELCO) == 3
    health(box.seen)
    box.seen.hear(state("telco1", trouble="no such device"))
    box.now += 10
    assert (box.at(*IF, 8, TELCO), box.at(*DS1, 6, 1, 10, TELCO)) == (2, 4096)


def test_clock_source_and_line_type() -> None:
    box = Shown()
    assert [box.at(*DS1, 6, 1, 6, span) for span in (TELCO, PBX)] == [3, 6], "no line code over a network"
    assert [box.at(*DS1, 6, 1, 12, span) for span in (TELCO, PBX)] == [1, 3], "loop, through timing"
    assert [box.at(*DS1, 6, 1, column, TELCO) for column in (5, 6, 11)] == [5, 3, 4]


@pytest.mark.need(11)
def test_quarters_of_an_hour_the_last_one_is_1() -> None:
    box = Shown()
    assert [box.at(*DS1, 8, 1, 3, TELCO, number) for number in (1, 2, 3, 4)] == [1, 2, None, 4]
    assert [box.at(*DS1, 8, 1, 8, TELCO, number) for number in (1, 2)] == [2, 4], "CRC-4 blocks"
    assert [box.at(*DS1, 8, 1, 13, TELCO, number) for number in (1, 4)] == [1, 2], "100 s are not a quarter"
    assert [box.at(*DS1, 6, 1, column, TELCO) for column in (3, 4, 14)] == [600, 4, 2]
    assert [box.at(*DS1, 9, 1, column, TELCO) for column in (2, 7, 11)] == [7, 14, 9], "the day: sums"
    assert [box.at(*DS1, 11, 1, 3, TELCO, number) for number in (2, 4)] == [1, 2], "the far end"
    assert box.at(*DS1, 7, 1, 2, TELCO) == 0 and box.at(*DS1, 10, 1, 2, TELCO) == 600


@pytest.mark.need(4)
def test_what_the_interface_cannot_tell_is_not_there() -> None:
    box = Shown()
    unknown = quarter(1)
    unknown.near.es, unknown.counts = None, {}
    box.bins = {unknown.at: unknown}
    assert [box.at(*DS1, 8, 1, column, TELCO, 1) for column in (3, 4, 8, 12)] == [None, 1, None, None]
    assert [box.at(*DS1, 9, 1, column, TELCO) for column in (2, 3)] == [None, 1]
    assert not [name for name, _ in box.walk((*DS1, 8)) if name[10] in (5, 7, 9, 10, 11)], "SEFS, CSS, ..."
    assert box.at(*OWN, 3, 1, 7, TELCO) is None, "slips are among the untold"


def test_an_ended_quarter_is_seen_soon() -> None:
    box = Shown()
    assert box.at(*DS1, 8, 1, 3, TELCO, 1) == 1
    box.unix, box.now = RUNNING + 901.0, box.now + 301.0
    box.bins[RUNNING] = quarter(0)
    assert [box.at(*DS1, 8, 1, 3, TELCO, number) for number in (1, 2)] == [0, 1]


def test_an_interface_says_when_it_changed_and_the_list_when_it_did() -> None:
    box = Shown()
    assert (box.at(*IF, 9, 2), box.at(*IFX[:-2], 5, 0)) == (0, 0)
    box.now += 30
    box.cards = [replace(CARD, oper=2)]
    assert (box.at(*IF, 8, 2), box.at(*IF, 9, 2), box.at(*IFX[:-2], 5, 0)) == (2, 3000, 0)
    box.now += 30
    box.cards = [replace(CARD, oper=2), replace(CARD, index=3), replace(CARD, index=TELCO)]
    assert (box.at(*IF, 9, 2), box.at(*IFX[:-2], 5, 0)) == (3000, 6000)
    assert box.at(*IF, 10, TELCO) is None, "a card with a span's number is not shown as the span"
    assert box.at(*IFX[:-2], 2, 1, 3, 0, 3) == box.at(*IFX[:-2], 2, 1, 3, TELCO, 0) == 1


def test_network_cards_as_the_kernel_tells_them(tmp_path: Path) -> None:
    def card(name: str, **told: object) -> None:
        for file, value in ({"flags": "0x1003", "type": 1, "ifindex": 2, "operstate": "up", "mtu": 1500,
                             "address": "02:00:00:00:00:07", "speed": 100} | told).items():
            path = tmp_path / name / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")
    card("eth0", statistics__rx_packets=100, statistics__multicast=30, device__vendor=1)
    card("eth1", flags="0x1102", ifindex=3, operstate="down", speed=-1)
    card("lo", type=772, ifindex=1, operstate="unknown", flags="0x9")
    card("gone", ifindex="")
    (tmp_path / "bonding_masters").write_text("")
    first, second, loop = cards(tmp_path)
    assert (first.index, first.bps, first.oper, first.admin) == (2, 100_000_000, 1, 1)
    assert (first.counts["rx_packets"], first.counts["multicast"]) == (70, 30), "RFC 2863: each counted once"
    assert first.address == bytes.fromhex("020000000007") and first.connector and not first.promiscuous
    assert (second.bps, second.oper, second.admin) == (0, 2, 2)
    assert second.promiscuous and not second.connector
    assert (loop.type, loop.oper, loop.address) == (24, 1, b"")


def test_own_objects() -> None:
    box = Shown()
    assert [box.at(*OWN, 1, number, 0) for number in range(1, 7)] == [b"0.9.1", 1, b"", 3, 12, b"telco1"]
    assert [box.at(*OWN, 3, 1, column, TELCO) for column in (2, 3, 4, 5, 6)] == [b"telco1", 1, 1, 1, 1]
    sales = (5, *b"sales")
    assert [box.at(*OWN, 4, 1, column, *sales) for column in (2, 3, 4, 5)] == [2, 31, 1, 0]
    assert [box.at(*OWN, 5, 1, 2, number) for number in (3, 6, 1)] == [2, 1, 0]
    assert [box.at(*OWN, 6, 1, column, 5, *b"spand") for column in (2, 3, 4, 5)] == [1, 2, 5120, 150]
    box.seen.hear(Health(at=UNIX, daemons=[DaemonHealth(daemon="spand", state="up", starts=3, cpu_s=0.5)]))
    box.now += 1
    assert box.at(*OWN, 6, 1, 5, 5, *b"spand") == 200, "its time goes on with another process"
    health(box.seen, acdd="down")
    box.now += 1
    assert box.at(*OWN, 4, 1, 2, *sales) is None and box.at(*OWN, 6, 1, 2, 4, *b"acdd") == 3


def test_a_counter_of_frames_goes_on_when_spand_begins_anew() -> None:
    box = Shown()
    assert box.at(*OWN, 3, 1, 8, TELCO) == 4
    for frames, expected in ((1, 5), ((1 << 32) + 1, 5)):
        box.now += 1
        box.seen.hear(state("telco1", frames=frames))
        assert box.at(*OWN, 3, 1, 8, TELCO) == expected


def test_a_walk_comes_by_every_row_once_in_order() -> None:
    names = [name for name, _ in Shown().walk()]
    assert names == sorted(set(names)) and len(names) > 200


def definitions(module: str) -> dict[Oid, str]:
    """Object -> syntax, of a MIB that others compiled out of the RFC's text."""
    found = importlib.util.find_spec("pysnmp_mibs")
    assert found is not None and found.submodule_search_locations
    text = (Path(found.submodule_search_locations[0]) / f"{module}.py").read_text()
    row = re.compile(r"^\w+ = Mib(?:TableColumn|Scalar)\(\(([0-9, ]+)\), (\w+)", re.MULTILINE)
    return {tuple(map(int, numbers.split(","))): syntax for numbers, syntax in row.findall(text)}


SYNTAX = {                                        # ours -> what RFC 2578 and 2579 make of it
    "integer": {"Integer32", "InterfaceIndex", "TruthValue", "IANAifType", "Integer", "RowStatus"},
    "gauge": {"Gauge32", "PerfCurrentCount", "PerfIntervalCount", "PerfTotalCount"},
    "counter32": {"Counter32"}, "counter64": {"Counter64"},
    "ticks": {"TimeTicks", "TimeStamp"}, "string": {"DisplayString", "PhysAddress"}}


@pytest.mark.parametrize(("module", "below"), [
    ("DS1-MIB", DS1), ("IF-MIB", (1, 3, 6, 1, 2, 1, 2)), ("IF-MIB", (1, 3, 6, 1, 2, 1, 31))])
def test_columns_and_types_are_those_of_the_rfc(module: str, below: Oid) -> None:
    known, rows = definitions(module), Shown().walk(below)
    assert len(rows) > 20
    for name, value in rows:
        object_, = [one for one in known if name[:len(one)] == one]
        assert known[object_] in SYNTAX[value.kind], f"{name}: {value.kind}, {module} has {known[object_]}"
