"""A whole box whose telco span is a line card: the firmware runs, chips are models, a cable is between."""

import copy
from typing import Any

from hil_tests.instruments.card import Card, joined
from tests.e2e.calls import contact_of, exchange_sequences, outcome, talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import wait_all_idle


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


def test_a_call_crosses_the_card_octet_for_octet_and_calls_come_back_after_it_died() -> None:
    rig = CardRig(config())
    with rig:
        caller, agent = talk(rig)
        exchange_sequences(caller, agent, seed=80, seconds=2.0)
        caller.hang_up()
        agent.wait_for("RELEASED")
        assert outcome(contact_of(rig, caller.calling)) == ("answered", "caller", 16)
        wait_all_idle(rig)
        rig.card.kill()
        rig.telco.wait_down()
        rig.card.plug_in()
        rig.wait_links_up()
        exchange_sequences(*talk(rig), seed=82)
