"""What the fleet tool decides, without a box and without time."""

import asyncio
import contextlib
import io
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import enrolment
from appliance.config.load import load
from appliance.errors import ConfigError
from appliance.fleet import inventory, tables
from appliance.fleet.choosing import Choice, chosen
from appliance.fleet.course import Course, End, State, again, waves
from appliance.fleet.driving import Note, Nowhere, drive
from appliance.fleet.inventory import Box, Inventory, Site, values_of
from appliance.fleet.link import Limits, LinkError, Said
from appliance.fleet.record import Record, look, runs
from appliance.fleet.store import Shelf
from appliance.fleet.templates import Template
from appliance.fleet.updating import Now, Past, Standing, verdict
from appliance.launch.fleet_common import Way, progress

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm0GHJrkCkAHZQuOxLcrGlzL51mM63v9LFvjNHh4LCl"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH1y5TkLyYx0WvNfHTlhLyUHCxqPUIYPnWGbe3tsLkcp"
DOCUMENT = 'spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]\n'


def some() -> Inventory:
    return Inventory(sites=[Site(name="north", values={"ring_s": 15, "port": 1}), Site(name="south")], boxes=[
        Box(name="bj1", address="10.0.0.1", site="north", tags=["e1"], host_key=KEY, values={"port": 2}),
        Box(name="bj2", address="10.0.0.2", site="north", tags=["e1", "trial"]),
        Box(name="gz1", address="10.0.1.1", site="south")])


# --- the code


def test_the_code_is_of_both_keys_and_is_read_as_people_write_it() -> None:
    host, person = enrolment.octets(KEY), enrolment.octets(f"{OTHER} li@noc")
    code = enrolment.code(host, person)
    assert len({code, enrolment.code(person, host), enrolment.code(host, host)}) == 3
    assert enrolment.alike(f" {code.lower().replace('-', ' ').replace('o', '0').replace('i', '1')} ", code)
    assert not enrolment.alike(code[:-1], code) and not enrolment.alike("", code)
    assert enrolment.code(b"a", b"bc") != enrolment.code(b"ab", b"c")


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 AAAA!", "ssh-rsa " + KEY.split()[1], "x ü"])
def test_what_is_no_key_has_no_code(line: str) -> None:
    with pytest.raises(ValueError, match=r"public key|cut or damaged"):
        enrolment.octets(line)


# --- inventory and choice


def test_an_inventory_goes_out_and_in_and_through_its_file(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(inventory.text(some()))
    assert inventory.load(path) == some()
    shelf = Shelf(tmp_path / "fleet.sqlite")
    with shelf.change() as change:
        change.take_over(some())
    assert Shelf(tmp_path / "fleet.sqlite").inventory() == some()
    with shelf.change() as change:                # without keys: they are kept where the address is the same
        change.take_over(Inventory(boxes=[
            Box(name="bj1", address="10.0.0.1"), Box(name="bj2", address="10.0.0.9")]))
    assert [box.host_key for box in shelf.inventory().boxes] == [KEY, ""]
    with shelf.change() as change, pytest.raises(ConfigError, match="bj1: another host key is pinned"):
        change.take_over(Inventory(boxes=[Box(name="bj1", address="10.0.0.1", host_key=OTHER)]))
    with pytest.raises(ConfigError, match="there is no box 'gz1'"), shelf.change() as change:
        change.take_away("bj1")
        change.take_away("gz1")
    assert [box.name for box in shelf.inventory().boxes] == ["bj1", "bj2"]


@pytest.mark.parametrize(("line", "wrong"), [
    ("PRAGMA application_id = 7", "another program's database"),
    ("UPDATE meta SET value = 9", "has tables of version 9"),
    ("DROP TABLE tags", "no such table"),
    ("UPDATE boxes SET address = 'x y' WHERE name = 'bj1'", "is damaged"),
    ("UPDATE boxes SET vals = '{' WHERE name = 'bj1'", "is damaged"),
])
def test_an_inventory_that_somebody_else_wrote_is_not_read(line: str, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.sqlite"
    with Shelf(path).change() as change:
        change.take_over(some())
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(line)
    with pytest.raises(ConfigError, match=wrong):
        Shelf(path).inventory()


def test_who_looks_at_boxes_does_not_wait_for_what_only_others_need() -> None:
    """Most of the time of a command that asks a box or two is what it loads."""
    words = ("import sys\nfrom appliance.launch.cli import main\n"
             "main(['fleet', 'show', '--help'], standalone_mode=False)\n"
             "loaded = {'sqlalchemy', 'nats', 'numpy', 'yaml', 'jinja2'} & set(sys.modules)\n"
             "print(sorted(loaded), file=sys.stderr)")
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert said.stderr.strip() == "[]"


@pytest.mark.parametrize(("text", "wrong"), [
    ("boxes: [{name: a, address: 10.0.0.1, site: x}]", "there is no site 'x'"),
    ("boxes: [{name: a, address: 10.0.0.1}, {name: a, address: b}]", "'a' is there twice"),
    ("boxes: [{name: a, address: 10.0.0.1, host_key: ssh-ed25519 AAAA}]", "fleet.yaml:1: boxes.0..host_key"),
    ("boxes: [{name: A/b, address: 10.0.0.1}]", "fleet.yaml:1: boxes"),
    ("boxes: [{name: a, address: 'x y'}]", "address"),
])
def test_a_wrong_inventory_names_its_place(text: str, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        inventory.load(path)
    assert wrong.replace("boxes.0..", "boxes[0].") in str(error.value)


@pytest.mark.parametrize(("choice", "names"), [
    (Choice(all_of=True), "bj1 bj2 gz1"),
    (Choice(names=["bj*"]), "bj1 bj2"),
    (Choice(tags=["trial"]), "bj2"),
    (Choice(sites=["north"], without=["trial"]), "bj1"),
    (Choice(sites=["n*", "south"], names=["*1"]), "bj1 gz1"),
    (Choice(all_of=True, without=["gz1", "e1"], names=["gz1", "bj1"]), None),
    (Choice(), None), (Choice(names=["sh1"]), None), (Choice(tags=["t"]), None), (Choice(sites=["x"]), None),
    (Choice(all_of=True, without=["sh1"]), None),
])
def test_choice(choice: Choice, names: str | None) -> None:
    if names is None:
        with pytest.raises(ConfigError):
            chosen(some(), choice)
    else:
        assert [box.name for box in chosen(some(), choice)] == names.split()


# --- templates


def test_a_template_has_the_values_of_site_and_box_and_reaches_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(DOCUMENT + "web: {port: {{ port }}} # {{ box.site }}, {{ ring_s }}\n")
    one = some()
    assert Template(path).text(values_of(one.boxes[0], one.sites[0])) == \
        DOCUMENT + "web: {port: 2} # north, 15\n"
    with pytest.raises(ConfigError, match="'port' is undefined: give the site or the box this value"):
        Template(path).text(values_of(one.boxes[2], one.sites[1]))
    for wrong, why in (("{% if %}", "t.yaml:1: "), ("web: {port: 70000}", "web.port"),
                       ("{{ ''.__class__.__mro__ }}", "unsafe"), ("{{ box.update({}) }}", "unsafe|not safe"),
                       ("{% for i in range(10**9) %}{% endfor %}", "Range too big"),
                       ("{% include '/etc/passwd' %}", "no loader")):
        path.write_text(wrong)
        with pytest.raises(ConfigError, match=why):
            Template(path).text({"box": {}})


def test_a_value_is_yaml_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(DOCUMENT + "console: {banner: {{ banner|yaml }}}\n")
    for value in ("a: 'b' # \"c\"", "two\nlines}\nweb: {port: 1}", "广州", "", "no", "\U00020000"):
        made = Template(path).text({"banner": value})
        assert load(path, made).console.banner == value and made.count("\n") == 2


# --- the course


@pytest.mark.parametrize(("spec", "sizes"), [
    ("", [10]), ("1,10%,50%", [1, 1, 5, 3]), ("100%", [10]), ("3", [3, 7]), ("20,1", [10]),
    (" 1 , 2 ", [1, 2, 7])])
def test_waves(spec: str, sizes: list[int]) -> None:
    names = [f"box{number}" for number in range(10)]
    cut = waves(names, spec)
    assert [len(wave) for wave in cut] == sizes and [name for wave in cut for name in wave] == names


@pytest.mark.parametrize("spec", ["0", "a", "-1", "101%", "1,%"])
def test_waves_that_are_none(spec: str) -> None:
    with pytest.raises(ConfigError, match="write how many boxes, or a share"):
        waves(["a"], spec)


@given(st.data())
def test_a_course_never_begins_more_than_it_may_nor_a_wave_before_its_time(data: st.DataObject) -> None:
    names = [f"box{number}" for number in range(data.draw(st.integers(1, 12)))]
    cut = waves(names, data.draw(st.sampled_from(["", "1,3", "50%", "1,1,1,1"])))
    parallel, most = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 2))
    course = Course(cut, {}, parallel=parallel, most_failures=most)
    going: list[str] = []
    begun: list[str] = []
    while True:
        begins = course.begin()
        for box in begins:
            place = next(place for place, wave in enumerate(cut) if box in wave)
            assert all(course.states[other] in (State.DONE, State.FAILED)
                       for wave in cut[:place] for other in wave)
        going += begins
        begun += begins
        assert len(going) <= parallel
        if going:
            box = going.pop(data.draw(st.integers(0, len(going) - 1)))
            course.ended(box, End(data.draw(st.sampled_from([State.DONE, State.DONE, State.FAILED]))))
        elif (looked_at := course.gate()) is not None:
            course.passed({box: "ill" for box in looked_at if data.draw(st.integers(0, 9)) == 0})
        else:
            break
    assert len(begun) == len(set(begun))
    waiting = [box for box in names if course.states[box] is State.WAITING]
    assert bool(waiting) <= bool(course.stopped)
    assert not (set(waiting) & set(begun))


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_log(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    way = Way(Path("fleet.sqlite"), None, 1, Limits(), as_json=False)
    course = Course([["a"], ["b"]], {}, parallel=1, most_failures=0)
    with progress(2, way, course) as seen:
        seen.told("a", "asking")
        seen.over("a", End(State.DONE))
        seen.over("b", End(State.FAILED))
    assert capsys.readouterr().err == "wave 1 of 2  a  done\nwave 2 of 2  b  failed\n"
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    with progress(2, way, course) as seen:
        seen.told("a", "asking\x1b[2J")
        seen.over("a", End(State.DONE))
    assert "a: asking\\x1b[2J" in terminal.getvalue() and "a: done" in terminal.getvalue()


def test_what_resume_begins_again() -> None:
    states = {state.name: state for state in State if state is not State.GOING}
    now = again(states, safe=True, failed=False)
    waiting = {name for name, state in now.items() if state is State.WAITING}
    assert waiting == {"WAITING", "REFUSED", "UNREACHABLE", "UNTRUSTED", "UNKNOWN"}
    now = again(states, safe=False, failed=False)
    assert now["UNKNOWN"] is State.UNKNOWN and now["FAILED"] is State.FAILED
    assert {state for name, state in again(states, safe=False, failed=True).items() if name != "DONE"} == \
        {State.WAITING}


def test_a_wave_that_failed_begins_no_box_but_those_on_which_work_may_go_on() -> None:
    cut = [["a", "b", "c"], ["d"]]
    course = Course(cut, {"a": State.FAILED}, parallel=2, most_failures=0, followed={"c"})
    assert course.begin() == ["c"]
    course.ended("c", End(State.DONE))
    assert (course.begin(), course.gate()) == ([], None)
    assert course.stopped == "wave 1 of 2: 1 of 3 boxes did not do it, at most 0 may"
    assert (course.states["b"], course.wave("d")) == (State.WAITING, "wave 2 of 2")
    course = Course(cut, {"a": State.FAILED}, parallel=2, most_failures=1)
    assert course.begin() == ["b", "c"]


# --- an update's verdict


def past(outcome: str, began_at: float, to: str = "2.0") -> Past:
    return Past(outcome=outcome, why="why", at=began_at + 1, began_at=began_at, version_from="1.0",
                version_to=to)


@pytest.mark.need(19)
@pytest.mark.parametrize(("phase", "version", "history", "state"), [
    ("idle", "2.0", [past("confirmed", 11.0)], State.DONE),
    ("idle", "1.0", [past("confirmed", 11.0)], State.FAILED),        # says so, and runs another one
    ("idle", "3.0", [past("confirmed", 11.0, "3.0")], State.FAILED),                 # not what was wanted
    ("idle", "1.0", [past("rolled back", 11.0)], State.FAILED),
    ("idle", "2.0", [past("confirmed", 12.0), past("rolled back", 11.0)], State.FAILED),
    ("idle", "2.0", [past("confirmed", 9.0)], State.FAILED),         # an older one is not this one
    ("idle", "2.0", [past("confirmed", 3.0)], State.DONE),           # the box's clock was set back
    ("idle", "2.0", [], State.FAILED),
    ("on trial", "2.0", [past("confirmed", 9.0)], None),
    ("trying again", "1.0", [], None),
])
def test_done_is_only_what_the_box_confirms(
        phase: str, version: str, history: list[Past], state: State | None) -> None:
    standing = Standing(state=Now(version=version, phase=phase), history=history)
    end = verdict(standing, before=[9.0, 10.0], wanted="2.0")
    assert (end and end.state) == state


# --- the record


async def test_a_record_holds_what_was_said_and_is_one_process_alone(tmp_path: Path) -> None:
    record = Record.begin(tmp_path / "runs", "run", "li", {"line": "x"}, [["a", "b"], ["c"]], 1000.0)
    await asyncio.gather(
        record.going("a", "asked", {"k": 1}, 1001.0), record.going("b", "asked", {}, 1001.0))
    await record.ended("b", End(State.DONE, "", {"out": "good"}), 1002.0)
    with pytest.raises(ConfigError, match="another program has it open: stop the run that goes on"):
        look(tmp_path / "runs", record.name)
    record.close()
    [name] = runs(tmp_path / "runs")
    kept = look(tmp_path / "runs", "")
    told = kept.told()
    kept.close()
    assert (told.name, told.asked, told.good) == (name, {"line": "x"}, False)
    assert [(step.box, step.wave, step.state, step.facts) for step in told.steps] == [
        ("a", 0, State.UNKNOWN, {"k": 1}), ("b", 0, State.DONE, {"out": "good"}),
        ("c", 1, State.WAITING, {})]
    assert told.steps[0].why == "was cut off: asked"             # nobody is at work on it any more
    for wrong in ("nothing", "../../etc/passwd", "20260101-000000-run"):
        with pytest.raises(ConfigError):
            look(tmp_path / "runs", wrong)


async def test_a_process_that_ends_in_the_middle_leaves_what_was_true(tmp_path: Path) -> None:
    record = Record.begin(tmp_path, "run", "li", {}, [["a", "b", "c"]], 0.0)
    begun = asyncio.Event()

    async def work(box: str, note: Note) -> End:
        if box == "a":
            return End(State.DONE)
        await note("asked", number=7)
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    course = Course([["a", "b", "c"]], {}, parallel=2, most_failures=3)
    driven = asyncio.create_task(drive(course, record, work, facts={}))
    await begun.wait()
    driven.cancel()
    await asyncio.gather(driven, return_exceptions=True)
    states = {step.box: (step.state, step.facts) for step in record.told().steps}
    record.close()
    assert states["a"] == (State.DONE, {}) and states["b"] == (State.UNKNOWN, {"number": 7})
    assert states["c"][0] in (State.WAITING, State.UNKNOWN)


async def test_a_disk_that_refuses_ends_a_run_and_does_not_hang_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record.begin(tmp_path, "run", "li", {}, [["a"]], 0.0)

    async def work(box: str, note: Note) -> End:
        await note("asked")
        return End(State.DONE)

    def full(rows: object) -> None:
        raise UnicodeEncodeError("utf-8", "", 0, 1, "whatever it is")
    with monkeypatch.context() as patched, pytest.raises(UnicodeEncodeError):
        patched.setattr(record, "_write_now", full)
        await drive(Course([["a"]], {}, parallel=1, most_failures=1), record, work, facts={})
    assert [step.state for step in record.told().steps] == [State.WAITING]
    record.close()


async def test_a_fault_with_one_box_does_not_end_the_run_for_the_others() -> None:
    async def work(box: str, note: Note) -> End:
        if box == "a":
            raise ZeroDivisionError("what nobody thought of")
        return End(State.DONE)
    ends = await drive(Course([["a", "b"]], {}, parallel=2, most_failures=1), Nowhere(), work, facts={})
    assert ends["b"].state is State.DONE
    assert (ends["a"].state, ends["a"].why) == (
        State.UNKNOWN, "a fault of this tool: ZeroDivisionError: what nobody thought of")


# --- answers


@pytest.mark.parametrize(("said", "state"), [
    (Said(0, "", ""), None), (Said(1, "", "no"), State.FAILED), (Said(64, "", "?"), State.FAILED),
    (Said(69, "", "away"), State.UNKNOWN), (Said(77, "", "role"), State.REFUSED),
    (Said(-1, "", ""), State.UNKNOWN)])
def test_what_an_exit_status_makes_of_a_box(said: Said, state: State | None) -> None:
    end = said.end()
    assert (end and end.state) == state


def test_answers_become_one_table() -> None:
    answers: Mapping[str, object] = {
        "bj1": {"at": 1.7e9, "spans": [{"span": "telco1", "up": True, "counters": {"slips": 0}},
                                       {"span": "telco2", "up": False, "counters": {"slips": 3}}]},
        "bj2": {"at": 1.7e9, "spans": []}, "gz1": {"name": "广州", "calls": 12}}
    lines = tables.table([{key: value for key, value in row.items() if key != "at"}
                          for row in tables.rows(answers)], None)
    assert lines == ["box  span    up   counters.slips  name  calls",
                     "bj1  telco1  yes               0",
                     "bj1  telco2  no                3",
                     "gz1                               广州     12"]
    assert all(len(line) <= 20 for line in tables.table(tables.rows(answers), 20))


def test_answers_of_a_box_that_means_ill() -> None:
    answers = {"bj1": {"box": "gz1", "say": "\x1b[2J" + "x" * 1_000_000, "started_at": 1e300},
               "bj2": {"box": "gz1", "say": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}}}
    lines = tables.table(tables.rows(answers), 200)
    assert lines[0].split()[:3] == ["box", "its", "box"]
    assert lines[1].startswith("bj1  gz1 ") and lines[2].startswith("bj2  gz1 ")
    assert '{"g": 1}' in lines[2]
    assert tables.table([], 80) == []
    for bad in ("[" * 100_000, "NaN", '"\\ud800"', "1" * 5000, "{"):
        with pytest.raises(LinkError, match="is no JSON"):
            Said(0, bad, "").json()
