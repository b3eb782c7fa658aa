"""Who may do what on the pages of recordings and of the box. There is one role: who has signed in may all."""

from typing import Literal

from flask import abort
from flask_login import current_user

from webui.users import User

Right = Literal["find", "listen", "download", "share", "export", "hold", "release", "erase", "keep", "box"]


def may(person: User, right: Right) -> bool:
    """The one place that decides. find: what is known of recordings; keep: how they are stored;
    box: the box itself."""
    return bool(person.is_authenticated and right)


def need(right: Right) -> str:
    """The name of who has signed in; 403 when he may not."""
    if not may(current_user, right):
        abort(403)
    return str(current_user.name)
