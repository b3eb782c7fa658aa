"""The floor and walls are arranged: every step is a link, so it needs no script; what pleases is kept."""

from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response

from webui.access.doors import floor, needs
from webui.floor import layout, ranges, wall
from webui.floor.arrangements import FLOOR, LONGEST, MOST, Full
from webui.floor.blueprint import arrangements, bp
from webui.floor.layout import COLUMNS, FIGURES, PARTS, Layout
from webui.floor.tiles import TILES, WIDE


@bp.get("/arrange")
@needs("watch")
def arrange_floor() -> str:
    """The arrangement that the address has, without one the own."""
    asked = request.args.keys() & Layout().arguments().keys()
    shown = layout.of(request.args) if asked else own()
    return render_template("floor/arrange_floor.html", layout=shown, columns=COLUMNS, figures=FIGURES,
                           all_parts=PARTS, kept=own(), usual=Layout())


@bp.post("/arrange")
@needs("watch", act="floor-arrange")
def keep_floor() -> Response:
    shown = layout.of(request.form)
    if shown == Layout():
        arrangements().drop(current_user.name, FLOOR)
    else:
        arrangements().keep(current_user.name, FLOOR, shown.text())
    return redirect(url_for("floor.index"))


@bp.get("/wall/arrange")
@needs("watch")
def arrange() -> str:
    """Which tiles, in which order: each link is the address of another arrangement."""
    tiles, chosen = wall.asked(), ranges.read()
    board, kept = ranges.board(), arrangements().walls(current_user.name)
    return render_template(
        "floor/arrange.html", tiles=tiles, chosen=chosen, all_tiles=TILES, wide=WIDE,
        gone=ranges.gone(floor(), board, chosen), queues=[one.name for one in board.queues],
        groups=sorted(ranges.groups(board)), moved=moved, usual=",".join(wall.USUAL), most=wall.MOST_TILES,
        name=request.args.get("name", "")[:LONGEST], longest=LONGEST,
        walls={name: dict(parse_qsl(asked)) for name, asked in kept.items()})


@bp.post("/wall/keep")
@needs("watch", act="floor-wall")
def keep_wall() -> Response:
    """Under a name, in place of what has it."""
    name, shown = " ".join(request.form.get("name", "").split())[:LONGEST], _asked()
    if not name or not name.isprintable():
        flash(_("A wall needs a name to be kept."), "refused")
    else:
        try:
            arrangements().keep(current_user.name, name, urlencode(shown))
        except Full:
            flash(_("%(most)d walls are kept: let one go before you keep another.", most=MOST), "refused")
        else:
            flash(_("%(name)s is kept.", name=name), "done")
    return redirect(f"{url_for('floor.arrange')}?{urlencode(shown | {'name': name})}")


@bp.post("/wall/drop")
@needs("watch", act="floor-wall")
def drop_wall() -> Response:
    """404: there is none of this name."""
    name = request.form.get("name", "")
    if name == FLOOR or not arrangements().drop(current_user.name, name):
        abort(404)
    flash(_("%(name)s is not kept any more.", name=name), "done")
    return redirect(f"{url_for('floor.arrange')}?{urlencode(_asked())}")


def _asked() -> dict[str, str]:
    """The wall that the address has. 404: there is none like that."""
    return {"tiles": ",".join(wall.asked()), **ranges.read().arguments()}


def own() -> Layout:
    """The floor as who has signed in wants it."""
    return layout.read(arrangements().floor(current_user.name))


def moved(tiles: tuple[str, ...], name: str, by: int) -> str:
    """`tiles` as an address has them, with this one so many places further on."""
    place = tiles.index(name)
    others = [one for one in tiles if one != name]
    others.insert(max(0, place + by), name)
    return ",".join(others)
