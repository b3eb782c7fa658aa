"""Which number and name a call shows that goes out on a trunk. Pure.

Ref: ITU-T Q.951.3 and Q.951.4 (CLIP, CLIR); EN 300 092-1, EN 300 093-1.
"""
from collections.abc import Sequence

from appliance.config.lines import CallerIdConfig
from appliance.isdn.elements import CallingNumber
from appliance.isdn.lapd import Side
from appliance.isdn.profile import Profile
from appliance.isdn.supplementary.presentation import (
    ALLOWED,
    RESTRICTED,
    Block,
    Restriction,
    passed_on,
    trusted,
)
from appliance.trunk.numbering import NumberPlan, plain


class CallerId:
    """The rules of one trunk."""

    def __init__(self, config: CallerIdConfig, plan: NumberPlan | None) -> None:
        self._config, self._plan = config, plan
        self._blocks: Sequence[Block] = [Block.parse(text) for text in config.allowed]
        self._restriction = Restriction(config.withhold)

    def number(self, given: str, asked: bool | None, profile: Profile, side: Side, *,
               emergency: bool = False) -> CallingNumber | None:
        """`given` as the line wants it, or the default; None: nothing is known of the caller.

        `asked`: the caller asked not to be shown, or (False) to be shown. An emergency desk sees the number.
        """
        hidden = not emergency and self._restriction.applies(asked)
        digits = self._allowed(given) or self._config.default or ""
        if not digits and not hidden:
            return None
        on_line = self._plan.send_calling(digits) if self._plan is not None else plain(digits)
        number = CallingNumber(
            on_line.digits, profile.calling.type if on_line.type is None else on_line.type,
            profile.calling.plan if on_line.plan is None else on_line.plan,
            RESTRICTED if hidden else ALLOWED, profile.screening[side])
        return passed_on(number, trusted(side, symmetric=profile.symmetric))

    def name(self, given: str, hidden: bool) -> str:
        """The text for Display or the name service; "": none."""
        if hidden:
            return ""
        return given if self._config.name is None else self._config.name

    def _allowed(self, given: str) -> str:
        if not self._blocks:
            return given
        return next(filter(None, (block.complete(given) for block in self._blocks)), "")
