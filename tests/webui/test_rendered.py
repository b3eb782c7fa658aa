"""What is kept of fragments and words: each reader gets his own, whoever came before."""

from collections.abc import Iterable
from typing import Any

from flask import Flask, render_template, render_template_string
from flask_babel import force_locale, gettext, refresh
from markupsafe import Markup
from werkzeug.datastructures import ImmutableMultiDict

from appliance.bus.messages import QueueInfo
from tests.webui.test_pages import shared
from webui.delta import Text
from webui.floor.views import Branch, Filter, Leaf, QueueRow, Tree


def words() -> tuple[str, str]:
    """Of Python and of a template."""
    return gettext("Calls"), render_template_string("{{ _('Calls') }}")


def test_words_follow_the_reader_within_one_request(app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "language=en"}):
        english = words()
        with force_locale("zh"):
            chinese = words()
        assert words() == english == ("Calls", "Calls")
        assert chinese[0] == chinese[1] != "Calls"
    with app.test_request_context(headers={"Cookie": "language=zh"}) as context:
        assert words() == chinese
        context.request.cookies = ImmutableMultiDict({"language": "en"})
        refresh()
        assert words() == english
    with app.app_context(), force_locale("zh"):   # of a thread that mails
        assert gettext("Calls") == chinese[0]


def test_an_agent_of_the_tree_is_made_anew_when_it_is_another(app: Flask) -> None:
    shown = shared(app).rendered

    def tree(state: str, chosen: Filter, language: str) -> str:
        branches = tuple(Branch(name, 0, 1, (Leaf("anna", state), Leaf("bo", "ready")))
                         for name in ("sales", "service"))
        with app.test_request_context(headers={"Cookie": f"language={language}"}):
            return shown("floor/tree.html", "tree", (Tree(branches, (), (), chosen), False))[1]

    everybody, one = Filter(), Filter(queue="sales", agent="anna")
    first = tree("ready", everybody, "en")
    assert first.count('data-key="anna"') == first.count('data-key="bo"') == 2
    for queue in ("sales", "service"):
        assert f'href="/floor/?queue={queue}&amp;agent=anna"' in first
    busy = tree("talking", everybody, "en")
    assert busy.count('data-state="talking"') == 2 and busy.count('data-state="ready"') == 2
    assert tree("ready", everybody, "en") == first
    chosen = tree("ready", one, "en")
    assert chosen.count('aria-current="true"') == first.count('aria-current="true"') == 1
    assert 'agent=anna" aria-current="true"' in chosen
    assert "Ready" in first and "Ready" not in tree("ready", everybody, "zh")
    assert tree("ready", everybody, "en") == first


def test_rows_stay_whole_pieces_and_nobody_writes_where_they_come(app: Flask) -> None:
    shown = shared(app).rendered

    def lines(*names: str) -> Text:
        rows = tuple(QueueRow(QueueInfo(name=name, waiting=[]), 0, 0, 0, {}) for name in names)
        with app.test_request_context(headers={"Cookie": "language=en"}):
            made = shown("floor/lines.html", "lines", (rows, False))[1]
            assert made == render_template("floor/lines.html", view=(rows, False), rows=inserted)
        assert isinstance(made, Text) and "\n".join(made.pieces) == made
        return made

    def inserted(template: str, name: str, views: Iterable[Any]) -> Markup:
        return Markup("\n").join(Markup(render_template(template, view=view)) for view in views)  # noqa: S704

    first = lines("sales", "<0>", "<x 0>")
    assert len(first.pieces) == 5 and "&lt;x 0&gt;" in first
    second = lines("sales", "service", "<x 0>")
    assert second.pieces[1] is first.pieces[1] and second.pieces[3] is first.pieces[3]
