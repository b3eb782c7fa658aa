"""Pages of the configuration: what is seen, by whom, and what is asked of boxd."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from appliance.box.document.keeper import NEXT_START
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import GetDocument, GetDocumentHistory
from appliance.config.lines import SpanConfig
from appliance.config.schema import Config
from appliance.trunk.reload import check_reload
from tests.webui.configuration.kept import DOCUMENT, Kept
from tests.webui.conftest import token
from webui.configuration.said import said
from webui.configuration.shapes import Line, Section, difference, sections, unified

CHANGED = DOCUMENT.replace("12.0", "7.5")


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    """A form of a page below /configuration/."""
    boundary, octets = encode_multipart(form | {"csrf_token": token(client, "/configuration/")})
    return client.post(f"/configuration/{path}", data=octets,
                       content_type=f"multipart/form-data; boundary={boundary}")


def committed(client: FlaskClient, minutes: str = "0", text: str = CHANGED) -> None:
    assert send(client, "edit", text=text, base="0", newest="0").status_code == 303
    assert send(client, "commit", why="agents asked for it", minutes=minutes).status_code == 303


def test_what_holds_its_history_and_its_text_by_keys(client: FlaskClient, kept: Kept) -> None:
    page = client.get("/configuration/").text
    assert "Version 1" in page and "as it was found" in page and "yes, all of it" in page
    assert "<code>centre:</code></summary>" in page and "<code>  queues:</code></summary>" in page
    assert "# The branch in Suzhou" in page
    assert "s3cret-token" not in page and "(not shown)" in page
    committed(client)
    page = client.get("/configuration/").text
    assert "agents asked for it" in page and "<code>centre.queues.sales.ring_s</code>" in page
    assert kept.document.read_text() == CHANGED
    assert client.get("/configuration/versions/2").status_code == 200
    assert client.get("/configuration/versions/9").status_code == 404
    assert client.get("/configuration/versions/2/export").text == CHANGED
    assert "as it was found" in client.get("/configuration/older?before=2").text


def test_two_versions_side_by_side_and_one_below_the_other(client: FlaskClient, kept: Kept) -> None:
    committed(client)
    beside = client.get("/configuration/compare?old=1&new=2").text
    assert '<code class="was">12.0</code>' in beside and '<code class="is">7.5</code>' in beside
    assert 'data-sign="~"' in beside and "±" in beside
    below = client.get("/configuration/compare?old=1&new=2&view=unified").text
    assert 'data-sign="-"' in below and 'data-sign="+"' in below and "−" in below
    assert client.get("/configuration/compare?old=1&new=7").status_code == 404
    assert client.get("/configuration/compare?old=1").status_code == 404             # no candidate


def test_mistakes_are_said_with_their_lines_and_the_text_is_kept(client: FlaskClient, kept: Kept) -> None:
    wrong = DOCUMENT.replace("ring_s: 12.0", "ring_z: 12.0")
    answer = send(client, "edit", text=wrong, base="1", newest="1")
    assert answer.status_code == 422
    assert 'data-line="8"' in answer.text and "no such key" in answer.text and "ring_z: 12.0" in answer.text
    assert kept.document.read_text() == DOCUMENT
    assert "ring_z" in client.get("/configuration/edit").text        # it is the candidate
    page = client.get("/configuration/candidate").text
    assert "Line 8" in page and "/configuration/commit" not in page
    assert send(client, "discard").status_code == 303
    assert "ring_z" not in client.get("/configuration/edit").text


def test_a_file_instead_of_typing(client: FlaskClient, kept: Kept) -> None:
    for octets, status in ((b"\xff\xfe", 422), (b"x" * 60_000, 422), (b"x" * 70_000, 413),
                           (CHANGED.encode(), 303)):
        answer = send(client, "edit", base="1", newest="1", text="",
                      file=FileStorage(io.BytesIO(octets), "branchline.yaml"))
        assert answer.status_code == status
    assert kept.ask(GetDocument(candidate=True, secrets=True)).text == CHANGED


def test_a_document_may_be_as_long_as_a_form(client: FlaskClient, kept: Kept) -> None:
    long = DOCUMENT + "# a long story\n" * 3_000
    assert send(client, "edit", text=long, base="1", newest="1").status_code == 303
    assert send(client, "edit", text="x" * 2_000_000, base="1", newest="1").status_code == 413


def in_pieces(client: FlaskClient, octets: bytes, size: int = 48 * 1024) -> tuple[int, str]:
    word, status, headers = "", 200, {"X-CSRFToken": token(client, "/configuration/edit")}
    for offset in range(0, len(octets), size):
        answer = client.post(f"/configuration/pieces?word={word}&offset={offset}", headers=headers,
                             data=octets[offset:offset + size], content_type="application/octet-stream")
        status, word = answer.status_code, answer.text if answer.status_code == 200 else word
    return status, word


def test_a_document_longer_than_a_form_comes_in_pieces(client: FlaskClient, kept: Kept) -> None:
    long = DOCUMENT + "# 座席很多\n" * 20_000
    assert len(long.encode()) > 300_000
    status, word = in_pieces(client, long.encode())
    assert status == 200
    assert send(client, "edit", upload=word, base="1", newest="1").status_code == 303
    assert kept.ask(GetDocument(candidate=True, secrets=True)).text == long
    assert long[-200:] in client.get("/configuration/edit").text
    assert send(client, "edit", upload=word, base="1", newest="1").status_code == 404          # once
    assert in_pieces(client, b"#" * (512 * 1024 + 1))[0] == 413
    headers = {"X-CSRFToken": token(client, "/configuration/edit")}
    assert client.post(f"/configuration/pieces?word={in_pieces(client, b'#')[1]}&offset=7", headers=headers,
                       data=b"#").status_code == 409


def test_a_commit_without_a_reason_or_that_needs_a_new_start_is_refused(
        client: FlaskClient, kept: Kept) -> None:
    send(client, "edit", text=CHANGED, base="1", newest="1")
    answer = send(client, "commit", why=" ", minutes="0")
    assert answer.status_code == 409 and "A commit needs a reason" in answer.text
    kept.bus.no = "spans.telco1.url: calls are on it"
    assert "spans.telco1.url" in client.get("/configuration/candidate").text
    answer = send(client, "commit", why="new line", minutes="0")
    assert answer.status_code == 409 and "spans.telco1.url" in answer.text
    assert kept.document.read_text() == DOCUMENT
    assert send(client, "commit", why="new line", minutes="0", next_start="yes").status_code == 303
    assert "it takes effect at the next start" in client.get("/configuration/").text


@pytest.mark.need(16)
def test_every_page_says_that_a_version_waits_and_it_can_be_confirmed_or_taken_back(
        client: FlaskClient, kept: Kept) -> None:
    committed(client, minutes="5")
    page = client.get("/contacts/").text
    assert "Version 2 of the configuration waits to be confirmed" in page and 'class="remaining"' in page
    answer = send(client, "edit", text=DOCUMENT + "#\n", base="2", newest="2")
    answer = send(client, "commit", why="more", minutes="0")
    assert answer.status_code == 409 and "Version 2 waits to be confirmed: confirm it" in answer.text
    assert send(client, "versions/1/confirm").status_code == 409
    assert send(client, "versions/2/confirm").status_code == 303
    assert "waits to be confirmed" not in client.get("/contacts/").text
    assert send(client, "commit", why="more", minutes="1").status_code == 303
    assert send(client, "versions/3/go-back").status_code == 303
    assert kept.document.read_text() == CHANGED
    states = [(one.number, one.state) for one in kept.ask(GetDocumentHistory()).versions]
    assert states == [(4, "committed"), (3, "rolled-back"), (2, "confirmed"), (1, "committed")]
    log = client.get("/log/").text
    assert "Configuration committed" in log and "Configuration taken back" in log


def test_a_roll_back_is_a_new_version(client: FlaskClient, kept: Kept) -> None:
    committed(client)
    assert "Roll back to version 1" in client.get("/configuration/versions/1").text
    assert "Roll back" not in client.get("/configuration/versions/2").text
    assert send(client, "versions/1/roll-back", why="it was better", minutes="0").status_code == 303
    assert kept.document.read_text() == DOCUMENT
    page = client.get("/configuration/").text
    assert "back to version 1" in " ".join(page.split()) and "it was better" in page


def test_an_edit_on_the_box_is_seen_and_a_wrong_one_said(client: FlaskClient, kept: Kept) -> None:
    send(client, "edit", text=CHANGED, base="1", newest="1")
    kept.document.write_text(DOCUMENT.replace("8080", "8081"))
    page = client.get("/configuration/candidate").text
    assert "Meanwhile there is version 2" in page
    page = client.get("/configuration/edit").text
    assert "made from version 1, and there is version 2 now" in page and 'name="base" value="2"' in page
    kept.document.write_text("spans: 3")
    page = client.get("/configuration/").text
    assert "is wrong" in page and "write a list: [3]" in page
    assert send(client, "versions/2/roll-back", why="mend it", minutes="0").status_code == 303
    assert "8081" in kept.document.read_text()


def test_boxd_away_is_said(client: FlaskClient, exchange: Any) -> None:
    exchange.silent = {"boxd"}
    assert client.get("/configuration/").status_code == 503


def test_who_confirms_while_boxd_is_away_is_told_what_follows(
        client: FlaskClient, kept: Kept, exchange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(request: Any, timeout_s: float = 2.0) -> Any:
        raise BusError(f"{type(request).__name__}: boxd is not there")
    committed(client, minutes="5")
    with monkeypatch.context() as alone:
        alone.setattr(exchange, "ask", away)
        answer = send(client, "versions/2/confirm")
        assert answer.status_code == 503 and "Whether this was done is not known" in answer.text
        assert "then confirm it again" in answer.text and "ConfirmDocument: boxd is not there" in answer.text
    assert "Version 2 of the configuration waits to be confirmed" in client.get("/contacts/").text
    assert send(client, "versions/2/confirm").status_code == 303
    assert "boxd is not there" in client.get("/log/").text           # and not that it was done


def test_a_new_line_is_said_to_begin_with_the_next_start_before_it_is_committed(
        client: FlaskClient, kept: Kept) -> None:
    send(client, "edit", text=CHANGED, base="1", newest="1")
    lines = [SpanConfig(name=name, url=f"virtual:/x/{name}/b", side="user", trunk="telco")
             for name in ("telco1", "telco3")]
    with pytest.raises(Refused) as refused:
        check_reload(Config(spans=lines[:1]), Config(spans=lines), (), lambda _: False)
    kept.bus.no = str(refused.value)
    page = " ".join(client.get("/configuration/candidate").text.split())
    assert "a new line begins with the next start of the box. Tick &#34;Not now&#34; below, commit" in page
    assert "In order: the box can take it over now" not in page and 'name="next_start"' in page
    answer = send(client, "commit", why="new line", minutes="0")
    assert answer.status_code == 409 and "a new line begins with the next start" in answer.text
    assert kept.document.read_text() == DOCUMENT


def test_texts_are_folded_by_their_keys() -> None:
    parts = sections(DOCUMENT)
    found = [one.key for one in parts if isinstance(one, Section)]
    assert found == ["spans", "centre", "web"]
    numbers: list[int] = []

    def walk(some: Any) -> None:
        for one in some:
            numbers.append(one.head.number if isinstance(one, Section) else one.number)
            if isinstance(one, Section):
                walk(one.parts)
    walk(parts)
    assert numbers == list(range(1, len(DOCUMENT.splitlines()) + 1))
    rows = difference(DOCUMENT, CHANGED)
    assert rows.count == 1 and [one.sign for one in unified(rows) if one.sign in "+-"] == ["-", "+"]
    assert sections("") == () and sections("no key") == (Line(1, "no key"),)
    assert difference("a", "a").rows == []


@pytest.mark.parametrize("text", [
    "li has a candidate, made from version 3: wait for it, or discard it",
    "the candidate was made from version 1, and meanwhile there is version 2 by wang (edited): compare, and "
    "edit it again from there",
    "version 2 waits to be confirmed: confirm it, or go back, first", NEXT_START,
    "spans.telco1.url: calls are on it: branchline busy-out telco1, and again when they are over",
    "media.country: spand reads it when it starts: put it back, or start the box anew",
    "spans.telco3: spand does not have it: start spand anew (calls that talk go on, after a gap of some 1.5 "
    "s), then reload again",
    "ReloadCentre: acdd did not answer in 10 s"])
def test_what_boxd_says_is_said_in_chinese(text: str, app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        assert re.search("[\u4e00-\u9fff]", said(text))
    assert said("an unknown sentence") == "an unknown sentence"
