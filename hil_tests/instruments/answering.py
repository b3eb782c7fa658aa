"""What the telephones behind an exchange do when they are called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil_tests.instruments import audio
from hil_tests.instruments.call import Call, CallEvent

if TYPE_CHECKING:
    from hil_tests.instruments.exchange import SoftwareExchange

UNALLOCATED, USER_BUSY = 1, 17                    # Q.850


@dataclass(frozen=True, slots=True)
class Answering:
    """One telephone: CALL PROCEEDING and ALERTING at once, then as told."""

    answer_after_s: float | None = 0.0            # None: rings for ever
    refuse_cause: int = 0                         # not 0: refused with it at once
    says: audio.Octets | None = None              # repeated
    hang_up_after_s: float | None = None          # after the answer
    digits: int = 0                               # overlap: how many make the number whole
    rings: bool = True                            # False: no ALERTING


def always() -> Answering:
    return Answering()


def never() -> Answering:
    return Answering(answer_after_s=None)


def busy(cause: int = USER_BUSY) -> Answering:
    return Answering(refuse_cause=cause)


def after(seconds: float) -> Answering:
    return Answering(answer_after_s=seconds)


Choice = Callable[[Call], Answering | None]       # None: the number needs more digits
Rule = Answering | Mapping[str, Answering] | Choice


class Telephones:
    """Follows one rule for all calls that come in. Runs in the line's thread."""

    def __init__(self, exchange: "SoftwareExchange", rule: Rule, otherwise: Answering) -> None:
        self._exchange = exchange
        self._rule = rule
        self._otherwise = otherwise               # a number that the mapping has not

    def ring(self, call: Call) -> None:
        call.listen(self._on_event)
        self._decide(call)

    def _on_event(self, call: Call, event: CallEvent) -> None:
        if event.name == "INFORMATION" and call.state == "overlap":
            self._decide(call)

    def _decide(self, call: Call) -> None:
        telephone = self._choose(call)
        if telephone is None and not call.complete:
            if call.state == "setup":
                call.ask_digits()
            return
        telephone = telephone or self._otherwise
        if telephone.refuse_cause:
            call.reject(telephone.refuse_cause)
            return
        call.proceed()
        if telephone.rings:
            call.alert()
        if telephone.answer_after_s == 0:
            self._answer(call, telephone)
        elif telephone.answer_after_s is not None:
            self._exchange.line.after(telephone.answer_after_s, lambda: self._answer(call, telephone))

    def _choose(self, call: Call) -> Answering | None:
        if isinstance(self._rule, Answering):
            return self._rule if call.complete or len(call.called) >= self._rule.digits else None
        if isinstance(self._rule, Mapping):
            if call.called in self._rule:
                return self._rule[call.called]
            more = any(number.startswith(call.called) for number in self._rule)
            return None if more and not call.complete else self._otherwise
        return self._rule(call)

    def _answer(self, call: Call, telephone: Answering) -> None:
        if call.state not in ("proceeding", "alerting"):
            return
        if telephone.says is not None:
            call.play(telephone.says, repeat=True)
        call.answer()
        if telephone.hang_up_after_s is not None:
            self._exchange.line.after(telephone.hang_up_after_s, call.hang_up)
