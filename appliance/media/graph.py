"""What is connected, changed one wish at a time and taken as a whole: a plan for the engine.

Rows are numbers (plan.Rows); names of legs and what a call wants are the switchboard's. A port hears one row.
Players, mixes, conferences, taps, detectors and meters are given a row that they keep until they end; when
one ends, or a port is cleared, nothing refers to it any more: whoever heard it hears silence.

Making a plan costs in proportion to what changed: parts that did not change are the last plan's own.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from appliance.media import levels
from appliance.media.detect import DETECTORS
from appliance.media.masking import DIGITS
from appliance.media.mixing import Parties
from appliance.media.plan import (
    Agcs,
    Gains,
    Masks,
    Meters,
    Mixing,
    Plan,
    Playing,
    Rows,
    Sound,
    Taps,
    Watch,
)
from appliance.media.slots import Slots, Tapped, Watched

_PAGE_OCTETS = 4096


class Graph:
    """Of a box with `ports` ports. A row or thing that is not there is the caller's fault: ValueError.

    Nothing is in force before take_plan(); all that changed since the last one then is, in one tick.
    """

    def __init__(self, ports: int) -> None:
        self.rows = rows = Rows(ports)
        silence = rows.silence
        self._source = np.full(ports, silence, np.intp)
        self._player_slots = Slots("players", len(rows.players))
        self._players: dict[int, Playing] = {}    # by row
        self._running: dict[int, Playing] = {}    # those that are not held
        self._parties = Parties(rows)
        self._watched = {kind: Watched(f"detectors of {kind}", ports) for kind in DETECTORS}
        self._masked: dict[int, None] = {}        # ports
        self._echo = Watched("echo cancellers", ports)
        self._agc = Watched("automatic gain controls", ports)
        self._agc_targets_dbm0 = np.zeros(ports)
        self._gains: dict[str, dict[int, int]] = {"received": {}, "sent": {}}    # port: steps
        self._tapped = {"taps": Tapped("recording taps", ports, silence),
                        "live": Tapped("listening taps", ports, silence)}
        self._meters: dict[str, tuple[int, int, int]] = {}       # tag: slot, row, ticks
        self._meter_slots = Slots("meters", 2 * ports)
        self._fresh: dict[tuple[str, int], None] = {}
        self._parts = {part: make(self) for part, make in self._MAKERS.items()}  # what holds of the last plan

    # What a port hears

    def hear(self, port: int, row: int | None) -> None:
        """`port` hears that row of the table from now on; None: silence."""
        self._check_port(port)
        row = self.rows.silence if row is None else self._check_row(row)
        if self._source[port] != row:
            self._source[port] = row
            self._change("source")

    def sent(self, port: int) -> int:
        """What `port` is sent, gain and a cut player's end included, as a side of a tap or for a meter."""
        return self.rows.count + self._check_port(port)

    def clear(self, port: int) -> None:
        """Nothing is connected with the port any more, either way, and it has no settings."""
        self._forget(self._check_port(port))
        self._forget(self.sent(port))
        self.hear(port, None)
        self.mask_digits(port, False)
        for kind in self._watched:
            self.detect(port, kind, None)
        self.set_echo(port, False)
        self.set_agc(port, None)
        for part, gains in self._gains.items():
            if gains.pop(port, None) is not None:
                self._change(part)

    # Players

    def play(self, sound: Sound, tag: int) -> int:
        """The row of a new player, which begins with the next plan, heard or not. ValueError: none is free.

        When the sound is over, the tick says its tag; the player then is silent until it is ended.
        """
        row = self.rows.players[self._player_slots.add()]
        octets = np.ascontiguousarray(sound.octets)
        octets[::_PAGE_OCTETS].max()              # a file's pages come into memory here, not in the tick
        self._players[row] = self._running[row] = Playing(row, tag, octets.data, sound.repeat)
        self._fresh.pop(("resume", row), None)
        self._begin("play", row, "playing")
        return row

    def hold_player(self, row: int, held: bool) -> None:
        """A held player stands still and is silent; then it goes on from there."""
        self._check_player(row)
        if held and self._running.pop(row, None) is not None:
            self._change("playing")
        elif not held and row not in self._running:
            self._running[row] = self._players[row]
            self._begin("resume", row, "playing")

    def end_player(self, row: int) -> None:
        self._check_player(row)
        del self._players[row]
        self._running.pop(row, None)
        self._player_slots.free(row - self.rows.players.start)
        self._forget(row)
        self._change("playing")

    # Conferences and mixes

    def open_conference(self) -> int:
        """ValueError: there are as many as ports."""
        return self._parties.open()

    def close_conference(self, conference: int) -> None:
        """Nobody is in it any more; who listened to it hears silence in its place."""
        self._parties.close(conference)
        self._change("mixing")

    def join(self, conference: int, row: int, gain_db: float = 0.0) -> None:
        """Who listens to the conference hears that port or player, so much louder than it is.

        A row is in one conference at most: it leaves the one that it was in. Again: with this gain.
        """
        self._parties.join(conference, self._check_source(row), gain_db)
        self._change("mixing")

    def leave(self, row: int) -> None:
        """Out of its conference, if it is in one. What it hears stays."""
        if self._parties.leave(self._check_source(row)):
            self._change("mixing")

    def mix(
        self, conference: int | None = None, without: int | None = None,
        terms: Iterable[tuple[int, float]] = (),
    ) -> int:
        """A new row: all of a conference and terms (row, gain in dB), but no part of the row `without`.

        A term is a port or a player. ValueError: no mix is free.
        """
        row = self._parties.add_mix(conference, *self._check_parts(without, terms))
        self._change("mixing")
        return row

    def change_mix(
        self, row: int, conference: int | None = None, without: int | None = None,
        terms: Iterable[tuple[int, float]] = (),
    ) -> None:
        """The row from now on is this; as mix()."""
        self._parties.change_mix(row, conference, *self._check_parts(without, terms))
        self._change("mixing")

    def end_mix(self, row: int) -> None:
        self._parties.end_mix(row)
        self._forget(row)
        self._change("mixing")

    # Settings of a port

    def set_gain(self, port: int, received_db: float = 0.0, sent_db: float = 0.0) -> None:
        """Of what is received from the port, for all who hear it, and of what it is sent.

        In steps of levels.STEP_DB, reached by levels.SLEW_DB a tick. ValueError: beyond levels.MIN_DB or
        MAX_DB.
        """
        self._check_port(port)
        wanted = {"received": levels.steps(received_db), "sent": levels.steps(sent_db)}
        for part, steps in wanted.items():
            if self._gains[part].get(port, 0) != steps:
                self._gain(part, port, steps)

    def set_agc(self, port: int, target_dbm0: float | None) -> None:
        """Hold the speech received from the port at that level, as P.56 says levels; None: leave it."""
        row = self._agc.row.get(self._check_port(port))
        if target_dbm0 is None:
            if row is not None:
                self._agc.free(port)
                self._change("agcs")
            return
        if row is None:
            row = self._agc.add(port)
            self._begin("agc", row, "agcs")
            self._gain("received", port, self._gains["received"].get(port, 0))
        if self._agc_targets_dbm0[row] != target_dbm0:
            self._agc_targets_dbm0[row] = target_dbm0
            self._change("agcs")

    def set_echo(self, port: int, on: bool) -> None:
        """Cancel the echo of what the port is sent out of what is received from it."""
        if on == (self._check_port(port) in self._echo.row):
            return
        if on:
            self._begin("echo", self._echo.add(port), "echo")
        else:
            self._echo.free(port)
            self._change("echo")

    # Listening for something

    def detect(self, port: int, kind: str, tag: str | None) -> None:
        """Listen to the port for `kind` (of detect.DETECTORS), which is said with `tag`; None: no more.

        With another tag it begins anew; with the same one it goes on.
        """
        if kind not in DETECTORS:
            raise ValueError(f"nothing detects {kind!r}, there are {', '.join(DETECTORS)}")
        watched, row = self._watched[kind], self._watched[kind].row.get(self._check_port(port))
        if tag is None and row is not None:
            if kind == DIGITS and port in self._masked:
                watched.tags[row] = None
            else:
                watched.free(port)
            self._change("watches")
        elif tag is not None and (row is None or watched.tags[row] != tag):
            row = watched.add(port) if row is None else row
            watched.tags[row] = tag
            self._begin(kind, row, "watches")

    def mask_digits(self, port: int, on: bool) -> None:
        """Nobody hears the port's DTMF, and no tap gives it; it is detected as before.

        While it is on the port is heard masking.LATE ticks late: not even a digit's first moment is heard.
        """
        watched, masked = self._watched[DIGITS], self._check_port(port) in self._masked
        if on and not masked:
            self._masked[port] = None
            self._begin("mask", port, "watches")
            if port not in watched.row:
                self._begin(DIGITS, watched.add(port), "watches")
        elif masked and not on:
            del self._masked[port]
            if watched.tags[watched.row[port]] is None:
                watched.free(port)
            self._change("watches")

    # Taps and meters

    def tap(self, name: bytes, left: int | None, right: int | None, live: bool = False) -> int:
        """Give these two each tick, under `name` (16 octets); the tap's row. None: silence.

        A side is a row of the table or sent(port). The same name again: with these sides from now on.
        ValueError: no tap is free.
        """
        silence, part = self.rows.silence, _tap_part(live)
        left, right = (silence if side is None else self._check_side(side) for side in (left, right))
        row = self._tapped[part].put(name, left, right)
        self._change(part)
        return row

    def pause_tap(self, name: bytes, paused: bool) -> None:
        """A paused recording's tap gives silence."""
        self._tapped["taps"].pause(name, paused)
        self._change("taps")

    def end_tap(self, name: bytes, live: bool = False) -> None:
        self._tapped[_tap_part(live)].end(name)
        self._change(_tap_part(live))

    def meter(self, tag: str, row: int, ticks: int) -> None:
        """Measure that row, or sent(port), over so many ticks, again and again; said by `tag`."""
        if ticks < 1:
            raise ValueError(f"a meter of {ticks} ticks")
        slot, *measured = self._meters.get(tag, (None, None, None))
        if measured != [self._check_side(row), ticks]:
            slot = self._meter_slots.add() if slot is None else slot
            self._meters[tag] = slot, row, ticks
            self._begin("meter", slot, "meters")

    def end_meter(self, tag: str) -> None:
        if tag not in self._meters:
            raise ValueError(f"no meter {tag!r}")
        self._meter_slots.free(self._meters.pop(tag)[0])
        self._change("meters")

    # The plan

    def take_plan(self, at_tick: int = 0) -> Plan | None:
        """What is connected, from tick `at_tick` on; None when that is still the last plan.

        Every plan must come to the engine, in order: what begins with one is not said again.
        """
        parts = self._parts
        if len(parts) == len(self._MAKERS):
            return None
        for part, make in self._MAKERS.items():
            if part not in parts:
                parts[part] = make(self)
        plan = Plan(at_tick, fresh=tuple(self._fresh), **parts)
        self._fresh = {}
        return plan

    def _make_watches(self) -> tuple[Watch, ...]:
        return tuple(Watch(kind, watched.ports(), tuple(watched.tags[:watched.end]))
                     for kind, watched in self._watched.items() if watched.row)

    def _make_masks(self) -> Masks:
        rows = [self._watched[DIGITS].row[port] for port in self._masked]
        return Masks(np.array(list(self._masked), np.intp), np.array(rows, np.intp))

    def _make_gains(self, part: str) -> Gains:
        gains = self._gains[part]
        return Gains(np.array(list(gains), np.intp), np.array(list(gains.values()), np.intp))

    def _make_agcs(self) -> Agcs:
        ports = self._agc.ports()
        return Agcs(ports, self._agc_targets_dbm0[:len(ports)].copy())

    def _make_mixing(self) -> Mixing | None:
        return self._parties.mixing()

    def _make_taps(self, part: str) -> Taps:
        return self._tapped[part].taps()

    def _make_meters(self) -> Meters:
        end = self._meter_slots.end
        rows, over, tags = np.full(end, self.rows.silence, np.intp), np.ones(end, np.intp), [""] * end
        for tag, (slot, row, ticks) in self._meters.items():
            rows[slot], over[slot], tags[slot] = row, ticks, tag
        return Meters(rows, over, tuple(tags))

    _MAKERS: ClassVar[dict[str, Callable[["Graph"], Any]]] = {
        "source": lambda self: self._source.copy(),
        "playing": lambda self: self._running.copy(),
        "watches": _make_watches,
        "masks": _make_masks,
        "echo": lambda self: self._echo.ports(),
        "received": lambda self: self._make_gains("received"),
        "sent": lambda self: self._make_gains("sent"),
        "agcs": _make_agcs,
        "mixing": _make_mixing,
        "taps": lambda self: self._make_taps("taps"),
        "live": lambda self: self._make_taps("live"),
        "meters": _make_meters,
    }

    # The rest

    def _change(self, part: str) -> None:
        self._parts.pop(part, None)
        if part == "watches":
            self._parts.pop("masks", None)

    def _begin(self, what: str, row: int, part: str) -> None:
        self._fresh[what, row] = None
        self._change(part)

    def _gain(self, part: str, port: int, steps: int) -> None:
        if port not in self._gains[part]:
            self._fresh[part, port] = None
        self._gains[part][port] = steps
        self._change(part)

    def _forget(self, row: int) -> None:
        """Whoever heard, tapped, mixed or measured that row has silence in its place."""
        hearing = self._source == row
        if hearing.any():
            self._source[hearing] = self.rows.silence
            self._change("source")
        if row < self.rows.count and self._parties.forget(row):
            self._change("mixing")
        for part, tapped in self._tapped.items():
            if tapped.forget(row):
                self._change(part)
        for tag, (slot, measured, ticks) in self._meters.items():
            if measured == row:
                self._meters[tag] = slot, self.rows.silence, ticks
                self._change("meters")

    def _check_port(self, port: int) -> int:
        if not 0 <= port < self.rows.ports:
            raise ValueError(f"port {port}: there are {self.rows.ports}")
        return port

    def _check_player(self, row: int) -> int:
        if row not in self._players:
            raise ValueError(f"row {row} is no player")
        return row

    def _check_source(self, row: int) -> int:
        """A port, silence, or a player that is there."""
        if row in self.rows.players:
            return self._check_player(row)
        if not 0 <= row <= self.rows.silence:
            raise ValueError(f"row {row} is neither a port nor a player")
        return row

    def _check_row(self, row: int) -> int:
        return self._parties.check_mix(row) if row in self.rows.mixes else self._check_source(row)

    def _check_side(self, row: int) -> int:
        return row if 0 <= row - self.rows.count < self.rows.ports else self._check_row(row)

    def _check_parts(
        self, without: int | None, terms: Iterable[tuple[int, float]],
    ) -> tuple[int | None, list[tuple[int, float]]]:
        if without is not None:
            self._check_source(without)
        checked = list(terms)
        for row, _ in checked:
            self._check_source(row)
        return without, checked


def _tap_part(live: bool) -> str:
    return "live" if live else "taps"
