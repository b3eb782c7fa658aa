"""The wall: what its address asks for, colours by target, and another order with every link."""

import itertools
import re
import time

import pytest
from flask.testing import FlaskClient

from appliance.bus.messages import FigureValue
from tests.webui.conftest import FakeExchange, post
from tests.webui.floor.facts import FloorBranch
from tests.webui.test_pages import message
from webui.floor.arrangements import MOST
from webui.floor.arranging import moved
from webui.floor.tiles import TILES, together
from webui.floor.wall import USUAL
from webui.mirror import Mirror


def tones(page: str) -> dict[str, str]:
    """Tile -> its tone."""
    return {name: tone for name, tone in re.findall(
        r'<section class="tile" data-key="(\w+)" data-kind-of="\w+"(?: data-tone="(\w+)")?>', page)}


def test_figures_are_large_and_coloured_by_their_targets(client: FlaskClient) -> None:
    page = client.get("/floor/wall").text
    assert list(tones(page)) == list(USUAL)
    assert tones(page) == {
        "waiting": "warn", "longest": "bad", "level30": "bad", "level": "good", "ready": "good",
        "talking": "", "abandoned": "bad", "asa": "good", "queues": "", "agents": ""}
    assert '<p class="big">71<small>%</small>' in page and '<p class="big">86<small>%</small>' in page
    assert "target 80 %" in page and "target at most 5 %" in page
    assert "<nav" not in page and 'id="live"' in page


def test_without_calls_and_agents_nothing_is_made_up(
        client: FlaskClient, branch: FloorBranch, exchange: FakeExchange) -> None:
    branch.contacts.clear()
    branch.agents, branch.queues = [], []
    exchange.tell()
    found = tones(client.get("/floor/wall").text)
    assert (found["waiting"], found["longest"], found["ready"]) == ("good", "good", "bad")
    exchange.silent = {"acdd"}
    assert client.get("/floor/wall").status_code == 200
    exchange.mirror = Mirror(time.monotonic())    # nobody has been heard yet
    page = client.get("/floor/wall").text
    assert tones(page) == {} and "does not answer at this moment" in page


def test_its_address_says_what_it_shows_and_it_follows(
        client: FlaskClient, branch: FloorBranch, exchange: FakeExchange) -> None:
    query = "tiles=agents,waiting&queue=service"
    page = client.get(f"/floor/wall?{query}").text
    assert list(tones(page)) == ["agents", "waiting"]
    assert tones(page)["waiting"] == "good"
    with client.get(f"/floor/wall/events?{query}", buffered=False) as stream:
        assert tones(message(stream)["wall"])["waiting"] == "good"
        branch.queues[1] = branch.queues[0].__class__(name="service", waiting=["c5"], oldest_since=1.0)
        exchange.tell()
        assert tones(message(stream)["wall"])["waiting"] == "warn"


def test_what_is_no_wall_is_no_page(client: FlaskClient) -> None:
    pages = ("wall", "wall/events", "wall/arrange")
    for query, page in itertools.product(("tiles=x", "tiles=,"), pages):
        assert client.get(f"/floor/{page}?{query}").status_code == 404


def test_a_wall_says_what_is_gone_and_goes_on_when_it_is_back(
        client: FlaskClient, branch: FloorBranch, exchange: FakeExchange) -> None:
    query, gone = "tiles=waiting&queue=service", "service is not here, or not any more"
    whole = branch.queues
    with client.get(f"/floor/wall/events?{query}", buffered=False) as stream:
        assert tones(message(stream)["wall"]) and gone not in client.get(f"/floor/wall?{query}").text
        branch.queues = [one for one in whole if one.name != "service"]
        exchange.tell()
        shown = message(stream)["wall"]
        assert gone in shown and not tones(shown)
        branch.queues = whole
        exchange.tell()
        shown = message(stream)["wall"]
        assert gone not in shown and tones(shown)
    for other in ("queue=x", "group=x", "trunk=x"):
        assert "x is not here" in client.get(f"/floor/wall?{other}").text
        assert "x is not here" in client.get(f"/floor/wall/arrange?{other}").text


def test_every_arrangement_is_a_link(client: FlaskClient) -> None:
    page = client.get("/floor/wall/arrange?tiles=waiting,longest,agents&queue=sales").text
    for address in ("tiles=longest,waiting,agents&amp;queue=sales#waiting-on",
                    "tiles=waiting,agents,longest&amp;queue=sales#agents-back",
                    "tiles=longest,agents&amp;queue=sales\"",
                    "tiles=waiting,longest,agents,level&amp;queue=sales\""):
        assert address.replace(",", "%2C") in page or address in page, address
    every = ",".join(TILES)
    assert "More tiles" not in client.get(f"/floor/wall/arrange?tiles={every}").text
    assert list(tones(client.get(f"/floor/wall?tiles={every}").text)) == list(TILES)


@pytest.mark.parametrize(("by", "order"), [(-1, "b,a,c"), (1, "a,c,b")])
def test_moved(by: int, order: str) -> None:
    assert moved(("a", "b", "c"), "b", by) == order


def test_figures_of_some_queues_are_added_up_above_and_below_the_line() -> None:
    def row(top: float, bottom: float, target: float | None, kept: bool) -> FigureValue:
        return FigureValue(value=top / bottom, top=top, bottom=bottom, target=target, kept=kept)

    values = {"": {"service_level": row(1, 2, 0.8, False)},
              "a": {"service_level": row(9, 10, 0.8, True), "abandoned": row(3, 1, None, True),
                    "asa_s": row(40, 4, 20.0, True)},
              "b": {"service_level": row(4, 10, 0.8, False), "abandoned": row(4, 1, None, True),
                    "asa_s": row(160, 4, 20.0, False)},
              "c": {"service_level": row(10, 10, 0.9, True)}}
    both = together(values, ("a", "b"), "service_level")
    assert both == FigureValue(value=0.65, top=13, bottom=20, target=0.8, kept=False)
    assert together(values, ("a", "b"), "abandoned") == FigureValue(value=7, top=7, bottom=1)
    asa = together(values, ("a", "b"), "asa_s")
    assert asa == FigureValue(value=25.0, top=200, bottom=8, target=20.0, kept=False)
    other = together(values, ("a", "c"), "service_level")
    assert other == FigureValue(value=0.95, top=19, bottom=20)       # they have not one target
    assert together(values, ("a",), "service_level") == values["a"]["service_level"]
    assert together(values, ("d",), "service_level") is None


def test_walls_are_kept_by_name_with_the_account(client: FlaskClient) -> None:
    keep = "/floor/wall/keep?tiles=agents,waiting&queue=service"

    def said(path: str, name: str) -> str:
        """On the page that comes after it."""
        return str(client.get(post(client, path, name=name).location).text)

    page = said(keep, "  Hall   east ")
    assert "Hall east is kept" in page
    shown = 'href="/floor/wall?tiles=agents%2Cwaiting&amp;queue=service">Hall east</a>'
    assert shown.replace("%2C", ",") in page.replace("%2C", ",")
    again = said("/floor/wall/keep?tiles=talking", "Hall east")
    assert again.count(">Hall east</a>") == 1 and 'href="/floor/wall?tiles=talking">Hall east' in again
    for name in ("", "  ", "a\x00b"):
        assert "needs a name" in said(keep, name)
    assert post(client, "/floor/wall/keep?tiles=x", name="no").status_code == 404
    for number in range(MOST - 1):
        post(client, keep, name=f"{number}")
    assert f"{MOST} walls are kept" in said(keep, "more")
    assert "is kept" in said(keep, "Hall east")
    gone = said("/floor/wall/drop", "Hall east")
    assert "not kept any more" in gone and ">Hall east</a>" not in gone
    for name in ("Hall east", ""):
        assert post(client, "/floor/wall/drop", name=name).status_code == 404
