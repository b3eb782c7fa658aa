"""The switching matrix: what every port hears, for one tick of all ports at once.

A port is one timeslot of one span: port = span index * 32 + timeslot. A Plan says what is connected; it is
built while the media runs on the old one and takes effect between two ticks. Bridged audio stays A-law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.media.dtmf import Receiver
from appliance.media.g711 import Octets
from e1_driver import BLOCK, IDLE

Ports = npt.NDArray[np.intp]

_SAMPLES = np.arange(BLOCK)


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Octets to play, once or for ever. Never empty."""

    octets: Octets
    repeat: bool = False

    def __post_init__(self) -> None:
        if not self.octets.size:
            raise ValueError("a sound without octets")


@dataclass(frozen=True, slots=True)
class Player:
    """`port` hears `sound`; `tag` is the owner's number for it."""

    tag: int
    port: int
    sound: Sound


@dataclass(frozen=True, slots=True)
class _Together:
    """All ports that hear one sound."""

    sound: Sound
    ports: Ports
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is connected: made by plan(), not changed afterwards."""

    source: Ports                                 # [ports]: whom the port hears; number `ports` is silence
    playing: tuple[_Together, ...]
    listen: Ports                                 # [receivers]: whose digits are heard; `ports` is nobody's
    listeners: tuple[str, ...]                    # their tags
    taps: Ports                                   # [recordings, 2]
    recordings: Octets                            # [recordings, 16], an id of zeros is a free row
    begun: Ports                                  # ports whose sound begins with this plan
    fresh: tuple[int, ...]                        # receivers that begin anew with this plan


@dataclass(slots=True)
class Tick:
    """What one tick gave. The arrays are the caller's."""

    tx: Octets                                    # [ports, BLOCK]
    audio: Octets                                 # [recordings, 2, BLOCK]
    ended: list[int] = field(default_factory=list)               # tags of players whose sound is over
    digits: list[tuple[str, str]] = field(default_factory=list)  # (listener's tag, digit)


def plan(
    ports: int, *, bridges: Mapping[int, int], players: Iterable[Player],
    listeners: Sequence[tuple[int | None, str]], recordings: Sequence[tuple[bytes, int | None, int | None]],
    begun: Iterable[int] = (), fresh: Iterable[int] = (),
) -> Plan:
    """`bridges`: port -> port heard. A player covers its port's bridge. None stands for no port.

    `listeners` (port, tag) and `recordings` (id, left, right) stand in the rows that they keep for life.
    """
    source = np.full(ports, ports, np.intp)
    source[list(bridges.keys())] = list(bridges.values())
    by_sound: dict[Sound, list[Player]] = {}
    for player in players:
        by_sound.setdefault(player.sound, []).append(player)
    playing = tuple(
        _Together(sound, np.array([one.port for one in group], np.intp), tuple(one.tag for one in group))
        for sound, group in by_sound.items())
    return Plan(
        source, playing,
        np.array([ports if port is None else port for port, _ in listeners], np.intp),
        tuple(tag for _, tag in listeners),
        np.array([[ports if port is None else port for port in pair] for _, *pair in recordings],
                 np.intp).reshape(-1, 2),
        np.frombuffer(b"".join(name for name, *_ in recordings), np.uint8).reshape(-1, 16),
        np.array(list(begun), np.intp), tuple(fresh))


class Engine:
    """Runs the plan. `receivers` bounds how many ports are listened to at a time."""

    def __init__(self, ports: int, receivers: int) -> None:
        self.ports = ports
        self.plan = plan(ports, bridges={}, players=(), listeners=(), recordings=())
        self._receiver = Receiver(receivers)
        self._at = np.zeros(ports, np.int64)      # next sample of the port's sound

    def blank(self) -> Octets:
        """A tick's input, uint8[ports + 1, BLOCK], all silence; the last row stays so."""
        return np.full((self.ports + 1, BLOCK), IDLE, np.uint8)

    def change(self, new: Plan) -> None:
        """Between two ticks. Every plan must come here, in order: what begins with one is not said again."""
        self._at[new.begun] = 0
        for receiver in new.fresh:
            self._receiver.reset(receiver)
        self.plan = new

    def tick(self, rx: Octets) -> Tick:
        """One block of every port in, as blank() shapes it; one out."""
        now = self.plan
        tick = Tick(rx.take(now.source, axis=0), rx.take(now.taps, axis=0))
        for together in now.playing:
            self._play(together, tick)
        if now.listen.size:
            heard = self._receiver.feed(g711.decode(rx.take(now.listen, axis=0)))
            tick.digits = [(now.listeners[row], digit) for row, digit in heard]
        return tick

    def _play(self, together: _Together, tick: Tick) -> None:
        sound, ports = together.sound, together.ports
        length, start = sound.octets.size, self._at[ports]
        index = start[:, None] + _SAMPLES
        if sound.repeat:
            block = sound.octets.take(index, mode="wrap")
            self._at[ports] = (start + BLOCK) % length
        else:
            block = sound.octets.take(index, mode="clip")
            after = start + BLOCK
            if (after >= length).any():
                block[index >= length] = IDLE
                over = (start < length) & (after >= length)
                tick.ended += [together.tags[row] for row in np.flatnonzero(over)]
            self._at[ports] = np.minimum(after, length)
        tick.tx[ports] = block
