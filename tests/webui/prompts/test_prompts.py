"""Pages of prompts, with recordd's own code behind them."""

import io
import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from appliance.bus.messages import (
    DeletePrompt,
    DraftPrompt,
    GetPrompts,
    PromptInfo,
    PromptsChanged,
    PromptTakeState,
    PromptUse,
    TakePrompt,
)
from appliance.recording.prompts import drafts
from tests.recording.prompts.desk import hz_of, pcm
from tests.webui.conftest import NAME, FakeExchange, token
from tests.webui.prompts.facts import PromptBranch, prompt_branch, take
from webui.access.audit import Asked
from webui.access.roles import ROLES
from webui.prompts import views
from webui.prompts.said import said
from webui.users import Users


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[PromptBranch]:
    branch = prompt_branch(tmp_path / "box")
    yield branch
    branch.desk.box.parts.database.close()


def act(client: FlaskClient, path: str, **form: str) -> str:
    answer = client.post(path, data=form | {"csrf_token": token(client, "/prompts/")}, follow_redirects=True)
    assert answer.status_code < 500
    return answer.text


def test_the_table_says_what_is_there_what_is_missing_and_who_uses_it(client: FlaskClient) -> None:
    page = client.get("/prompts/").text
    assert "greeting" in page and "old-one" in page and "zh/number" not in page.split("Words of numbers")[0]
    assert "en/closed is missing: make it" in page
    assert re.search(r"flow: main\.yaml · hello", page)
    assert "missing of" in page
    missing = client.get("/prompts/?show=missing").text
    assert "closed" in missing and "old-one" not in missing
    assert "old-one" in client.get("/prompts/?show=unused").text
    assert "number/1" in client.get("/prompts/?words=yes&text=number/1").text
    assert "No prompt is like that" in client.get("/prompts/?text=nothing-like-it").text


def test_rows_are_names_and_cells_languages() -> None:
    def info(name: str, text: str = "") -> PromptInfo:
        return PromptInfo(name=name, length_ms=1, level_dbm0=-16.0, octets=1, made="text", text=text)
    use = PromptUse(kind="flow", where="a.yaml", what="x")
    table = views.table([info("zh/a", "你好"), info("en/b"), info("music/default"), info("zh/number/1")],
                        {"zh/number/1": "一", "en/number/1": "one"}, {"en/a": [use], "zh/c": [use]})
    assert [(row.base, [bool(cell.info) for cell in row.cells], row.missing) for row in table.rows] == [
        ("a", [True, False], True), ("b", [False, True], False), ("c", [False, False], True),
        ("music/default", [True], False)]
    assert [(one.there, len(one.missing)) for one in table.words] == [(1, 0), (0, 1)]
    assert [row.base for row in views.table([info("zh/a", "你好")], {}, {}, text="你").rows] == ["a"]


def test_the_sound_is_pcm_for_browsers_in_ranges_and_the_file_to_take_home(client: FlaskClient) -> None:
    answer = client.get("/prompts/zh/greeting/audio")
    with wave.open(io.BytesIO(answer.data)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnframes()) == (8000, 2, 24000)
        samples = np.frombuffer(sound.readframes(24000), "<i2")
    assert round(np.abs(np.fft.rfft(samples.astype(float))).argmax() * 8000 / samples.size) == 500
    part = client.get("/prompts/zh/greeting/audio", headers={"Range": "bytes=44-143"})
    assert (part.status_code, part.data) == (206, answer.data[44:144])
    assert part.headers["Content-Range"] == f"bytes 44-143/{len(answer.data)}"
    again = client.get("/prompts/zh/greeting/audio", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    file = client.get("/prompts/zh/greeting/audio?download")
    assert (hz_of(file.data[58:]), file.headers["Content-Disposition"]) == (
        500, "attachment; filename=zh-greeting.wav")
    assert client.get("/prompts/zh/nobody/audio").status_code == 404
    assert client.get("/prompts/..%2Fetc/audio").status_code == 404
    assert len(client.get("/prompts/zh/greeting/peaks").get_json()["peaks"]) == 500


def test_a_name_is_no_header(client: FlaskClient, branch: PromptBranch) -> None:
    for name in ("zh/greeting%0d%0aX: y", "zh/greeting;x=y", "Zh/greeting", f"zh/{'a' * 100}"):
        for more in ("", f"&draft={'a' * 32}"):
            assert client.get(f"/prompts/{name}/audio?download{more}").status_code == 404


def test_why_a_file_cannot_be_played_is_said_in_the_readers_words(
        client: FlaskClient, branch: PromptBranch) -> None:
    (branch.desk.folder / "zh" / "odd.wav").write_bytes(b"no sound at all")
    client.set_cookie("language", "zh")
    for page in (client.get("/prompts/").text, client.get("/prompt/zh/odd").text):
        assert "is not a WAV file" not in page and "不是 WAV 文件" in page


def bring(client: FlaskClient, octets: bytes) -> str:
    upload, header = "c" * 32, {"X-CSRFToken": token(client, "/prompts/")}
    for at in range(0, len(octets), 48 * 1024):
        answer = client.post(f"/prompts/pieces?upload={upload}&offset={at}&total={len(octets)}",
                             data=octets[at:at + 48 * 1024], headers=header,
                             content_type="application/octet-stream")
        assert answer.status_code == 200, answer.text
    return upload


def test_a_file_is_brought_tried_and_kept_and_the_old_one_had_again(
        client: FlaskClient, branch: PromptBranch) -> None:
    page = act(client, "/prompts/try/zh/greeting", **{
        "from": "upload", "upload": bring(client, pcm(1500, 2.0)), "trim": "yes", "level": "-16"})
    assert "New sound, not kept yet" in page and "16000 Hz" in page and branch.desk.hz("zh/greeting") == 500
    found = re.search(r'name="draft" value="([0-9a-f]{32})"', page)
    assert found
    heard = client.get(f"/prompts/zh/greeting/audio?draft={found[1]}&download")
    assert hz_of(heard.data[58:]) == 1500
    page = act(client, "/prompts/keep/zh/greeting", draft=found[1])
    assert "It is kept" in page and branch.desk.hz("zh/greeting") == 1500
    assert "from a file" in page and f"· {NAME}" in page
    number = re.findall(r'name="number" value="(\d+)"', page)[-1]
    page = act(client, "/prompts/restore/zh/greeting", number=number)
    assert branch.desk.hz("zh/greeting") == 500 and "had again" in page
    log = client.get("/log/").text
    assert "Prompt kept" in log and "zh/greeting" in log


def test_a_text_is_spoken_and_a_part_is_cut_out(client: FlaskClient, branch: PromptBranch) -> None:
    page = act(client, "/prompts/try/en/new", **{"from": "text", "text": "Good morning.", "level": "-20"})
    found = re.search(r'name="draft" value="([0-9a-f]{32})"', page)
    assert found and "There is none of this name yet" in page
    page = act(client, "/prompts/try/en/new", **{
        "from": "edit", "draft": found[1], "from_ms": "100", "to_ms": "500", "level": "same"})
    assert "0.4 s" in page
    wrong = act(client, "/prompts/try/zh/greeting", **{"from": "edit", "from_ms": "9000", "to_ms": "9100"})
    assert "is no part of it" in wrong
    assert "Write the level as a number" in act(client, "/prompts/try/zh/greeting", **{
        "from": "edit", "level": "loud"})
    assert "is no level for a prompt" in act(client, "/prompts/try/zh/greeting", **{
        "from": "edit", "level": "9"})
    assert client.post("/prompts/try/zh/greeting", data={
        "csrf_token": token(client, "/prompts/"), "from": "nowhere"}).status_code == 400


def test_hostile_files_and_names_are_told_and_change_nothing(
        client: FlaskClient, branch: PromptBranch) -> None:
    before = branch.desk.ask(GetPrompts())
    page = act(client, "/prompts/try/zh/greeting", **{
        "from": "upload", "upload": bring(client, b"PK\3\4" + bytes(2000))})
    assert "The file is a ZIP archive" in page
    assert "did not arrive as a whole" in act(client, "/prompts/try/zh/greeting", **{
        "from": "upload", "upload": "d" * 32})
    header = {"X-CSRFToken": token(client, "/prompts/")}
    for query in ("upload=../../x&offset=0&total=9", f"upload={'e' * 32}&offset=0&total=99999999999",
                  f"upload={'e' * 32}&offset=5&total=9", "", f"upload={'e' * 32}&offset=-1&total=-1"):
        answer = client.post(f"/prompts/pieces?{query}", data=b"x", headers=header)
        assert answer.status_code == 409, query
    for name in ("..%2f..%2fetc", "ZH/x", "zh/x.wav", "zh/" + "x" * 100, "zh//x"):
        assert client.get(f"/prompt/{name}").status_code in (404, 308), name
        assert client.post(f"/prompts/keep/{name}", data={
            "csrf_token": token(client, "/prompts/"), "draft": "a" * 32}).status_code in (404, 308), name
    assert "is no name for a prompt" in client.get("/prompts/find?name=<b>&language=zh",
                                                   follow_redirects=True).text
    assert branch.desk.ask(GetPrompts()) == before
    assert client.post("/prompts/delete/zh/old-one", data={}).status_code == 400     # no CSRF token


def test_what_is_used_is_not_deleted_and_what_is_not_can_go_and_come_back(
        client: FlaskClient, branch: PromptBranch) -> None:
    assert "is used: take it out there first" in act(client, "/prompts/delete/zh/greeting")
    page = client.get("/prompt/zh/greeting").text
    assert "It can be renamed and deleted when nothing uses it" in page
    page = act(client, "/prompts/copy/zh/old-one", to="zh/newer", how="copy")
    assert "The copy is called zh/newer" in page
    assert "choose another name" in act(client, "/prompts/copy/zh/old-one", to="zh/newer", how="move")
    act(client, "/prompts/delete/zh/old-one")
    assert any(isinstance(one, DeletePrompt) for one in branch.asked)
    page = client.get("/prompt/zh/old-one").text
    assert "It was deleted. Its versions are in the history" in page and "Have it again" in page
    branch.desk.uses = None
    assert "cannot be seen at this moment" in act(client, "/prompts/delete/zh/newer")


def test_a_telephone_rings_and_the_page_tells_how_it_goes(
        client: FlaskClient, branch: PromptBranch, exchange: FakeExchange) -> None:
    assert "810 rings: lift" in act(client, "/prompts/record/zh/greeting", at="810", language="zh")
    [noted] = client.application.extensions["branchline"].audit.entries(Asked(acts=("prompt-recorded",)), 5)
    assert (noted.what, noted.outcome) == ("zh/greeting: 810", "")
    for step, shown in (("recording", "recording: end with #"), ("asking", "1 keep, 2 hear again")):
        exchange.mirror.hear(PromptTakeState(take=take(step=step)), 0.0)
        assert shown in client.get("/prompt/zh/greeting").text
    exchange.mirror.hear(PromptTakeState(take=take(step="failed", error="the telephone was hung up")), 0.0)
    assert "hung up before anything was kept" in client.get("/prompt/zh/greeting").text
    assert "hung up" not in client.get("/prompt/en/greeting").text
    branch.refusal = "zhang: is ready for calls: not ready first"
    assert "zhang is ready for calls: make this agent not ready first." in act(
        client, "/prompts/record/zh/greeting", at="zhang")
    assert not any(isinstance(one, TakePrompt) for one in branch.asked)
    before = exchange.mirror.floor
    exchange.mirror.hear(PromptsChanged(name="zh/greeting"), 0.0)
    assert exchange.mirror.floor.prompts == before.prompts + 1


def test_the_stream_brings_the_new_sound_and_the_take(
        client: FlaskClient, branch: PromptBranch, exchange: FakeExchange) -> None:
    stream = client.get("/prompts/events?name=zh/greeting").response
    next(iter(stream))
    first = next(iter(stream))
    assert b"What callers hear" in first and b'id=\\"take\\"' in first
    assert client.get("/prompts/events?name=../x").status_code == 404
    exchange.mirror.close()


def test_who_may_see_may_not_change(client: FlaskClient, users: Users, branch: PromptBranch) -> None:
    assert {name for name, role in ROLES.items() if "configure" in role.rights} >= {"admin"}
    for path in ("/prompts/", "/prompt/zh/greeting", "/prompts/zh/greeting/audio",
                 "/prompts/zh/greeting/peaks"):
        stranger = client.application.test_client()
        assert stranger.get(path, headers={"Accept": "application/json"}).status_code in (401, 303)


@pytest.mark.parametrize("sentence", [
    "the file has 99999999 octets: 20 MiB are the most", "it is longer than 600 s: shorten it",
    "zh/a: there is one of that name: choose another", "was not answered in 40 s",
    f"{drafts.UPLOADS} prompts are being spoken already: wait until one of them ends"])
def test_what_daemons_say_is_said_in_the_readers_words(client: FlaskClient, sentence: str) -> None:
    with client.application.test_request_context():
        assert said(sentence) != sentence


def test_a_draft_that_is_gone_is_told(client: FlaskClient, branch: PromptBranch) -> None:
    assert "gone after an hour" in client.get(f"/prompt/zh/greeting?draft={'a' * 32}").text
    assert not any(isinstance(one, DraftPrompt) for one in branch.asked)
