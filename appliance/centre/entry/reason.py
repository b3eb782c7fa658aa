"""Why a call goes where it goes: sentences in English that can be said in other languages, too. Pure."""

from collections.abc import Sequence

from appliance.bus.messages import Sentence


class Reason(str):
    """`words` with {names} for `values`; a value that is a Reason is said in the other language, too."""

    def __new__(cls, words: str, **values: str) -> "Reason":
        made = super().__new__(cls, words.format(**values))
        made.sentence = Sentence(words, {
            name: value.sentence if isinstance(value, Reason) else value for name, value in values.items()})
        return made

    sentence: Sentence


def together(reasons: Sequence[Reason]) -> Reason:
    """One after the other, commas between. ValueError: none."""
    if not reasons:
        raise ValueError("no reason at all")
    whole = reasons[-1]
    for one in reversed(reasons[:-1]):
        whole = Reason("{first}, {rest}", first=one, rest=whole)
    return whole
