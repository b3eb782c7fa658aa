"""One's own password, asked for again before what a click should not do."""

from flask import request
from flask_login import current_user

from webui.access.entering import slow_down
from webui.parts import parts

PASSWORD_MOST = 1024


def knows_password() -> bool:
    """Whoever sits at an open browser may not take it over, nor the box."""
    typed, name = request.form.get("password", ""), str(current_user.name)
    slow_down((parts().by_name, f"own {name}"))
    right = len(typed) <= PASSWORD_MOST and parts().users.check(name, typed) is not None
    if right:
        parts().by_name.passed(f"own {name}")
    return right
