"""Why a call goes where it goes: sentences in English that can be said in other languages, too. Pure."""

from appliance.bus.messages import Sentence


class Reason(str):
    """`words` with {names} for `values`; a value that is a Reason is said in the other language, too."""

    def __new__(cls, words: str, **values: str) -> "Reason":
        made = super().__new__(cls, words.format(**values))
        made.sentence = Sentence(words, {
            name: value.sentence if isinstance(value, Reason) else value for name, value in values.items()})
        return made

    sentence: Sentence
