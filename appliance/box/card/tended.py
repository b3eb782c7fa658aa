"""One line card as boxd tends it, without its port: what the box wishes of it, what is known of it."""

from collections.abc import Collection
from dataclasses import dataclass

from appliance.box.card.control import CardControl
from appliance.box.card.updating import Updating
from appliance.bus.messages import CardRelay, CardState, CardUpdate
from appliance.config.schema import CardConfig
from firmware import control

FITNESS_S = 30.0                                  # Fitness is said every 10 s; what is older is nobody's word
SLOTS = ("a", "b", "built-in")


@dataclass(slots=True)
class Wellness:
    """What the box last said of itself."""

    fit: bool = False
    well: bool = False
    at: float = -FITNESS_S

    def fresh(self, now: float) -> bool:
        return now - self.at < FITNESS_S


class TendedCard:
    def __init__(self, config: CardConfig, bypass: bool) -> None:
        """`bypass`: people wanted the telco line at the PBX, and nothing else since."""
        self.config, self.bypass = config, bypass
        self.link: CardControl | None = None
        self.updating: Updating | None = None
        self.trouble = "it was not opened yet"
        self.needed: frozenset[str] = frozenset() # spans that were up before its firmware was updated
        self._confirming = False

    def connected(self, now: float) -> CardControl:
        self.link, self.trouble, self._confirming = CardControl(self.config.hold_s, now), "", False
        return self.link

    def lost(self, why: str) -> None:
        if self.link is not None:
            self.link.close(why)
        self.link, self.trouble = None, why

    def update(self, image: bytes, forced: bool, up: Collection[str], now: float) -> None:
        """Begin. ImageError: this is no image."""
        self.updating, self.needed = Updating(image, forced, now), frozenset(up)

    def tend(self, wellness: Wellness, up: Collection[str], now: float) -> None:
        """Do what is due. `up`: the spans that are, of the box's cards."""
        link = self.link
        if link is not None:
            fresh = wellness.fresh(now)
            policy = self.config.relay
            link.wish(fit=policy == "alive" or (fresh and wellness.fit), alarm=not (fresh and wellness.well),
                      bypass=self.bypass or policy == "bypass", now=now)
            self._confirm(link, up, now)
        if self.updating is not None:
            self.updating.drive(link, now)

    def next_deadline(self) -> float | None:
        due = [at for at in (self.link.next_deadline() if self.link else None,
                             self.updating.next_deadline() if self.updating else None) if at is not None]
        return min(due, default=None)

    def state(self, at: float) -> CardState:
        known = CardState(at=at, card=self.config.name, device=self.config.control, trouble=self.trouble,
                          bypass=self.bypass, update=self._update())
        if self.link is None or not self.link.ready:
            return known
        facts = self.link.facts
        return CardState(
            at=at, card=known.card, device=known.device, bypass=known.bypass, update=known.update,
            relay=CardRelay(energised=facts.energised, sense=facts.sense, why=facts.why,
                            lease_s=facts.lease_ms / 1000, operations=facts.operations),
            hardware=facts.hardware, serial=facts.serial, version=facts.version, slot=SLOTS[facts.slot],
            trial=facts.trial, reset=facts.reset, resets=facts.resets, uptime_s=facts.uptime_s,
            troubles=list(facts.troubles), alarm=facts.alarm, temperature_celsius=facts.temperature_celsius,
            supplies_mv=facts.supplies_mv, crashes=facts.crash[2] if facts.crash else 0,
            bad_packets=self.link.bad_packets)

    def _update(self) -> CardUpdate | None:
        one = self.updating
        return None if one is None else CardUpdate(
            state=one.state, version=one.head.version_text, sent_octets=one.offset, octets=one.head.octets,
            error=one.error)

    def _confirm(self, link: CardControl, up: Collection[str], now: float) -> None:
        """Firmware on trial stays when the card and the spans that were up before are well."""
        if not link.facts.trial or self._confirming or not link.healthy(now) or not self.needed <= set(up):
            return

        def done(refusal: str) -> None:
            self._confirming = bool(not refusal)
            if not refusal and self.updating is not None:
                self.updating.confirmed()
        self._confirming = True
        link.ask(control.UPDATE_CONFIRM, b"", done, now)
