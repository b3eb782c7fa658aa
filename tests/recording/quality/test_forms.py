"""What a form's answers make, and what is said of a form that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ConfigError
from appliance.recording.quality.forms import Form, Item, Section, load, result, wrong
from tests.recording.quality.box import FORM

Values = dict[str, float | None]


@st.composite
def sheets(draw: st.DrawFn) -> tuple[Form, Values]:
    """A form and a complete set of answers."""
    items, values = [], Values()
    for place in range(draw(st.integers(1, 8))):
        kind: Any = draw(st.sampled_from(["yes-no", "scale", "points"]))
        item = Item(name=f"i{place}", text="?", kind=kind, weight=draw(st.sampled_from([0.5, 1.0, 2.0, 7.0])),
                    best=draw(st.integers(1, 20)) if kind == "points" else None,
                    fatal=draw(st.booleans()), na=draw(st.booleans()))
        items.append(item)
        answer = st.integers(int(item.worst), int(item.top)).map(float)
        values[item.name] = draw(st.none() | answer if item.na else answer)
    cut = draw(st.integers(0, len(items) - 1))
    parts = [part for part in (items[:cut], items[cut:]) if part]
    sections = [Section(title="s", weight=draw(st.sampled_from([1.0, 3.0])), items=part) for part in parts]
    return Form(name="f", title="F", sections=sections), values


@settings(deadline=None)
@given(sheets())
def test_a_score_is_0_to_100_and_a_fatal_item_beats_all(sheet: tuple[Form, Values]) -> None:
    form, values = sheet
    assert wrong(form, values, complete=False) == ""
    found = result(form, values)
    fails = [item.name for item, _ in form.items() if item.fatal and values[item.name] == item.worst]
    assert list(found.fatal) == fails
    if all(value is None for value in values.values()):
        assert found.score is None and not found.passed
    elif fails:
        assert found.score == 0.0 and not found.passed
    else:
        assert found.score is not None and 0.0 <= found.score <= 100.0


@settings(deadline=None)
@given(sheets())
def test_not_applicable_leaves_the_others_in_proportion(sheet: tuple[Form, Values]) -> None:
    """The score is that of the form without the item."""
    form, values = sheet
    for name, value in values.items():
        if value is not None:
            continue
        kept = [section.model_copy(update={"items": [item for item in section.items if item.name != name]})
                for section in form.sections]
        rest = form.model_copy(update={"sections": [section for section in kept if section.items]})
        others = {other: of for other, of in values.items() if other != name}
        assert result(rest, others) == result(form, values)


@settings(deadline=None)
@given(sheets(), st.data())
def test_a_better_answer_never_makes_it_worse(sheet: tuple[Form, Values], data: st.DataObject) -> None:
    form, values = sheet
    item = data.draw(st.sampled_from([item for item, _ in form.items()]))
    value = values[item.name]
    if value is not None and value < item.top:
        better = values | {item.name: data.draw(st.integers(int(value), int(item.top)).map(float))}
        before, after = result(form, values).score, result(form, better).score
        assert before is not None and after is not None and before <= after


def test_weights_of_items_and_sections_multiply(tmp_path: Path) -> None:
    (tmp_path / "service.yaml").write_text(FORM)
    form = load(tmp_path / "service.yaml")
    assert [weight for _, weight in form.items()] == [1, 1, 4, 2]
    # (1x1 + 1x1 + 4x0.75 + 2x0.5) / 8
    assert result(form, {"greeting": 1, "verified": 1, "listens": 4, "solves": 5}).score == 75.0
    # greeting and solves away: (1x1 + 4x0.75) / 5
    assert result(form, {"greeting": None, "verified": 1, "listens": 4, "solves": None}).score == 80.0
    assert result(form, {"greeting": 1, "verified": 0, "listens": 5, "solves": 10}).fatal == ("verified",)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("kind: scale", "kind: stars", ":12: sections[1].items[0].kind: "),
    ("kind: points, best: 10", "kind: points", ":13: sections[1].items[1]: points need best"),
    ("kind: scale", "kind: scale, best: 5", ":12: sections[1].items[0]: best: only points have one"),
    ("name: solves", "name: greeting", ":13: sections[1].items[1].name: 'greeting' is there twice"),
    ("weight: 2\n", "weight: 0\n", ":10: sections[1].weight: "),
    ("title: Service", "titel: Service", ":2: titel: no such key, there are name, passing, sections, title"),
    ("name: service", "name: other", "call the file other.yaml"),
    ("passing: 80", "passing: .nan", ":3: passing: "),
])
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(FORM.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in str(caught.value) and says in str(caught.value)


def test_the_digest_is_of_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(FORM)
    one = load(path).digest()
    path.write_text("# a remark\n" + FORM.replace("weight: 1}", "weight: 1.0}"))
    assert load(path).digest() == one
    path.write_text(FORM.replace("passing: 80", "passing: 81"))
    assert load(path).digest() != one


@pytest.mark.parametrize(("values", "says"), [
    ({"greeting": 2.0}, "greeting: 2 is no answer: give 0 to 1 or not applicable"),
    ({"listens": 0.0}, "listens: 0 is no answer: give 1 to 5"),
    ({"listens": 2.5}, "listens: 2.5 is no answer"),
    ({"verified": None}, "verified: not applicable is no answer: give 0 to 1"),
    ({"smiles": 1.0}, "smiles: the form has no such item"),
    ({"greeting": 1.0}, "verified, listens, solves: not answered yet"),
])
def test_answers_that_do_not_fit_are_refused(tmp_path: Path, values: Values, says: str) -> None:
    (tmp_path / "service.yaml").write_text(FORM)
    assert says in wrong(load(tmp_path / "service.yaml"), values, complete=True)
