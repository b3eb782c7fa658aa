"""Words in the reader's language: Flask-Babel's, whose catalogue is found once for each request.

It finds it anew for every word, which takes longer than the word.
"""

from typing import Any

import flask_babel
from flask import g


class Domain(flask_babel.Domain):                 # type: ignore[misc]  # it has no types
    def get_translations(self) -> Any:
        found = getattr(g.get("_flask_babel"), "babel_translations", None) if g else None
        if found is None:
            found = super().get_translations()
            if g:                                 # where refresh() and force_locale() put it out
                g._flask_babel.babel_translations = found
        return found
