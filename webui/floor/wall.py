"""The wall: a few large figures for a screen that nobody touches.

What it shows and in which order is in its address, so a screen needs a bookmark and no storage, and every
arrangement can be sent to somebody.
"""

from collections.abc import Iterator

from flask import Response, abort, render_template, request
from flask_babel import get_locale

from appliance.bus.messages import Board
from webui.access.doors import floor, needs, sight
from webui.floor import ranges, tiles
from webui.floor.blueprint import bp, known
from webui.floor.tiles import TILES, WIDE, Tile
from webui.floor.views import Filter
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

GAP_S = 0.08                                      # acdd says a Board in 0.1 s, each is shown
TURN_S = 3.0
MOST_TILES = 16
LONGEST = 400                                     # characters of their names in an address
USUAL = ("waiting", "longest", "level30", "level", "ready", "talking", "abandoned", "asa", "queues", "agents")


@bp.get("/wall")
@needs("watch")
def wall() -> str:
    names, chosen = asked(), ranges.read()
    return render_template("floor/wall.html", html=_wall(floor(), names, chosen), tiles=names, chosen=chosen)


@bp.get("/wall/events")
@needs("watch")
def wall_events() -> Response:
    names, chosen = asked(), ranges.read()

    def fragments(seen: Floor) -> Iterator[Fragment]:
        yield "wall", _wall(seen, names, chosen)

    return stream(fragments, gap_s=GAP_S, turn_s=TURN_S, numbers=False, alike=(names, chosen))


def asked() -> tuple[str, ...]:
    """The tiles that the address names. 404: there is no such tile."""
    said = request.args.get("tiles", ",".join(USUAL))[:LONGEST]
    names = tuple(dict.fromkeys(filter(None, said.split(","))))
    if not names or len(names) > MOST_TILES or not set(names) <= TILES.keys():
        abort(404)
    return names


def _wall(now: Floor, names: tuple[str, ...], chosen: Filter) -> str:
    """Nobody touches a wall: of what is gone it says so, and goes on when it is back."""
    if now.board is None:
        return parts().rendered("floor/tiles.html", "", ((), True, 4, ""))[1]
    if gone := ranges.gone(now, now.board, chosen):
        return parts().rendered("floor/tiles.html", f"{gone} is gone", ((), False, 4, gone))[1]
    board, of = now.board, (
        now.board, now.channels, now.away, known().today(), known().half_hour(), ranges.legs(chosen))

    def make() -> str:
        key = "/".join((*names, chosen.queue, chosen.group, chosen.agent, chosen.trunk))
        view = known().once(("wall", names, chosen, sight()), of, lambda: _view(now, board, names, chosen))
        return parts().rendered("floor/tiles.html", key, view)[1]

    return known().once(("wall", names, chosen, sight(), str(get_locale())), of, make)


def _view(now: Floor, board: Board, names: tuple[str, ...],
          chosen: Filter) -> tuple[tuple[Tile, ...], bool, int, str]:
    found = tiles.made(now, ranges.look(now, board, chosen), chosen, names)
    return found, "acdd" in now.away, _columns(names), ""


def _columns(names: tuple[str, ...]) -> int:
    """So that the screen is full: a wide tile counts twice."""
    room = sum(2 if name in WIDE else 1 for name in names)
    return next((columns for columns in (1, 2, 3, 4) if room <= columns * 3 and (room > 2 or columns > 1)), 5)
