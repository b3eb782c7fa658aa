"""Rules of CLIP, CLIR, COLP and COLR."""
import pytest

from appliance.isdn.elements import (
    BearerCapability,
    CallingNumber,
    CallingSubaddress,
    Display,
    RedirectingNumber,
)
from appliance.isdn.lapd import Side
from appliance.isdn.supplementary.presentation import (
    ALLOWED,
    NOT_AVAILABLE,
    RESTRICTED,
    Block,
    Restriction,
    pass_on,
    passed_on,
    shown,
    trusted,
)


@pytest.mark.parametrize(("given", "whole"), [
    ("88880042", "88880042"), ("42", "88880042"), ("0", "88880000"), ("100", None), ("88880100", None),
    ("", None), ("*1", None), ("188880042", None)])
def test_a_number_of_a_block_or_its_end(given: str, whole: str | None) -> None:
    assert Block.parse("88880000-88880099").complete(given) == whole


@pytest.mark.parametrize("text", ["", "12-5", "50-40", "5a", "12-"])
def test_what_is_no_block(text: str) -> None:
    if text == "12-":                             # one number
        assert Block.parse(text) == Block("12", "12")
    else:
        with pytest.raises(ValueError, match="not a block"):
            Block.parse(text)


@pytest.mark.parametrize(("mode", "by_default", "asked_hide", "asked_show"), [
    (Restriction.NEVER, False, False, False),
    (Restriction.ASKED, False, True, False),
    (Restriction.UNLESS_ASKED, True, True, False),
    (Restriction.ALWAYS, True, True, True),
])
def test_restriction_of_a_call(
        mode: Restriction, by_default: bool, asked_hide: bool, asked_show: bool) -> None:
    assert [mode.applies(asked) for asked in (None, True, False)] == [by_default, asked_hide, asked_show]


def test_who_gets_restricted_numbers() -> None:
    assert trusted(Side.USER)
    assert trusted(Side.NETWORK, symmetric=True)
    assert not trusted(Side.NETWORK)


def test_a_pbx_gets_no_restricted_number_nor_what_names_the_caller() -> None:
    elements = (BearerCapability(), CallingNumber("13800138000", 2, 1, RESTRICTED, 3), Display("Wang"),
                CallingSubaddress(b"\x50\x01"), RedirectingNumber("5001", 4, 1, ALLOWED, 3, 15))
    assert pass_on(elements, True) == elements
    assert pass_on(elements, False) == (
        BearerCapability(), CallingNumber("", 0, 0, RESTRICTED, 3),
        RedirectingNumber("5001", 4, 1, ALLOWED, 3, 15))


@pytest.mark.parametrize("presentation", [RESTRICTED, NOT_AVAILABLE])
def test_people_see_what_may_be_shown(presentation: int) -> None:
    hidden = RedirectingNumber("5001", presentation=presentation)
    assert shown(hidden) == "" and passed_on(hidden, False).digits == ""
    assert shown(RedirectingNumber("5001")) == "5001"
    assert shown(None) == ""
