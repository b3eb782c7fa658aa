"""Tables out and in again: what a spreadsheet makes of them, what hostile ones do, what a file becomes."""

import csv
import io

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from tests.webui.centre.conftest import DOCUMENT
from tests.webui.centre.test_pages import commit, send
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import token
from webui.centre.held import _read
from webui.centre.sheets import (
    MOST_OCTETS,
    MOST_ROWS,
    SheetError,
    bare,
    guarded,
    levels,
    read,
    read_levels,
    take,
    write,
)

PLAIN, _ = _read(DOCUMENT)
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20).map(
    str.strip)


@settings(deadline=None)
@given(st.lists(CELL, min_size=1, max_size=4))
def test_what_goes_out_comes_in_again_and_is_no_formula(cells: list[str]) -> None:
    columns = ["name", *(f"c{n}" for n in range(len(cells)))]
    octets = write(columns, [dict(zip(columns, ["li", *cells], strict=True))])
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for cell in
               next(row for row in list(csv.reader(io.StringIO(octets.decode("utf-8-sig"), newline="")))[1:]))
    found = read(octets)
    assert found.columns == columns and list(found.lines[0][1].values()) == ["li", *cells]


@settings(deadline=None)
@given(st.text(max_size=12))
def test_a_guarded_cell_is_bared_to_what_it_was(cell: str) -> None:
    assert bare(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(encoding: str, delimiter: str) -> None:
    text = f'Name{delimiter}Note\r\nli{delimiter}"华东{delimiter} 1"\r\n\r\nwang{delimiter}二组\r\n'
    found = read(text.encode(encoding))
    assert found.columns == ["name", "note"]
    assert found.lines == [(2, {"name": "li", "note": f"华东{delimiter} 1"}),
                           (4, {"name": "wang", "note": "二组"})]


@pytest.mark.parametrize(("octets", "why"), [
    (b"", "empty"), (b"\xff\xfe\x00", "no text"), (b"\x81", "no text"), (b"name\0,b\nc", "no text"),
    (b"skills\nsales:1", "columns"), (b"name,name\na,b", "columns"), (b"name,,b\na,b,c", "columns"),
    (b'name\n"an open quotation', "no table"), (b"name\n" + b"x" * 5000, "no table"),
    (b"name\n" + b"a\n" * (MOST_ROWS + 1), "too many"), (b"n" * (MOST_OCTETS + 1), "too large"),
    (b"name" + b",x" * 600 + b"\n", "no table")])
def test_what_is_no_table_is_said(octets: bytes, why: str) -> None:
    with pytest.raises(SheetError, match=why):
        read(octets)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(
    lambda text: f"name,skills,groups\n{text}".encode()))
def test_any_octets_end_in_rows_or_in_an_error_of_ours(octets: bytes) -> None:
    for kind in ("agents", "queues", "matrix"):
        try:
            draft, rows = take(kind, read(octets), PLAIN)
        except SheetError:
            continue
        if all(row.state in ("same", "wrong") for row in rows):
            assert draft == PLAIN


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True), st.integers(1, 10), max_size=5))
def test_levels_are_written_and_read(skills: dict[str, int]) -> None:
    assert read_levels(levels(skills)) == skills


def test_each_row_is_new_changed_as_it_was_or_wrong() -> None:
    text = """name,extension,trunk,groups,skills,starts
anna,8001,office,east,sales:5 en:3,
bert,8002,office,west,sales:4,
gao,8009,office,east west,,
Gao,8010,office,,,
chen,8004,office,north,service:8,
dora,8003,office,west,sales,
bert,8002,office,,,
"""
    draft, rows = take("agents", read(text.encode()), PLAIN)
    assert [(row.line, row.name, row.state, row.why) for row in rows] == [
        (2, "anna", "same", ""), (3, "bert", "changed", ""), (4, "gao", "new", ""),
        (5, "Gao", "wrong", "name"), (6, "chen", "wrong", "no group"), (7, "dora", "wrong", "level"),
        (8, "bert", "wrong", "twice")]
    assert rows[1].keys == ("skills", "groups")
    agents = {one["name"]: one for one in draft["centre"]["agents"]}
    assert agents["bert"]["skills"] == {"sales": 4} and "skills" not in agents["gao"]
    assert agents["chen"] == {one["name"]: one for one in PLAIN["centre"]["agents"]}["chen"]
    assert [one["agents"] for one in draft["quality"]["groups"]] == [
        ["anna", "gao"], ["chen", "dora", "bert", "gao"]]


def test_a_column_that_is_not_there_stays_and_an_empty_cell_takes_away() -> None:
    draft, rows = take("agents", read(b"name,skills\nanna,\n"), PLAIN)
    assert draft["centre"]["agents"][0] == {"name": "anna", "extension": "8001", "trunk": "office"}
    draft, rows = take("queues", read(b"name,ring_s,service_level.within_s,record\nsales,7.5,10,no\n"), PLAIN)
    sales = draft["centre"]["queues"][0]
    assert (sales["ring_s"], sales["service_level"], sales["record"]) == (7.5, {"within_s": 10}, False)
    assert rows[0].keys == ("ring_s", "service_level", "record") and sales["rings"]
    assert take("matrix", read(b"name,en,fr\nanna,0,2\nzorro,1,1\nbert,11,0\n"), PLAIN)[0][
        "centre"]["agents"][0]["skills"] == {"sales": 5, "fr": 2}


@pytest.mark.parametrize("kind", ["agents", "queues", "matrix"])
def test_what_was_taken_home_brings_nothing_new(client: FlaskClient, kept: Kept, kind: str) -> None:
    answer = client.get(f"/centre/csv/{kind}.csv")
    assert answer.mimetype == "text/csv" and answer.data.startswith(b"\xef\xbb\xbfname,")
    page = send(client, "csv/try", kind=kind, file=FileStorage(io.BytesIO(answer.data), "file.csv"))
    assert page.status_code == 200 and "as it was" in page.text and "wrong: 0" in page.text
    assert kept.document.read_text() == DOCUMENT


@pytest.mark.need(16)
def test_a_file_is_tried_and_taken_over_as_one_change(client: FlaskClient, kept: Kept) -> None:
    wrong = "name;skills\nanna;sales:9\nZorro;sales:1\n".encode("gb18030")
    page = send(client, "csv/try", kind="agents", file=FileStorage(io.BytesIO(wrong), "file.csv"))
    assert page.status_code == 422 and 'number">3</td><td>Zorro' in page.text and "no name" in page.text
    nobody = b"name,skills\nchen,\ndora,\n"
    page = send(client, "csv/try", kind="agents", file=FileStorage(io.BytesIO(nobody), "file.csv"))
    assert page.status_code == 422 and "no agent has the skill" in page.text
    assert kept.document.read_text() == DOCUMENT
    many = "name,extension,trunk,skills\n" + "".join(
        f"agent{n},9{n:03},office,sales:{n % 10 + 1}\n" for n in range(300)) + "anna,8001,office,sales:9\n"
    answer = send(client, "csv/try", kind="agents", file=FileStorage(io.BytesIO(many.encode()), "file.csv"))
    assert "new: 300" in client.get(answer.location).text
    commit(client, answer)
    text = kept.document.read_text()
    assert text.count("trunk: office, skills") == 304 and "# agents asked for it" in text


def test_a_larger_file_comes_in_pieces_of_who_sends_it(client: FlaskClient, kept: Kept) -> None:
    octets = b"name,skills\nanna,sales:7\n"
    csrf = {"X-CSRFToken": token(client, "/centre/csv")}
    word = client.post("/centre/csv/pieces?word=&offset=0", data=octets[:10], headers=csrf).text
    again = client.post(f"/centre/csv/pieces?word={word}&offset=3", data=octets[10:], headers=csrf)
    assert again.status_code == 409               # not in order
    last = client.post(f"/centre/csv/pieces?word={word}&offset=10", data=octets[10:], headers=csrf)
    assert last.text == word
    assert client.post("/centre/csv/pieces?word=none&offset=0", data=b"x", headers=csrf).status_code == 404
    answer = send(client, "csv/try", kind="agents", upload=word)
    assert answer.status_code == 303
    assert send(client, "csv/try", kind="agents", upload=word).status_code == 404    # once
    assert send(client, "csv/try", kind="others", upload=word).status_code == 400
