"""The test calls as their page shows them: what became of the one that came in, step by step. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.bus.messages import CallInfo, CallTable, RouteExplained

EARLIER_S = 5.0                                   # a call may have begun just before the page was opened


@dataclass(frozen=True, slots=True)
class CallView:
    """`explained` None: nobody says what the rules make of it."""

    call: CallInfo
    explained: RouteExplained | None

    @property
    def over(self) -> bool:
        return self.call.state == "released"

    @property
    def answered(self) -> bool:
        return self.call.answered or self.call.state == "answered"

    @property
    def refused(self) -> bool:
        return self.explained is not None and self.explained.kind == "refused"


def newest(table: CallTable, trunks: Iterable[str], since: float) -> CallInfo | None:
    """The newest call that came in on one of these trunks since then, going on or over."""
    wanted = set(trunks)
    found = [one for one in (*table.released, *table.calls)
             if one.inbound and one.trunk in wanted and one.began_at >= since - EARLIER_S]
    return max(found, key=lambda one: one.began_at, default=None)


def called_lately(table: CallTable, trunks: Iterable[str], known: Iterable[tuple[str, str]]) -> list[
        tuple[str, str]]:
    """Trunk and number of calls that came, newest first, without those that the box knows."""
    wanted, past = set(trunks), set(known)
    calls = sorted((*table.released, *table.calls), key=lambda one: one.began_at, reverse=True)
    found = dict.fromkeys((one.trunk, one.called) for one in calls
                          if one.inbound and one.trunk in wanted and one.called)
    return [one for one in found if one not in past][:5]
