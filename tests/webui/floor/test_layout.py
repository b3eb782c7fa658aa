"""The floor as somebody wants it: links from one arrangement to the next, kept with the account."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Unavailable
from tests.webui.conftest import NAME, post
from tests.webui.test_pages import message
from webui.floor import layout
from webui.floor.arrangements import Arrangements
from webui.floor.layout import COLUMNS, FIGURES, PARTS, Layout

NAMES = st.lists(st.sampled_from([*FIGURES, *PARTS, "gone", ""])).map(",".join)


def shown(page: str) -> list[tuple[str, str]]:
    """What the floor shows, in the order of the page: figures, parts."""
    return re.findall(
        r'<div data-key="(\w+)"(?: data-tone="\w+")?><dt>|<(?:nav|section)[^>]* id="(\w+)"', page)


@given(st.dictionaries(st.sampled_from(["figures", *COLUMNS]), NAMES))
def test_nothing_is_there_twice_and_what_is_unknown_is_left_out(asked: dict[str, str]) -> None:
    found = layout.of(asked)
    names = [*found.figures, *found.left, *found.middle, *found.right]
    assert names and len(names) == len(set(names))
    assert set(found.figures) <= set(FIGURES) and found.parts <= PARTS.keys()
    assert layout.of(found.arguments()) == found == layout.read(found.text())
    for name in names:
        assert layout.of(found.put(name, "left" if name in PARTS else "figures").arguments())
        assert name not in {*found.without(name).figures, *found.without(name).parts}


def test_steps_to_another_arrangement() -> None:
    usual = Layout()
    assert usual.moved("calls", -1).middle == ("calls", "lines")
    assert usual.moved("waiting", -1) == usual
    to = usual.aside("calls", 1)
    assert to is not None and (to.middle, to.right) == (("lines",), ("agents", "calls"))
    assert usual.aside("tree", -1) is None and usual.aside("agents", 1) is None
    assert usual.put("asa", "figures").figures[-1] == "asa"
    assert [width for width, _ in usual.columns] == ["narrow", "wide", "side"]
    assert usual.without("tree").columns == (("wide", ("lines", "calls")), ("side", ("agents",)))
    assert layout.read("") == usual == layout.read("no=address&left")


def test_the_floor_is_as_it_was_arranged_and_its_stream_too(client: FlaskClient) -> None:
    as_it_came = client.get("/floor/").text
    assert all(f'id="{part}"' in as_it_came for part in PARTS)
    wanted = {"figures": "level,waiting", "left": "", "middle": "agents", "right": "lines"}
    assert post(client, "/floor/arrange", **wanted).location == "/floor/"
    page = client.get("/floor/").text
    assert [a or b for a, b in shown(page)] == ["level", "waiting", "agents", "lines"]
    with client.get("/floor/events", buffered=False) as stream:
        assert set(message(stream)) - {"bar", "unconfirmed", "tones"} >= {"strip", "agents", "lines"}
    with client.get("/floor/events", buffered=False) as stream:
        assert not message(stream).keys() & {"tree", "calls"}
    assert "service" in client.get("/floor/?queue=service").text and "Whole centre" in client.get(
        "/floor/?queue=service").text
    post(client, "/floor/arrange", **Layout().arguments())
    assert shown(client.get("/floor/").text) == shown(as_it_came)


def test_each_step_of_arranging_is_a_link(client: FlaskClient) -> None:
    page = client.get("/floor/arrange").text
    links = {address.replace("&amp;", "&").replace("%2C", ",")
             for address in re.findall(r'href="([^"]+)"', page)}
    usual = Layout()
    for step in (usual.moved("longest", -1), usual.without("calls"), usual.aside("tree", 1),
                 usual.put("asa", "figures")):
        assert step is not None
        address = "&".join(f"{key}={value}" for key, value in step.arguments().items())
        assert any(link.startswith(f"/floor/arrange?{address}") for link in links), address
    least = client.get("/floor/arrange?figures=waiting").text
    assert "take away" not in least and "disabled" not in least and "disabled" in page


def test_what_was_kept_by_one_is_not_of_another(tmp_path: Path) -> None:
    kept = Arrangements(tmp_path / "arrangements.sqlite")
    kept.keep(NAME, "", "left=tree")
    kept.keep(NAME, "hall", "tiles=waiting")
    assert (kept.floor("else"), kept.walls("else")) == ("", {})
    again = Arrangements(tmp_path / "arrangements.sqlite")
    assert (again.floor(NAME), again.walls(NAME)) == ("left=tree", {"hall": "tiles=waiting"})
    assert (tmp_path / "arrangements.sqlite").stat().st_mode & 0o777 == 0o600
    (tmp_path / "other.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match=r"other\.sqlite: cannot be used .*remove it"):
        Arrangements(tmp_path / "other.sqlite")
