"""The blueprint of the floor's pages, and what they share."""

from typing import cast

from flask import Blueprint, current_app
from flask.blueprints import BlueprintSetupState

from webui.floor.arrangements import Arrangements
from webui.floor.known import Known
from webui.floor.telephones import Telephones

bp = Blueprint("floor", __name__, url_prefix="/floor")


@bp.record_once
def _begin(state: BlueprintSetupState) -> None:
    parts = state.app.extensions["branchline"]
    state.app.extensions["floor"] = Known(parts.exchange)
    state.app.extensions["telephones"] = Telephones(parts.settings.state / "telephones.sqlite")
    state.app.extensions["arrangements"] = Arrangements(parts.settings.state / "arrangements.sqlite")


def known() -> Known:
    return cast(Known, current_app.extensions["floor"])


def telephones() -> Telephones:
    return cast(Telephones, current_app.extensions["telephones"])


def arrangements() -> Arrangements:
    return cast(Arrangements, current_app.extensions["arrangements"])
