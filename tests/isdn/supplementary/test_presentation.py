"""Rules of CLIP, CLIR, COLP and COLR."""
import pytest

from appliance.isdn.elements import (
    BearerCapability,
    CallingNumber,
    CallingSubaddress,
    ConnectedNumber,
    Display,
    RedirectingNumber,
)
from appliance.isdn.lapd import Side
from appliance.isdn.supplementary.presentation import (
    ALLOWED,
    NETWORK_PROVIDED,
    NOT_AVAILABLE,
    NOT_SCREENED,
    PASSED,
    RESTRICTED,
    Block,
    Restriction,
    pass_on,
    passed_on,
    restrict,
    restriction_asked,
    screened,
    shown,
    trusted,
)

BLOCKS = [Block.parse("88880000-88880099"), Block.parse("87654321")]
DEFAULT = CallingNumber("88880000", 4, 1, ALLOWED, NETWORK_PROVIDED)


@pytest.mark.parametrize(("given", "allowed"), [
    (CallingNumber("88880042", 0, 1), CallingNumber("88880042", 0, 1, ALLOWED, PASSED)),
    (CallingNumber("42", 0, 1), CallingNumber("88880042", 4, 1, ALLOWED, PASSED)),    # and its default's type
    (CallingNumber("42", 0, 1, RESTRICTED), CallingNumber("88880042", 4, 1, RESTRICTED, PASSED)),
    (CallingNumber("87654321", 4, 1), CallingNumber("87654321", 4, 1, ALLOWED, PASSED)),
    (CallingNumber("110", 0, 1), DEFAULT),
    (CallingNumber("88880100", 0, 1), DEFAULT),
    (CallingNumber("110", 0, 1, RESTRICTED), CallingNumber("88880000", 4, 1, RESTRICTED, NETWORK_PROVIDED)),
    (CallingNumber("*1"), DEFAULT),
    (CallingNumber(""), DEFAULT),
    (None, DEFAULT),
])
def test_a_line_gives_none_but_its_own_numbers(given: CallingNumber | None, allowed: CallingNumber) -> None:
    assert screened(given, BLOCKS, DEFAULT) == allowed


def test_a_special_arrangement_gives_any_and_a_line_without_default_none() -> None:
    given = CallingNumber("13800138000", 2, 1)
    assert screened(given, BLOCKS, DEFAULT, special_arrangement=True).screening == NOT_SCREENED
    assert screened(given, BLOCKS, DEFAULT, special_arrangement=True).digits == given.digits
    assert screened(given, BLOCKS, None).presentation == NOT_AVAILABLE


@pytest.mark.parametrize("text", ["", "12-5", "50-40", "5a", "12-"])
def test_what_is_no_block(text: str) -> None:
    if text == "12-":                             # one number
        assert Block.parse(text) == Block("12", "12")
    else:
        with pytest.raises(ValueError, match="not a block"):
            Block.parse(text)


@pytest.mark.parametrize(("mode", "by_default", "asked_hide", "asked_show"), [
    (Restriction.NEVER, ALLOWED, ALLOWED, ALLOWED),
    (Restriction.ASKED, ALLOWED, RESTRICTED, ALLOWED),
    (Restriction.UNLESS_ASKED, RESTRICTED, RESTRICTED, ALLOWED),
    (Restriction.ALWAYS, RESTRICTED, RESTRICTED, RESTRICTED),
])
def test_restriction_of_a_call(mode: Restriction, by_default: int, asked_hide: int, asked_show: int) -> None:
    number = ConnectedNumber("5001")
    results = [restrict(number, mode, asked).presentation for asked in (None, True, False)]
    assert results == [by_default, asked_hide, asked_show]


def test_what_came_restricted_counts_as_asked() -> None:
    given = CallingNumber("42", presentation=RESTRICTED)
    assert restrict(given, Restriction.ASKED).presentation == RESTRICTED
    assert restrict(given, Restriction.ASKED, asked=False).presentation == ALLOWED
    unknown = CallingNumber("", presentation=NOT_AVAILABLE)
    assert restrict(unknown, Restriction.ALWAYS) == unknown


def test_who_gets_restricted_numbers() -> None:
    assert trusted(Side.USER)
    assert trusted(Side.NETWORK, symmetric=True)
    assert trusted(Side.NETWORK, override=True)
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


@pytest.mark.parametrize(("dialled", "called", "asked"), [
    ("*31*5001", "5001", True), ("#31#5001", "5001", False), ("5001", "5001", None),
    ("*32*1", "*32*1", None)])
def test_restriction_by_prefix(dialled: str, called: str, asked: bool | None) -> None:
    assert restriction_asked(dialled, "*31*", "#31#") == (called, asked)
