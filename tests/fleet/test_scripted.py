"""What is done on a box that answers in a made-up way: updates, pushes, bundles."""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import ConfigError
from appliance.fleet import documents, health, pushing
from appliance.fleet.collecting import collecting, looking
from appliance.fleet.course import Course, End, State
from appliance.fleet.driving import Note, Nowhere, drive
from appliance.fleet.link import LinkError, Said
from appliance.fleet.naming import naming
from appliance.fleet.updating import Now, Past, Standing, updating

DOCUMENT = 'spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]\n'


def past(outcome: str, began_at: float, to: str = "2.0") -> Past:
    return Past(outcome=outcome, why="why", at=began_at + 1, began_at=began_at, version_from="1.0",
                version_to=to)


class Scripted:
    """A link whose answers are written down by a line's first words, the next each time; none: no contact."""

    def __init__(self, **answers: list[object]) -> None:
        self.answers, self.asked = answers, list[str]()

    @contextlib.asynccontextmanager
    async def reach(self, box: str) -> AsyncIterator[Any]:
        if not self.answers.get("reach", [True]):
            raise LinkError(State.UNREACHABLE, "Connection refused")
        if self.answers.get("reach"):
            self.answers["reach"].pop(0)
        yield self

    async def ask(self, line: str, within_s: float | None = None) -> Said:
        self.asked.append(line)
        left = self.answers.get("_".join(line.split()[:2]), [])
        if not left:
            raise LinkError(State.UNKNOWN, f"contact was lost during {line!r}")
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, LinkError):
            raise answer
        return answer if isinstance(answer, Said) else Said(0, json.dumps(answer), "")

    async def store(self, octets: bytes, path: str) -> None:
        self.asked.append(f"put {path}")

    async def read(self, path: str, most_octets: int) -> bytes:
        text: Any = self.answers.get(path, [""])[0]
        return str(text).encode()

    async def listed(self, folder: str) -> Any:
        self.asked.append(f"list {folder.strip('/')}")
        return self.answers["listed"]

    async def fetch(self, path: str, into: Path) -> None:
        self.asked.append(f"get {path}")


WELL: dict[str, list[object]] = {
    "show_daemons": [{"daemons": []}], "show_alarms": [{"alarms": [], "unknown": []}]}


def update_of(phase: str = "idle", version: str = "1.0", began_at: float = 0.0, *history: Past) -> object:
    return msgspec.to_builtins(Standing(
        state=Now(version=version, phase=phase, began_at=began_at), history=list(history)))


async def updated(link: Scripted, facts: Mapping[str, object], now: Iterator[float]) -> End:
    work = updating("https://x/y", "drained", "2.0", link.reach, health.looking(link.reach, again_s=0.0),
                    clock=lambda: next(now), again_s=0.0, within_s=10.0)
    course = Course([["a"]], {}, parallel=1, most_failures=0)
    return (await drive(course, Nowhere(), work, facts={"a": facts}))["a"]


@pytest.mark.need(19)
async def test_an_update_that_an_earlier_try_asked_for_is_looked_for_and_not_asked_again() -> None:
    done = update_of("idle", "2.0", 0.0, past("confirmed", 11.0))
    link = Scripted(show_update=[done], **WELL)
    end = await updated(link, {"before": [10.0]}, itertools.count())
    assert end.state is State.DONE and not any("install" in line for line in link.asked)

    # The box is away now: an update was asked for, so it is not said that nothing was done there.
    end = await updated(Scripted(reach=[]), {"before": [10.0]}, itertools.count())
    assert end.state is State.UNKNOWN and "last seen: nothing since it was asked" in end.why
    end = await updated(Scripted(reach=[]), {}, itertools.count())
    assert (end.state, end.why) == (State.UNREACHABLE, "Connection refused")


@pytest.mark.need(19)
async def test_an_update_that_the_box_refuses_or_after_which_it_is_not_well_has_failed() -> None:
    refused = Said(1, "", "this machine has no slots")
    link = Scripted(show_update=[update_of()], update_install=[refused], **WELL)
    end = await updated(link, {}, itertools.count())
    assert (end.state, end.why) == (State.FAILED, "this machine has no slots")
    assert "before" not in end.facts              # so nobody waits for it when the run goes on

    # It has the version already, and an alarm that it had before.
    old: dict[str, list[object]] = {"show_daemons": [{"daemons": []}], "show_alarms": [
        {"alarms": [{"severity": "major", "about": "span telco1", "alarm": "LOS"}], "unknown": []}]}
    end = await updated(Scripted(show_update=[update_of("idle", "2.0")], **old), {}, itertools.count())
    assert (end.state, end.why) == (State.DONE, "has this version already")

    # Its daemon did not answer in time: it may have begun all the same, and has.
    link = Scripted(show_update=[update_of(), update_of("idle", "2.0", 0.0, past("confirmed", 11.0))],
                    update_install=[Said(69, "", "InstallUpdate: no answer in 30 s")], **WELL)
    assert (await updated(link, {}, itertools.count())).state is State.DONE

    ill = [{"alarms": [{"severity": "major", "about": "span telco1", "alarm": "LOS"}], "unknown": []}]
    link = Scripted(show_update=[update_of(), update_of("idle", "2.0", 0.0, past("confirmed", 11.0))],
                    update_install=[{}], show_daemons=[{"daemons": []}],
                    show_alarms=[{"alarms": [], "unknown": []}, *ill])
    end = await updated(link, {}, itertools.count())
    assert (end.state, end.why) == (State.FAILED, "is on the new version, and not well: span telco1: LOS")


WANTED = DOCUMENT + "web: {port: 8001}\n"


def history(*states: str, in_force: bool = True, candidate_by: str = "") -> dict[str, Any]:
    """As show history has it, with version 7 as the newest; only that is of this run."""
    return {"waiting": 7 if states[:1] == ("waiting",) else 0, "until": 0.0, "candidate_by": candidate_by,
            "versions": [{"number": 7 - place, "comment": "" if place else "why (fleet x)", "kind": "commit",
                          "state": state, "in_force": in_force} for place, state in enumerate(states)]}


async def pushed(link: Scripted, text: str = WANTED, **facts: object) -> End:
    now = itertools.count()
    work = pushing.pushing({"a": WANTED}, 0.1, link.reach, health.looking(link.reach, again_s=0.0),
                           comment="why (fleet x)", clock=lambda: next(now), again_s=0.0)
    link.answers[documents.DOCUMENT] = [text]
    return (await drive(Course([["a"]], {}, parallel=1, most_failures=0), Nowhere(), work,
                        facts={"a": facts}))["a"]


def with_push(*histories: object, **answers: list[object]) -> Scripted:
    usual: dict[str, list[object]] = {
        **WELL, "show_history": list(histories), "configure_compare": [{"lines": ["+web"], "keys": []}],
        "configure_commit": [{"version": 7, "until": 0.0}], "configure_discard": [{}], "confirm_7": [{}],
        "revert_7": [{}]}
    return Scripted(**usual | answers)


@pytest.mark.need(19)
async def test_a_version_is_confirmed_by_its_number_and_only_when_it_is_what_was_pushed() -> None:
    none, waits, stays, gone = (
        {"versions": [], "waiting": 0, "until": 0.0}, history("waiting"), history("confirmed"),
        history("rolled-back"))
    link = with_push(none, waits, stays)
    assert (await pushed(link)).state is State.DONE
    assert "confirm 7 | json" in link.asked

    # Somebody else of the same name had put another candidate there in the moment before the commit.
    link = with_push(none, waits, gone)
    end = await pushed(link, text=DOCUMENT)
    assert end.state is State.FAILED and end.why.startswith("taken back: another text was committed")
    assert "revert 7 | json" in link.asked and "confirm 7 | json" not in link.asked
    assert end.facts["changed"] is False

    # The box is busy while its daemons take it over: that is no answer, and so no failure.
    busy = Said(69, "", "GetDocumentHistory: no answer in 2 s")
    assert (await pushed(with_push(none, busy, busy, waits, stays))).state is State.DONE

    # Told to keep it, and not heard of again: it may keep it, or not.
    lost = LinkError(State.UNKNOWN, "contact was lost")
    end = await pushed(with_push(none, waits, lost))
    assert (end.state, end.why) == (
        State.UNKNOWN, "contact was lost: it was told to keep the version, and whether it does is not known")

    # It says no to the commit: nothing is changed there, and it is said so.
    end = await pushed(with_push(none, configure_commit=[Said(1, "", "no")], configure_discard=[lost]))
    assert (end.state, end.why, end.facts["changed"]) == (State.FAILED, "no", False)


async def test_a_candidate_of_somebody_is_left_as_it_is() -> None:
    for person in ("noc", "li"):
        link = with_push(history(candidate_by=person))
        link.answers[documents.CANDIDATE] = ["something: else"]
        end = await pushed(link)
        assert end.state is State.REFUSED and "has a candidate there" in end.why
        assert not any("discard" in line or "put" in line or "commit" in line for line in link.asked)


async def test_a_replacement_is_called_what_the_old_one_was(tmp_path: Path) -> None:
    async def named(link: Scripted, done: State = State.DONE, wanted: str = "bj1") -> End:
        async def work(box: str, note: Note) -> End:
            return End(done, "", {"version": 2})
        course = Course([["a"]], {}, parallel=1, most_failures=0)
        return (await drive(course, Nowhere(), naming(work, {"a": wanted}, link.reach), facts={}))["a"]
    other: list[object] = [{"name": "branchline"}]
    link = Scripted(show_version=other, hostname_bj1=[{"said": "the box is called bj1"}])
    end = await named(link)
    assert (end.state, end.why, end.facts["hostname"]) == (State.DONE, "", "bj1")
    assert link.asked == ["show version | json", "hostname bj1"]
    link = Scripted(show_version=[{"name": "bj1"}])                  # of a try before
    assert (await named(link)).facts["hostname"] == "bj1" and len(link.asked) == 1
    no: list[dict[str, list[object]]] = [{"hostname_bj1": [Said(1, "", "it is no installed box")]}, {}]
    for more in no:
        end = await named(Scripted(show_version=other, **more))
        assert end.state is State.DONE and "its host name is not bj1: " in end.why
        assert "hostname" not in end.facts and end.facts["version"] == 2
    for state, wanted in ((State.FAILED, "bj1"), (State.DONE, "")):
        link = Scripted(show_version=other)
        assert (await named(link, state, wanted)).state is state and link.asked == []


async def test_what_there_is_to_be_collected_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    link = Scripted(listed=[("a.pcap", 7), ("b.pcap", 9), ("notes.txt", 3)])
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.pcap").write_bytes(b"7 known")
    (tmp_path / "a" / "b.pcap").write_bytes(b"cut off")
    work = looking(["captures", "support", "log"], tmp_path, link.reach)
    ends = await drive(Course([["a"]], {}, parallel=1, most_failures=0), Nowhere(), work, facts={})
    found: Any = ends["a"].facts["files"]
    assert [(one["what"], one["file"], one["octets"], one["here"]) for one in found] == [
        ("captures", "a.pcap", 7, True), ("captures", "b.pcap", 9, False), ("support", "", None, False),
        ("log", "log.txt", None, False)]
    assert link.asked == ["list saved"] and sorted(one.name for one in tmp_path.rglob("*")) == [
        "a", "a.pcap", "b.pcap"]
    with pytest.raises(ConfigError):
        looking(["everything"], tmp_path, link.reach)


async def test_a_bundle_is_fetched_from_where_the_box_says_and_from_nowhere_else(tmp_path: Path) -> None:
    async def collected(file: str) -> tuple[End, list[str]]:
        steps = "".join(json.dumps({"said": "", "file": one}) + "\n" for one in ("", file))
        link = Scripted()
        link.answers["support_|"] = [Said(0, steps, "")]
        work = collecting(["support"], tmp_path, link.reach)
        ends = await drive(Course([["a"]], {}, parallel=1, most_failures=0), Nowhere(), work, facts={})
        return ends["a"], link.asked
    end, asked = await collected("/saved/support/box-1.tar.gz")
    assert (end.state, end.facts["files"]) == (State.DONE, ["a/box-1.tar.gz"])
    assert "get /saved/support/box-1.tar.gz" in asked
    for bad in ("", "/saved/support/../../x", "/etc/passwd", "/saved/support/.x", "/saved/support/"):
        end, asked = await collected(bad)
        assert end.state is State.FAILED and not any(line.startswith("get") for line in asked)
