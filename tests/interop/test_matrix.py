"""docs/interop.md says what the tests prove, no more and no less."""
from tests.interop.matrix import DOCUMENT, ENDS, ROOT, SCENARIOS, document


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m tests.interop"


def test_every_end_is_looked_at_in_every_scenario_or_a_reason_given() -> None:
    document()
    titles = [(one.group, one.title) for one in SCENARIOS]
    assert len(titles) == len(set(titles)) >= 100
    for one in SCENARIOS:
        assert all(one.lacks.values()) and set(one.lacks) <= set(ENDS)
        path, _, name = one.test.partition("::")
        assert bool(one.test) == (set(one.lacks) != set(ENDS))
        assert not one.test or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
