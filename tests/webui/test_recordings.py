"""Recordings in a browser's hands, over recordd's own answers: found, heard, kept."""

import json
import re
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from appliance.bus.messages import (
    CheckFinding,
    EraseRecording,
    GetRecordingChecks,
    HoldRecordings,
    OpenRecording,
    RecordingCheck,
    RecordingChecks,
    SearchRecordings,
)
from appliance.media import g711
from appliance.recording.audio import Format
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, Header
from tests.webui.conftest import NAME, FakeExchange, post, token
from tests.webui.facts import RECORDING, Branch
from tests.webui.shelf import Shelf, talk
from webui import recording_views, recordings_many
from webui.access import roles
from webui.opened import SAME_S
from webui.parts import Settings

PAGE = f"/recordings/{RECORDING}"
AUDIO, PEAKS = f"{PAGE}/audio", f"{PAGE}/peaks"
OTHER = "ab" * 16


def kinds(shelf: Shelf, recording: str = RECORDING) -> list[tuple[str, str]]:
    return [(one.kind, one.by) for one in shelf.entries(recording)]


def test_what_is_kept_is_what_is_sent_and_a_playing_is_one_entry(client: FlaskClient, shelf: Shelf) -> None:
    whole = client.get(AUDIO)
    assert whole.data.startswith(b"OggS")
    assert (whole.content_type, whole.headers["Accept-Ranges"]) == ("audio/ogg; codecs=opus", "bytes")
    for asked, first, last in (("bytes=0-9", 0, 9), ("bytes=100-299", 100, 299), ("bytes=9000-", 9000, None),
                               ("bytes=-500", len(whole.data) - 500, None)):
        part = client.get(AUDIO, headers={"Range": asked})
        end = len(whole.data) - 1 if last is None else last
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{end}/{len(whole.data)}"
        assert part.data == whole.data[first:end + 1]
    assert client.get(AUDIO, headers={"Range": "bytes=99999999-"}).status_code == 416
    again = client.get(AUDIO, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert kinds(shelf) == [("listened", NAME)]


def test_a_player_that_cannot_read_it_gets_a_wav(client: FlaskClient, shelf: Shelf, tmp_path: Path) -> None:
    shelf.finish(OTHER, talk(4.0), Format.FLAC)
    wav = client.get(f"/recordings/{OTHER}/audio?form=wav")
    assert (wav.content_type, len(wav.data)) == ("audio/wav", HEAD_OCTETS + 400 * TICK_OCTETS)
    assert wav.data[HEAD_OCTETS:] == talk(4.0)
    part = client.get(f"/recordings/{OTHER}/audio?form=wav", headers={"Range": "bytes=30001-40000"})
    assert part.data == wav.data[30001:40001]
    (tmp_path / "all.wav").write_bytes(wav.data)
    length = subprocess.run(["soxi", "-D", tmp_path / "all.wav"], capture_output=True, text=True, check=True)
    assert float(length.stdout) == 4.0


def test_the_waveform_and_the_page_are_free_a_head_opens_nothing(client: FlaskClient, shelf: Shelf) -> None:
    found = client.get(PEAKS).json
    assert found is not None
    caller, agent = np.array(found["caller"]), np.array(found["agent"])
    half = len(caller) // 2
    assert len(caller) == len(agent) > 400
    assert caller[:half].max() > 80 > 2 >= caller[half + 5:].max()
    assert agent[half:].max() > 40 > 2 >= agent[:half - 5].max()
    assert (found["ticks"], found["finished"], found["format"], found["gone"]) == (1000, True, "opus", "")
    assert found["marks"] == [{"at": 2.0, "kind": "key", "title": "Key 5"},
                              {"at": 6.0, "kind": "hold", "title": "On hold"}]
    assert client.get(PAGE).status_code == 200
    assert client.get("/recordings/").status_code == 200
    assert client.head(AUDIO).status_code == 405
    assert kinds(shelf) == []


def test_silences_are_told_to_the_player(client: FlaskClient, shelf: Shelf) -> None:
    quiet = g711.encode(np.zeros((3 * 8000, 2), np.int16)).tobytes()
    shelf.finish(OTHER, talk(2.0) + quiet + talk(2.0))
    found = client.get(f"/recordings/{OTHER}/peaks").json
    assert found is not None
    [(begin, end)] = found["silences"]
    assert begin == pytest.approx(2.0, abs=0.05)
    assert end == pytest.approx(5.0, abs=0.05)


def test_it_is_opened_again_when_recordd_has_forgotten_the_ticket(client: FlaskClient, shelf: Shelf) -> None:
    whole = client.get(AUDIO).data
    shelf.parts.tickets.close()                   # it began anew
    assert client.get(AUDIO).data == whole
    assert kinds(shelf) == [("listened", NAME)] * 2


def test_a_playing_is_another_one_when_its_ticket_is_about_to_end(
        client: FlaskClient, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, real = client.get(AUDIO).data, time.monotonic
    for later_s, entries in ((SAME_S / 2, 1), (SAME_S, 2)):
        monkeypatch.setattr(time, "monotonic", lambda by_s=later_s: real() + by_s)
        assert client.get(AUDIO).data == whole
        assert kinds(shelf) == [("listened", NAME)] * entries


def test_a_growing_recording_is_seen_and_heard_as_far_as_it_is(client: FlaskClient, shelf: Shelf) -> None:
    shelf.grow(OTHER, 2.0)
    audio, peaks = f"/recordings/{OTHER}/audio", f"/recordings/{OTHER}/peaks"
    found = client.get(peaks).json
    assert found is not None
    assert (found["ticks"], found["finished"], len(found["caller"])) == (200, False, 200)
    assert "being made" in client.get(f"/recordings/{OTHER}").text
    shelf.grow(OTHER, 2.0)
    again = client.get(peaks).json
    assert again is not None
    assert (again["ticks"], again["caller"][:200]) == (400, found["caller"])
    cut = client.get(f"{audio}?ticks=200&form=wav")
    assert Header.read(cut.data[:HEAD_OCTETS]).ticks == 200
    assert cut.data[HEAD_OCTETS:] == talk(2.0)
    assert len(client.get(audio).data) == HEAD_OCTETS + 400 * TICK_OCTETS
    shelf.end(OTHER)
    over = client.get(peaks).json
    assert over is not None
    assert (over["finished"], over["caller"]) == (True, again["caller"])


def test_what_is_taken_home_has_a_name_and_an_entry_of_its_own(client: FlaskClient, shelf: Shelf) -> None:
    answer = client.get(f"{AUDIO}?download")
    named = re.fullmatch(r"attachment; filename\*=UTF-8''[\d-]{10}_[\d-]{8}_anna_13800138000\.opus",
                         answer.headers["Content-Disposition"])
    assert named
    assert kinds(shelf) == [("downloaded", NAME)]
    shelf.finish(OTHER, talk(1.0), Format.FLAC, agent="张 三/x", withheld=True)
    name = client.get(f"/recordings/{OTHER}/audio?download&form=wav").headers["Content-Disposition"]
    assert "_%E5%BC%A0-%E4%B8%89-x.wav" in name   # nobody's number


@pytest.mark.parametrize("name", ["0", RECORDING.upper(), RECORDING + "0", RECORDING[:-1] + "g"])
def test_a_recordings_name_is_32_hexadecimal_digits(
        client: FlaskClient, exchange: FakeExchange, name: str) -> None:
    exchange.branch.asked.clear()
    for path in ("/audio", "/peaks", ""):
        assert client.get(f"/recordings/{name}{path}").status_code == 404
    assert not exchange.branch.asked


def test_without_recordd_it_is_503_and_the_contacts_page_stays(
        client: FlaskClient, exchange: FakeExchange, shelf: Shelf) -> None:
    exchange.silent.add("recordd")
    for path in (AUDIO, PEAKS, PAGE, "/recordings/", "/recordings/store/"):
        assert client.get(path).status_code == 503
    assert client.get("/contacts/e1").status_code == 200
    assert client.get(f"/recordings/{OTHER}/audio").status_code == 503


def test_one_that_is_not_there_is_404(client: FlaskClient, shelf: Shelf) -> None:
    for path in ("/audio", "/peaks", ""):
        assert client.get(f"/recordings/{OTHER}{path}").status_code == 404


def test_the_search_is_one_question_whose_conditions_are_in_the_address(
        client: FlaskClient, shelf: Shelf, branch: Branch) -> None:
    shelf.finish(OTHER, talk(1.0), queue="service", agent="chen", calling="02164301234", tags=["vip"],
                 disposition="complaint", note="客户投诉退款")
    for address, rows in (
            ("", 2), ("?preset=today", 2), ("?preset=yesterday", 0), ("?number=643012", 1),
            ("?agent=chen", 1), ("?queue=sales", 1), ("?text=投诉", 1), ("?text=complaint", 1),
            ("?tag=vip", 1), ("?way=missed", 0), ("?way=in&least=0:05", 1),
            ("?preset=dates&since=2020-01-01&until=2020-01-02", 0),
            ("?held=yes", 0), ("?contact=e1", 2), ("?least_score=50", 0), ("?state=erased", 0)):
        branch.asked.clear()
        page = client.get(f"/recordings/{address}").text
        assert page.count("<tr data-key=") == rows, address
        assert ("No recording is like that." in page) == (rows == 0), address
        assert [type(one) for one in branch.asked] == [SearchRecordings]
    assert 'value="投诉"' in client.get("/recordings/?text=投诉").text
    assert 'list="of-agent"' in page


@pytest.mark.parametrize("address", [
    "number=1", "number=abc", "least=soon", "least_score=x", "preset=dates&since=yesterday", "preset=ever",
    "way=up", "text=" + "+".join("abcdefghijkl"), "preset=dates&since=0001-01-01"])
def test_what_is_no_search_is_said_and_what_was_written_stays(
        client: FlaskClient, shelf: Shelf, address: str) -> None:
    answer = client.get(f"/recordings/?{address}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_older_ones_are_on_the_next_page(
        client: FlaskClient, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_views, "ROWS", 2)
    for number in range(4):
        shelf.finish(f"{number:032x}", b"\xd5" * TICK_OCTETS, Format.WAV, ago_s=100.0 + number)
    pages, address = [], "/recordings/?queue=sales"
    while address:
        page = client.get(address).text
        assert "5 recordings" in page
        pages.append(re.findall(r'<tr data-key="(\w+)"', page))
        older = re.search(r'href="([^"]+)" rel="next"', page)
        address = older[1].replace("&amp;", "&") if older else ""
        assert "queue=sales" in address or not address
    assert pages == [[RECORDING, f"{0:032x}"], [f"{1:032x}", f"{2:032x}"], [f"{3:032x}"]]


def test_held_it_cannot_be_erased_released_it_can_and_all_is_told(client: FlaskClient, shelf: Shelf) -> None:
    def act(what: str, **form: str) -> Any:
        return client.post(f"{PAGE}/{what}", data=form | {"csrf_token": token(client, PAGE)})

    assert client.post(f"{PAGE}/hold", data={"case": "c", "why": "w"}).status_code == 400        # no token
    assert act("hold", case="court 7", why="claim").status_code == 303
    page = client.get(PAGE).text
    assert "Held: court 7" in page
    assert act("erase", why="asked to").status_code == 409               # he is not sure
    refused = act("erase", why="asked to", sure="yes")
    assert (refused.status_code, "is held by court 7" in refused.text) == (409, True)
    assert act("release", case="court 7", why="").status_code == 409
    assert act("release", case="court 7", why="settled").status_code == 303
    client.get(AUDIO)
    assert act("erase", why="a person's right", sure="yes").status_code == 303
    page = client.get(PAGE).text
    assert "Its audio was erased" in json.loads(client.get(PEAKS).data)["gone"]
    for words in ("held", "released", "listened", "deleted", "settled", NAME, "right"):
        assert words in page, words
    assert "13800138000" not in page
    assert client.get(AUDIO).status_code == 404
    assert ("listened", NAME) in kinds(shelf)


def test_a_shared_link_is_kept_expires_and_opens_one_recording_only(
        app: Flask, client: FlaskClient, shelf: Shelf, settings: Settings,
        monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.finish(OTHER, talk(1.0))
    sent = {"csrf_token": token(client, PAGE)}
    assert client.post(f"{PAGE}/share", data=sent | {"why": "", "days": "7"}).status_code == 409
    assert client.post(f"{PAGE}/share", data=sent | {"why": "training", "days": "999"}).status_code == 400
    page = client.post(f"{PAGE}/share", data=sent | {"why": "training", "days": "1"}).text
    [link] = re.findall(r'value="(http://localhost/recordings/shared/[^"]+)"', page)
    assert kinds(shelf) == [("shared", NAME)]
    assert json.loads(shelf.entries(RECORDING)[0].data)["why"] == "training"
    # One who may not listen to recordings comes with the link.
    monkeypatch.setattr(roles, "may", lambda role, right, of: False)
    page = client.get(link).text
    assert "training" in page
    [audio] = re.findall(r'data-audio="([^"]+)"', page)
    assert client.get(audio).status_code == 200
    assert json.loads(shelf.entries(RECORDING)[1].data)["why"] == f"shared by {NAME}: training"
    assert client.get(AUDIO).status_code == 403
    assert client.get(audio.replace(RECORDING, OTHER)).status_code == 403
    assert client.get(link[:-1]).status_code == 404
    assert client.get(f"{audio}&download").status_code == 403
    over = URLSafeTimedSerializer(settings.session_key, salt="shared recording").dumps(
        {"recording": RECORDING, "by": NAME, "why": "", "for_s": -1})
    assert client.get(f"/recordings/shared/{over}").status_code == 404
    assert client.get(f"{AUDIO}?pass={over}").status_code == 403
    assert client.get("/recordings/").status_code == 403
    stranger = app.test_client()
    assert stranger.get(link).location.startswith("/login")


def test_a_bundle_is_made_with_a_reason_and_fetched_by_who_made_it(
        client: FlaskClient, shelf: Shelf, settings: Settings, tmp_path: Path) -> None:
    sent = {"csrf_token": token(client, PAGE)}
    assert client.post(f"{PAGE}/export", data=sent | {"why": ""}).status_code == 409
    page = client.post(f"{PAGE}/export", data=sent | {"why": "for the court"}).text
    [link] = re.findall(r'href="(/recordings/bundles/[^"]+)"', page)
    with client.get(link) as answer:
        (tmp_path / "bundle.zip").write_bytes(answer.data)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        assert any(RECORDING in name for name in bundle.namelist())
    assert kinds(shelf) == [("exported", NAME)]
    assert client.get(f"{PAGE}/export").location == PAGE          # the language was changed there
    other = URLSafeTimedSerializer(settings.session_key, salt="bundle").dumps(
        {"name": link.rpartition("/")[2], "by": "another"})
    assert client.get(f"/recordings/bundles/{other}").status_code == 404
    assert client.get(f"{link}x").status_code == 404


def test_the_store_shows_room_cases_counts_and_the_chain(
        client: FlaskClient, shelf: Shelf, branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.answer(HoldRecordings(case="court 7", by="sun", why="claim", recordings=[RECORDING]))
    shelf.warn("slow-disk", "the disk is slow: it took 3 s")
    answer = shelf.answer
    checks = RecordingChecks(checks=[RecordingCheck(
        began_at=1.0, checked_at=2.0, expected=9, found=8, missing=1, orphans=0, differing=0, explained=0,
        findings=[CheckFinding(kind="missing", recording=OTHER, contact="c77", began_at=1.0, expected_s=30.0,
                               found_s=0.0)])])
    monkeypatch.setattr(shelf, "answer", lambda asked: checks if isinstance(asked, GetRecordingChecks)
                        else answer(asked))
    page = client.get("/recordings/store/").text
    for words in ("held by cases", "court 7", "The disk is slow", "it took 3 s", "/contacts/c77",
                  "1 that is not as it should be", "Fingerprint"):
        assert words in page, words
    assert "Would go now" not in page
    report = client.get("/recordings/store/retention").text
    assert "Nothing would go now." in report
    assert "Next run:" in report
    checked = client.post("/recordings/store/chain",
                          data={"csrf_token": token(client, "/recordings/store/")}).text
    assert re.search(r"\d+ entries, all hold", checked)
    sent = {"csrf_token": token(client, "/recordings/store/"), "case": "court 7"}
    assert client.post("/recordings/store/release", data=sent | {"why": ""}).status_code == 409
    assert client.post("/recordings/store/release", data=sent | {"why": "settled"}).status_code == 303
    assert "settled" in client.get("/recordings/store/").text


def test_recordds_warnings_are_notices_on_the_board(
        client: FlaskClient, shelf: Shelf, exchange: FakeExchange) -> None:
    shelf.warn("disk-refuses", "the disk refuses recordings: <b>")
    exchange.tell()
    page = client.get("/").text
    assert "The disk refuses recordings" in page
    assert "the disk refuses recordings: &lt;b&gt;" in page
    assert post(client, "/language", language="zh", next="/").status_code == 303
    assert "磁盘拒绝写入录音" in client.get("/").text
    shelf.warn("disk-refuses", "")
    exchange.tell()
    assert "磁盘拒绝写入录音" not in client.get("/").text


def test_every_page_is_in_both_languages(client: FlaskClient, shelf: Shelf) -> None:
    for path in ("/recordings/", PAGE, "/recordings/store/", "/recordings/store/retention"):
        for language, words in (("en", "Recording"), ("zh", "录音")):
            client.set_cookie("language", language)
            assert words in client.get(path).text


def test_who_may_not_is_refused_everything(
        client: FlaskClient, shelf: Shelf, branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"csrf_token": token(client, PAGE), "case": "c", "why": "w", "days": "1", "sure": "yes"}
    monkeypatch.setattr(roles, "may", lambda role, right, of: False)
    branch.asked.clear()
    for path in ("/recordings/", PAGE, AUDIO, f"{AUDIO}?download", PEAKS, "/recordings/store/"):
        assert client.get(path).status_code == 403, path
    for act in ("hold", "release", "share", "export", "erase"):
        assert client.post(f"{PAGE}/{act}", data=sent).status_code == 403, act
    assert not [one for one in branch.asked if isinstance(one, OpenRecording)]
    assert not branch.asked


def many(client: FlaskClient, act: str, search: str = "", **form: Any) -> Any:
    return client.post(f"/recordings/many/{act}{search}", data={
        "csrf_token": token(client, "/recordings/"), "why": "claim 7"} | form)


def test_all_that_a_search_finds_is_held_and_exported_at_once(
        client: FlaskClient, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than are on a page, and than recordd says at once."""
    monkeypatch.setattr(recording_views, "ROWS", 2)
    monkeypatch.setattr(recordings_many, "MOST_ROWS", 2)
    others = [f"{number:032x}" for number in range(4)]
    for number, name in enumerate(others):
        shelf.finish(name, talk(0.1), agent="chen", ago_s=100.0 + number)
    shelf.answer(EraseRecording(recording=others[3], by="sun", why="a person's right"))
    page = many(client, "hold", "?agent=chen", which="found", case="court 7")
    assert (page.status_code, "3 recordings are held for court 7" in page.text) == (200, True)
    assert all(("held", NAME) in kinds(shelf, one) for one in others[:3])
    assert ("held", NAME) not in kinds(shelf)                # of another agent
    page = many(client, "export", "?agent=chen", which="found").text
    assert "1 is not in it: its audio is not on the box." in page
    [link] = re.findall(r'href="(/recordings/bundles/[^"]+)"', page)
    with client.get(link) as answer:
        (tmp_path / "bundle.zip").write_bytes(answer.data)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        audio = [name for name in bundle.namelist() if name.endswith(".opus")]
    assert sorted(name[-37:-5] for name in audio) == others[:3]


def test_those_ticked_are_held_and_what_was_written_stays(client: FlaskClient, shelf: Shelf) -> None:
    shelf.finish(OTHER, talk(1.0))
    nothing = many(client, "hold", "?queue=sales", which="ticked", case="court 7")
    assert (nothing.status_code, "Tick recordings in the list" in nothing.text) == (409, True)
    no_case = many(client, "hold", "?queue=sales", which="ticked", recording=[OTHER], case="")
    assert no_case.status_code == 409
    assert re.search(rf'<input type="checkbox"[^>]* value="{OTHER}"[^>]* checked', no_case.text)
    assert kinds(shelf, OTHER) == kinds(shelf) == []
    assert many(client, "hold", which="ticked", recording=[OTHER, "0" * 32], case="c").status_code == 404
    assert many(client, "export", which="ticked", recording=["../etc"]).status_code == 404
    assert many(client, "hold", which="ticked", recording=[OTHER], case="court 7").status_code == 200
    assert (kinds(shelf, OTHER), kinds(shelf)) == ([("held", NAME)], [])
    assert client.get("/recordings/many/hold?queue=sales").location == "/recordings/?queue=sales"


def test_more_than_recordd_takes_is_refused_before_anything_is_done(
        client: FlaskClient, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_many, "MOST", 1)
    shelf.finish(OTHER, talk(1.0))
    for act in ("hold", "export"):
        answer = many(client, act, which="found", case="c")
        assert (answer.status_code, "At most 1 recordings" in answer.text) == (409, True)
    assert many(client, "export", "?number=1", which="found").status_code == 409      # that is no search
    assert kinds(shelf, OTHER) == kinds(shelf) == []


def test_what_recordd_refuses_is_said_in_chinese(client: FlaskClient, shelf: Shelf) -> None:
    sent = {"csrf_token": token(client, PAGE), "why": "w"}
    client.set_cookie("language", "zh")
    client.post(f"{PAGE}/hold", data=sent | {"case": "court 7"})
    for path, form, says in (
            (f"{PAGE}/erase", {"sure": "yes"}, "该录音已为 court 7 保全：请先解除保全。"),
            (f"{PAGE}/release", {"case": "court 8"}, "没有名为 court 8 的案件保全录音。"),
            (f"{PAGE}/export", {"passphrase": "short"}, "加密口令至少 8 个字符"),
            ("/recordings/many/hold", {"which": "found", "case": ""}, "请填写案件名称")):
        answer = client.post(path, data=sent | form)
        assert (answer.status_code, says in answer.text) == (409, True), path
    assert "12x 不是号码的一部分" in client.get("/recordings/?number=12x").text
