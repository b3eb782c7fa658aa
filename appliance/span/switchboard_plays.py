"""What is played to legs, and the digits that are sent to them."""

from collections.abc import Callable

import numpy as np

from appliance.bus.client import Refused
from appliance.bus.messages import DigitsSent, Event, PlayEnded
from appliance.media import tones
from appliance.media.graph import Graph
from appliance.media.plan import Sound
from appliance.span.switchboard_legs import Leg, Legs, Play, Player, Sending, check_name
from e1_driver import IDLE

MAX_FRAGMENTS = 200                               # of one play
MAX_FRAGMENT = 300                                # characters
MAX_DIGITS = 64                                   # of one order
SHORTEST_MS, LONGEST_MS = 40, 1000                # of a digit, of a pause (Q.24: 40 ms must be heard)

Compile = Callable[[list[str], bool], tuple[Sound | None, str]]


class Plays:
    """`changed` is called with a leg that hears something else now."""

    def __init__(
        self, graph: Graph, legs: Legs, compile_sound: Compile, changed: Callable[[Leg], None],
    ) -> None:
        self._graph, self._legs, self._compile, self._changed = graph, legs, compile_sound, changed
        self._by_tag: dict[int, Leg] = {}
        self._waiting: dict[Leg, None] = {}       # those with music that stands still, longest first
        self._next_tag = 0
        self.events: list[Event] = []

    def play(self, name: str, play: str, fragments: list[str], repeat: bool) -> None:
        """What cannot be played at all ends at once. Refused: no name, too many fragments."""
        check_name("play", play)
        if len(fragments) > MAX_FRAGMENTS or any(len(one) > MAX_FRAGMENT for one in fragments):
            raise Refused(f"play {play!r}: up to {MAX_FRAGMENTS} fragments of {MAX_FRAGMENT} characters each")
        leg = self._legs.wish(name)
        if leg.play is not None and leg.play.name == play:
            return
        self.stop(leg)
        sound, wrong = self._compile(fragments, repeat)
        if sound is None:
            self.events.append(PlayEnded(leg=name, play=play, finished=False, error=wrong))
            self._legs.drop_empty(leg)
            return
        leg.play = Play(play, sound, wrong)
        self.begin(leg)

    def begin(self, leg: Leg) -> None:
        """What the leg wants to hear begins, if it is bound."""
        if leg.port is None or leg.play is None or leg.play.player is not None:
            return
        if leg.music is not None and leg.music.sound is leg.play.sound:
            leg.play.player, leg.music = leg.music, None
            del self._waiting[leg]
            self._graph.hold_player(leg.play.player.row, False)
        else:
            leg.play.player = self._player(leg, leg.play.sound)
        self._changed(leg)

    def stop(self, leg: Leg, finished: bool = False, error: str = "") -> None:
        """End the leg's play, if it has one."""
        if leg.play is None:
            return
        self._changed(leg)
        play, leg.play = leg.play, None
        if play.player is not None and play.sound.music and not finished:
            self._end_music(leg)
            leg.music = play.player
            self._waiting[leg] = None
            self._graph.hold_player(play.player.row, True)
        elif play.player is not None:
            self._end(play.player)
        self.events.append(
            PlayEnded(leg=leg.name, play=play.name, finished=finished, error=error or play.wrong))

    def send_digits(self, name: str, order: str, digits: str, on_ms: int, off_ms: int, in_band: bool) -> bool:
        """Begin; False when that order was begun before. Refused: not bound, busy, or out of range."""
        leg, _ = self._legs.bound(name)
        check_name("order", order)
        if order == leg.sent_order:
            return False
        if leg.sending is not None:
            raise Refused(f"leg {name!r} is still sent those of {leg.sending.order!r}: wait for their end")
        if not 0 < len(digits) <= MAX_DIGITS or any(one not in tones.DIGITS for one in digits):
            raise Refused(f"digits {digits[:MAX_DIGITS]!r}: 1 to {MAX_DIGITS} of {tones.DIGITS}")
        for field, value in (("on_ms", on_ms), ("off_ms", off_ms)):
            if not SHORTEST_MS <= value <= LONGEST_MS:
                raise Refused(f"{field} {value}: {SHORTEST_MS} to {LONGEST_MS}")
        octets = tones.dtmf(digits, on_ms, off_ms)
        sound = Sound(octets if in_band else np.full_like(octets, IDLE))
        leg.sent_order = order
        leg.sending = Sending(order, self._player(leg, sound), in_band)
        self._changed(leg)
        return True

    def ended(self, tag: int) -> None:
        """The engine has played a sound to its end."""
        leg = self._by_tag.get(tag)
        if leg is None:
            return
        if leg.play is not None and leg.play.player is not None and leg.play.player.tag == tag:
            self.stop(leg, finished=True)
        elif leg.sending is not None and leg.sending.player.tag == tag:
            self._end_sending(leg, finished=True)
        elif leg.music is not None and leg.music.tag == tag:         # over just before it was to stand still
            self._end_music(leg)
        self._legs.drop_empty(leg)

    def forget(self, leg: Leg, error: str) -> None:
        self.stop(leg, error=error)
        self._end_sending(leg, finished=False)
        self._end_music(leg)

    def _player(self, leg: Leg, sound: Sound) -> Player:
        self._next_tag += 1
        while True:
            try:
                row = self._graph.play(sound, self._next_tag)
                break
            except ValueError:                    # two a port: one of those whose music stands still goes
                self._end_music(next(iter(self._waiting)))
        self._by_tag[self._next_tag] = leg
        return Player(row, self._next_tag, sound)

    def _end(self, player: Player) -> None:
        del self._by_tag[player.tag]
        self._graph.end_player(player.row)

    def _end_sending(self, leg: Leg, finished: bool) -> None:
        if leg.sending is not None:
            self._changed(leg)
            sending, leg.sending = leg.sending, None
            self._end(sending.player)
            self.events.append(DigitsSent(leg=leg.name, order=sending.order, finished=finished))

    def _end_music(self, leg: Leg) -> None:
        if leg.music is not None:
            music, leg.music = leg.music, None
            del self._waiting[leg]
            self._end(music)
