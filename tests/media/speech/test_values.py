"""What is no value is refused in one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media import speech
from appliance.media.speech import SpeechError


@pytest.mark.parametrize(("fragment", "said"), [
    ("number:", "'' is no number: write e.g. 1234"), ("number:1,000", "is no number"),
    ("number:1e9", "is no number"), ("number:1000000000000000", "too large to be said"),
    ("number:1.0000001", "more than 6 decimals"), ("number:nan", "is no number"),
    ("number/fr:1", "number has no 'fr', it has zh, en, and, counted"),
    ("time/weekday:10:00", "time has no 'weekday'"),
    ("digits:", "are no digits"), ("digits:12a", "are no digits"), ("digits:1--2", "are no digits"),
    ("digits:" + "1" * 65, "at most 64"),
    ("date:2026-02-30", "there is no such day"), ("date:22.11.2026", "write YYYY-MM-DD"),
    ("date:0000-01-01", "there is no such day"), ("date:02-30", "there is no such day"),
    ("time:24:00", "00:00 to 23:59"), ("time:9:00", "write HH:MM"),
    ("amount:5 XXX", "no currency 'XXX' is known, there are AED"), ("amount:5.5 JPY", "JPY has 0 decimals"),
    ("amount:1.005", "CNY has 2 decimals"), ("amount: CNY", "is no number"),
    ("duration:-1", "at least 0"), ("duration:1.5", "whole number"), ("duration:8640000", "too long"),
    ("ordinal:0", "at least 1"), ("position:x", "is no number"), ("prompt:x", "nothing that can be said"),
])
def test_a_bad_value_is_one_clear_error(fragment: str, said: str) -> None:
    for language in speech.LANGUAGES:
        with pytest.raises(SpeechError) as refused:
            speech.speak(fragment, language)
        assert str(refused.value).startswith(f"{fragment!r}: ")
        assert said in str(refused.value)


@given(kind=st.sampled_from(sorted(speech.CHOICES)), text=st.text(max_size=30))
def test_any_text_is_said_or_refused(kind: str, text: str) -> None:
    try:
        said = speech.speak(f"{kind}:{text}", "en")
    except SpeechError:
        return
    assert said


def test_a_leap_day_without_a_year_is_a_day() -> None:
    said = speech.speak("date:02-29", "en")
    assert said == ["prompt:en/month/2", "prompt:en/number/20", "prompt:en/ordinal/9"]
    with pytest.raises(SpeechError, match="no such day"):
        speech.speak("date:2026-02-29", "en")


def test_language_and_choices_stand_in_any_order_and_the_fragment_goes_before_the_box() -> None:
    assert (speech.speak("time/24h/en:14:05", "zh") == speech.speak("time/en/24h:14:05", "zh")
            == speech.speak("time/en:14:05", "zh", wording=["24h", "oh", "and"]))
    assert speech.in_language("time/24h:14:05", "en") == "time/24h/en:14:05"
    assert speech.in_language("time/zh:14:05", "en") == "time/zh:14:05"
    assert speech.speak("amount/en:1", "zh", "USD") == ["prompt:en/number/1", "prompt:en/currency/usd"]
    assert speech.speak("amount/en:1 EUR", "zh", "USD")[-1] == "prompt:en/currency/eur"


def test_groups_of_digits_are_heard_apart() -> None:
    assert speech.speak("digits:1-2 3", "en") == [
        "prompt:en/number/1", "silence:250", "prompt:en/number/2", "silence:250", "prompt:en/number/3"]
