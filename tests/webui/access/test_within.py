"""What a person with limits sees: hers; what is outside is not there, whatever address she types."""

import re

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from appliance.bus.messages import ContactLeg, OpenRecording
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import FakeExchange, token
from tests.webui.facts import RECORDING, Branch
from tests.webui.shelf import Shelf, talk
from webui.access.ranges import Range

THEIRS, WAITING = "ab" * 16, "cd" * 16


@pytest.fixture
def leader(staff: Staff, shelf: Shelf) -> FlaskClient:
    """Of sales and anna. One recording is hers, one is of another queue's agent, one of nobody known."""
    shelf.finish(THEIRS, talk(1.0), contact="c2", queue="service", agent="chen", calling="02164301234")
    shelf.finish(WAITING, talk(1.0), contact="x", queue="", agent="", kind="message")
    return staff.new("li", "team_leader", SALES)


def test_the_board_has_her_queue_her_agent_and_their_calls(leader: FlaskClient) -> None:
    page = leader.get("/").text
    assert "anna" in page and "13800138000" in page
    for theirs in ("chen", "02164301234", "service", "bert", "18621554433", "dora", "+8675522334455"):
        assert theirs not in page, theirs
    assert page.count("/contacts/c") >= 1


def test_her_contacts_are_hers_and_counted_so(leader: FlaskClient, branch: Branch) -> None:
    page = leader.get("/contacts/").text
    assert set(re.findall(r"/contacts/([a-z]\d)\b", page)) == {"c1", "c4", "c5", "e1", "e2", "e3"}
    for inside in ("c1", "c4", "e1", "e2", "e3"):
        assert leader.get(f"/contacts/{inside}").status_code == 200, inside
    branch.legs["c2"] = [ContactLeg(leg="l9", party="caller", at=0.0)]
    csrf = token(leader, "/contacts/")
    for outside in ("c2", "c3", "c6", "c7", "none"):
        for path in ("", "/events", "/trace.pcap"):
            answer = leader.get(f"/contacts/{outside}{path}")
            assert answer.status_code == (404 if path != "/trace.pcap" else 403), outside
        assert leader.post(f"/contacts/{outside}/trace-caller", data={"csrf_token": csrf}).status_code == 404


def test_her_recordings_are_found_within_the_range_and_others_are_not_there(
        leader: FlaskClient, shelf: Shelf, branch: Branch) -> None:
    page = leader.get("/recordings/").text
    assert set(re.findall(r"/recordings/([0-9a-f]{32})\"", page)) == {RECORDING}
    assert "1 recording<" in page
    assert leader.get("/recordings/?preset=dates&contact=c2&queue=service").text.count(THEIRS) == 0
    assert leader.get(f"/recordings/{RECORDING}").status_code == 200
    assert leader.get(f"/recordings/{RECORDING}/audio").status_code == 200
    branch.asked.clear()
    for other in (THEIRS, WAITING, "0" * 32):
        for path in ("", "/audio", "/peaks"):
            assert leader.get(f"/recordings/{other}{path}").status_code == 404, (other, path)
        assert leader.get(f"/quality/recording/{other}").status_code == 404
    assert not [one for one in branch.asked if isinstance(one, OpenRecording)]
    assert shelf.entries(THEIRS) == []


def test_many_are_held_within_the_range_only(staff: Staff, leader: FlaskClient, shelf: Shelf) -> None:
    chief = staff.new("wu", "supervisor", SALES)
    sent = {"csrf_token": token(chief, "/recordings/"), "case": "court 7", "why": "claim"}
    answer = chief.post("/recordings/many/hold", data=sent | {
        "which": "ticked", "recording": [RECORDING, THEIRS]})
    assert answer.status_code == 404
    assert shelf.entries(RECORDING) == []
    assert chief.post("/recordings/many/hold", data=sent | {"which": "found"}).status_code == 200
    assert [len(shelf.entries(one)) for one in (RECORDING, THEIRS, WAITING)] == [1, 0, 0]


def test_what_is_shared_with_her_is_heard_and_nothing_else(
        staff: Staff, leader: FlaskClient, shelf: Shelf) -> None:
    chief = staff.new("wu", "supervisor")
    page = chief.post(f"/recordings/{THEIRS}/share", data={
        "csrf_token": token(chief, f"/recordings/{THEIRS}"), "why": "see how", "days": "1"}).text
    [link] = re.findall(r'value="http://localhost(/recordings/shared/[^"]+)"', page)
    page = leader.get(link).text
    [audio] = re.findall(r'data-audio="([^"]+)"', page)
    assert leader.get(audio).status_code == 200
    assert leader.get(audio.replace("audio", "peaks")).status_code == 200
    assert leader.get(f"/recordings/{THEIRS}/audio").status_code == 404


def test_a_recording_that_grows_is_hers_when_its_contact_is(
        leader: FlaskClient, shelf: Shelf, branch: Branch, exchange: FakeExchange) -> None:
    growing = "ef" * 16
    shelf.grow(growing, 2.0)
    assert leader.get(f"/recordings/{growing}").status_code == 404
    inside, outside = branch.contacts["c1"], branch.contacts["c2"]
    for one, status in ((outside, 404), (inside, 200)):
        segment = replace(one.segments[-1], recording=growing)
        branch.contacts[one.contact] = replace(one, segments=[*one.segments[:-1], segment])
        exchange.tell()
        assert leader.get(f"/recordings/{growing}").status_code == status
        assert leader.get(f"/recordings/{growing}/peaks").status_code == status
        branch.contacts[one.contact] = one


def test_supervisors_spans_are_those_of_her_trunks(staff: Staff) -> None:
    chief = staff.new("wu", "supervisor", Range(trunks=frozenset({"telco"})))
    assert chief.get("/spans/telco").status_code == 200
    for path in ("", "/events", "/trace.pcap"):
        assert chief.get(f"/spans/pbx{path}").status_code == 404
    page = chief.get("/").text
    assert 'id="span-telco"' in page and 'id="span-pbx"' not in page
    assert "13800138000" not in page                       # whose call a channel has is not known of it


def test_an_agent_hears_what_is_his_own(staff: Staff, shelf: Shelf) -> None:
    shelf.finish(THEIRS, talk(1.0), agent="chen")
    anna = staff.new("anna", "agent")
    assert anna.get("/").location == "/quality/results"
    assert anna.get(f"/recordings/{RECORDING}/audio").status_code == 200
    assert anna.get(f"/recordings/{THEIRS}/audio").status_code == 404
    assert anna.get(f"/recordings/{RECORDING}/audio?download").status_code == 403
    assert anna.get("/recordings/").status_code == 403


def test_two_people_who_look_at_the_same_moment_see_each_their_own(
        staff: Staff, leader: FlaskClient) -> None:
    """What is rendered for one is kept for all who see the same, and only for those."""
    chief = staff.new("wu", "supervisor")
    installer = staff.new("zhou", "installer")
    for _ in range(2):
        assert "02164301234" in chief.get("/").text
        assert "02164301234" not in leader.get("/").text
        page = installer.get("/").text
        assert "02164301234" in page and 'href="/contacts/c2"' not in page
