"""Scripts and styles: their addresses change with what is in them, they are kept, and sent small."""

import gzip
import re
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.conftest import ROOT
from webui.static_files import StaticFiles

CSS = (ROOT / "webui" / "static" / "branchline.css").read_bytes()


def got(client: FlaskClient, path: str, **options: Any) -> Any:
    answer = client.get(path, buffered=True, **options)
    answer.close()
    return answer


def test_a_page_names_what_may_be_kept_for_ever(visitor: FlaskClient) -> None:
    found = re.search(r'href="(/static/branchline\.css\?v=\w{12})"', visitor.get("/login").text)
    assert found
    answer = got(visitor, found[1])
    assert (answer.data, answer.headers["Cache-Control"]) == (CSS, "public, max-age=31536000, immutable")
    for path in ("/static/branchline.css", "/static/branchline.css?v=another"):
        assert "immutable" not in got(visitor, path).headers["Cache-Control"]


def test_text_is_sent_packed_to_whom_can_unpack_it(visitor: FlaskClient) -> None:
    plain = got(visitor, "/static/branchline.css")
    packed = got(visitor, "/static/branchline.css", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.data) == CSS == plain.data
    assert len(packed.data) < len(CSS) / 3
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert "Content-Encoding" not in plain.headers and "Accept-Encoding" in plain.headers["Vary"]
    again = got(visitor, "/static/branchline.css", headers={
        "Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert packed.headers["ETag"] == "W/" + plain.headers["ETag"] and again.status_code == 304
    part = got(visitor, "/static/branchline.css", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
    assert part.data == CSS[:10] and "Content-Encoding" not in part.headers
    page = got(visitor, "/login", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page.headers, "it has a token in it"


def test_nothing_outside_of_the_folder_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "secret").write_text("x")
    files = StaticFiles(tmp_path / "static")
    assert files.get("../secret") is None and files.get("nothing") is None and files.get("") is None
