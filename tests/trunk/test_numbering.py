"""Number plans. Rows are what exchanges send and take: Q.931 4.5.8, E.164, the countries' own plans."""
import pytest

from appliance.config.lines import NumbersConfig
from appliance.trunk.numbering import LineNumber, NumberPlan, plain

SHANGHAI = NumbersConfig(country="CN", area="21")


@pytest.mark.parametrize(("digits", "kind", "plan", "e164", "dialled"), [
    ("2187654321", 2, 1, "+862187654321", "02187654321"),        # national, as the Recommendation says
    ("02187654321", 2, 1, "+862187654321", "02187654321"),       # and with its prefix, as some networks say
    ("87654321", 4, 1, "+862187654321", "02187654321"),
    ("87654321", 0, 1, "+862187654321", "02187654321"),
    ("13800138000", 0, 0, "+8613800138000", "13800138000"),      # mobiles are dialled without a prefix
    ("13800138000", 2, 1, "+8613800138000", "13800138000"),
    ("4930123456", 1, 1, "+4930123456", "004930123456"),
    ("004930123456", 0, 1, "+4930123456", "004930123456"),
    ("+4930123456", 0, 1, "+4930123456", "004930123456"),
    ("95598", 0, 1, "", "95598"),                                # services' and short numbers stay themselves
    ("110", 0, 1, "", "110"),
    ("10086", 2, 1, "", "10086"),                                # also when the network says national
    ("1258013800138000", 0, 1, "", "1258013800138000"),          # with the code of a service before it
    ("5001", 0, 1, "", "5001"),
    ("5001", 0, 9, "", "5001"),                                  # a private plan
    ("*21*5001#", 0, 1, "", "*21*5001#"),
    ("123", 3, 1, "", "123"),                                    # network specific
    ("", 0, 1, "", ""),
    ("1" * 30, 1, 1, "", "1" * 30),
])
def test_a_number_that_comes_in(digits: str, kind: int, plan: int, e164: str, dialled: str) -> None:
    numbers = NumberPlan(SHANGHAI)
    assert numbers.e164(digits, kind, plan) == e164
    assert numbers.show(digits, kind, plan) == dialled
    as_e164 = NumberPlan(SHANGHAI.model_copy(update={"show": "e164", "show_called": "e164"}))
    assert as_e164.show(digits, kind, plan) == as_e164.show_called(digits, kind, plan) == (e164 or digits)
    assert numbers.show_called(digits, kind, plan) == digits     # as-is, unless it is asked for


@pytest.mark.parametrize(("number", "dialled", "typed", "international"), [
    ("02187654321", LineNumber("02187654321"), (2, "2187654321"), (1, "862187654321")),
    ("+862187654321", LineNumber("02187654321", 0), (2, "2187654321"), (1, "862187654321")),
    ("01066668888", LineNumber("01066668888"), (2, "1066668888"), (1, "861066668888")),
    ("004930123456", LineNumber("004930123456"), (1, "4930123456"), (1, "4930123456")),
    ("+4930123456", LineNumber("004930123456", 0), (1, "4930123456"), (1, "4930123456")),
    ("110", LineNumber("110"), (None, "110"), (None, "110")),
    ("801", LineNumber("801"), (None, "801"), (None, "801")),
])
def test_a_number_that_goes_out(number: str, dialled: LineNumber, typed: tuple[int | None, str],
                                international: tuple[int | None, str]) -> None:
    forms = {form: NumberPlan(SHANGHAI.model_copy(update={"send_called": form, "send_calling": form}))
             for form in ("dialled", "typed", "international", "as-is")}
    assert forms["dialled"].send_called(number) == dialled
    for form, (kind, digits) in (("typed", typed), ("international", international)):
        on_line = forms[form].send_calling(number)
        assert (on_line.type, on_line.digits) == (kind, digits)
        assert on_line.plan == (None if kind is None else 1)
    assert forms["as-is"].send_called(number) == plain(number)


@pytest.mark.parametrize(("digits", "kind", "shown"), [
    ("1062345678", 2, "62345678"), ("861062345678", 1, "62345678"), ("8610086", 1, "10086"),
    ("10086", 2, "10086"), ("13800138000", 2, "13800138000"), ("57187654321", 2, "057187654321")])
def test_a_service_whose_number_begins_like_the_own_area(digits: str, kind: int, shown: str) -> None:
    assert NumberPlan(NumbersConfig(country="CN", area="10", local=True)).show(digits, kind, 1) == shown


def test_the_own_area_without_its_code_and_other_prefixes() -> None:
    local = NumberPlan(NumbersConfig(country="US", area="212", local=True, send_called="typed"))
    assert local.send_called("12125551234") == LineNumber("5551234", 4, 1)
    assert local.show("2015551234", 2, 1) == "12015551234"       # dialled with the 1 of North America
    assert local.show("2125551234", 2, 1) == "5551234"
    behind = NumberPlan(NumbersConfig(
        country="DE", area="30", national_prefix="90", international_prefix="9000"))
    assert behind.show("30123456", 2, 1) == "9030123456"
    assert behind.show("862187654321", 1, 1) == "9000862187654321"
    assert (behind.e164("9030123456"), behind.e164("9000862187654321")) == ("+4930123456", "+862187654321")


def test_a_line_without_a_plan_gets_digits_only() -> None:
    assert plain("+8613800138000") == LineNumber("8613800138000", 1, 1)
    assert plain("02187654321") == LineNumber("02187654321")
