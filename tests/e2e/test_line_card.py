"""A whole box whose telco span is a line card: the firmware runs, chips are models, a cable is between."""

import copy
from typing import Any

import pytest

from appliance.bus.messages import GetSpans
from hil_tests.instruments.call import NotSeen
from hil_tests.instruments.card import Card, joined
from tests.e2e.calls import Talk, contact_of, exchange_sequences, outcome, talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import wait_all_idle

TRIES = 12


def config() -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["spans"][0]["url"] = "card:LINES/card.b?clock=line"
    return config


class CardRig(Rig):
    """The telco's exchange is behind a card, too; `card` is the box's."""

    card: Card

    def _lay_out(self) -> None:
        super()._lay_out()
        lines = self.folder / "lines"
        lines.mkdir()
        _, self.card = self._exits.enter_context(joined(lines / "card.a", lines / "card.b"))

    def far_url(self, name: str) -> str:
        if name == "telco":
            return f"card:{self.folder}/lines/card.a?clock=own"
        return super().far_url(name)


def slips(rig: CardRig) -> int:
    """Blocks that anybody between the two telephones left out or filled in, and said so."""
    ends = (rig.telco.line.span, rig.pbx.line.span)
    box = sum(span.counters["slips"] for span in rig.bus.ask(GetSpans()).spans)
    return box + sum(end.counters().slips for end in ends)


def hear_each_other(rig: CardRig, talkers: Talk, seed: int) -> None:
    """Octet for octet. The cards' lines stand still when their programs do, the PBX's line does not: on a
    machine that was away the box slips between them, which it counts, and the two say it again."""
    for again in range(TRIES):
        before = slips(rig)
        try:
            exchange_sequences(*talkers, seed=seed + 2 * again, seconds=0.5, within_s=2.0)
            return
        except NotSeen:
            assert slips(rig) > before
    pytest.fail(f"slips in each of {TRIES} tries")


def test_a_call_crosses_the_card_octet_for_octet_and_calls_come_back_after_it_died() -> None:
    rig = CardRig(config())
    with rig:
        caller, agent = talk(rig)
        hear_each_other(rig, Talk(caller, agent), seed=80)
        caller.hang_up()
        agent.wait_for("RELEASED")
        assert outcome(contact_of(rig, caller.calling)) == ("answered", "caller", 16)
        wait_all_idle(rig)
        rig.card.kill()
        rig.telco.wait_down()
        rig.card.plug_in()
        rig.wait_links_up()
        hear_each_other(rig, talk(rig), seed=180)
