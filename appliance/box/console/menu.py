"""The installer's menu. Reading is free to who stands before the box; changes want its claim code.

Restarting and erasing want a typed word only: who can pull the plug or press the button can do that anyway.
The code is asked once, until nobody has typed for a while.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from appliance.box.console.box import Box, progress
from appliance.box.console.front import addresses
from appliance.box.console.terminal import Idle, Terminal
from appliance.box.console.words import Language, words
from appliance.box.provision import verbs
from appliance.bus.messages import GetChannels, GetFitness, GetHealth, GetSpans, GetUpdate, GetWallClock
from appliance.errors import BranchlineError, Unavailable

IDENTIFY_S, TRIAL_S, WATCH_S = 120.0, 300.0, 2.0
CHOICES = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "L", "0")


class Menu:
    def __init__(self, terminal: Terminal, box: Box, language: Language = "en", glyphs: bool = True) -> None:
        self._terminal, self._box, self._language, self._glyphs = terminal, box, language, glyphs
        self._claimed = False
        self._acts: dict[str, Callable[[], None]] = {
            "1": self._status, "2": self._network, "3": self._identify, "4": self._test_call,
            "5": self._support, "6": self._update, "7": self._time, "8": self._restart, "9": self._reset,
            "L": self._other_language}

    def run(self, once: bool = False) -> None:
        """Until the line is hung up, which raises Gone; `once`: or nobody types for a while."""
        while True:
            self._claimed = False
            try:
                self._start()
                while self._choose():
                    pass
            except Idle:
                if once:
                    return

    def _start(self) -> None:
        self._terminal.clear()
        self._say("box", name=self._box.name, serial=self._known("serial") or "-", version=self._box.version)
        self._condition()
        self._say("addresses", what=", ".join(addresses()) or self._words("none"))
        self._terminal.say()
        while True:
            self._say("press")
            if (self._terminal.ask(">") or "").upper() != "L":
                return
            self._other_language()

    def _choose(self) -> bool:
        """False: back to the start."""
        self._terminal.say()
        for choice in CHOICES:
            self._say(choice)
        choice = (self._terminal.ask(self._words("choose")) or "").upper()
        if choice == "0":
            return False
        if choice not in self._acts:
            if choice:
                self._say("no such")
            return True
        self._terminal.say()
        try:
            self._acts[choice]()
        except (BranchlineError, OSError) as error:
            self._say("failed", why=str(error))
        return True

    # --- what there is to choose

    def _status(self) -> None:
        self._say("box", name=self._box.name, serial=self._known("serial") or "-", version=self._box.version)
        self._condition()
        self._told(self._daemons)
        self._told(self._spans)
        self._told(self._slots)
        self._told(self._clock)
        self._say("addresses", what=", ".join(addresses()) or self._words("none"))
        for port in self._box.ports():
            self._say("port", name=port.name, mac=port.mac,
                      carrier=self._words("cable" if port.carrier else "no cable"))

    def _network(self) -> None:
        if not self._claim():
            return
        for port in self._box.ports():
            self._say("port", name=port.name, mac=port.mac,
                      carrier=self._words("cable" if port.carrier else "no cable"))
        way: dict[str, Any] = {}
        for key, prompt in (("port", "which port"), ("vlan", "vlan"), ("ipv4", "ipv4"),
                            ("gateway4", "gateway"), ("dns", "dns")):
            if key == "gateway4" and way.get("ipv4", "dhcp") in ("dhcp", "off"):
                continue
            typed = self._terminal.ask(self._words(prompt))
            if typed is None:
                self._say("given up")
                return
            if typed:
                way[key] = typed.split() if key == "dns" else int(typed) if key == "vlan" and (
                    typed.isdecimal()) else typed
        self._box.root("try-network", verbs.TryNetwork([way], TRIAL_S))
        self._say("addresses", what=", ".join(addresses()) or self._words("none"))
        typed = self._terminal.ask(self._words("trial", minutes=f"{TRIAL_S / 60:g}"))
        if (typed or "").lower() == "yes":
            self._box.root("confirm-network", verbs.Confirm("console", "console"))
            self._say("kept")
        else:
            self._box.root("revert-network")
            self._say("undone")

    def _identify(self) -> None:
        self._box.identify(IDENTIFY_S)
        self._say("blinks", seconds=f"{IDENTIFY_S:g}")

    def _test_call(self) -> None:
        if not self._claim():
            return
        trunk = self._box.trunk()
        chosen = self._terminal.ask(self._words("trunk", trunk=trunk))
        number = None if chosen is None else self._terminal.ask(self._words("number"))
        if not number:
            self._say("given up")
            return
        self._say("calling")
        came = self._box.test_call(chosen or trunk, number)
        if came.error:
            self._say("call failed", error=came.error)
        elif came.level_dbm0 is None:
            self._say("answered silent", answer_s=came.answer_s or 0.0)
        else:
            self._say("answered", answer_s=came.answer_s or 0.0, level=came.level_dbm0)

    def _support(self) -> None:
        if not self._claim():
            return
        self._say("making")
        try:
            name, octets, missing = self._box.support_to_stick()
        except Unavailable as error:
            raise Unavailable(str(error) or self._words("no stick")) from None
        self._say("bundle", name=name, octets=octets, missing=", ".join(missing) or "-")

    def _update(self) -> None:
        if not self._claim():
            return
        self._box.update_from_stick()
        self._claimed = False                     # a watch has no end of its own, and its watcher may go away
        self._say("watching")
        said = ""
        while True:
            figures = progress(self._box.ask(GetUpdate()))
            text = self._words("update", **figures)
            if text != said:
                self._terminal.say(text)
                said = text
            if figures["phase"] == "idle" or self._terminal.pressed(WATCH_S):
                return

    def _time(self) -> None:
        self._told(self._clock)
        if not self._claim():
            return
        typed = self._terminal.ask(self._words("time", zone=time.tzname[0]))
        if not typed:
            self._say("given up")
            return
        try:
            at = datetime.strptime(typed, "%Y-%m-%d %H:%M").timestamp()
        except ValueError:
            self._say("no time")
            return
        self._box.root("set-time", verbs.SetTime(at))
        self._say("set")

    def _restart(self) -> None:
        verb = {"restart": "reboot", "off": "power-off"}.get(
            (self._terminal.ask(self._words("restart")) or "").lower())
        self._say("given up" if verb is None else "going")
        if verb is not None:
            self._box.root(verb)

    def _reset(self) -> None:
        if self._terminal.ask(self._words("reset", name=self._box.name)) != self._box.name:
            self._say("given up")
            return
        self._box.reset()
        self._say("going")

    def _other_language(self) -> None:
        if self._language == "en" and not self._glyphs:
            self._say("glyphs")
            return
        self._language = "en" if self._language == "zh" else "zh"

    # --- lines of the status

    def _condition(self) -> None:
        def lines() -> None:
            fitness = self._box.ask(GetFitness()).fitness
            self._say("fitness", state=self._words(fitness.state))
            for reason in fitness.reasons:
                text, act = (one.get(self._language, reason.code) for one in (reason.text, reason.action))
                self._terminal.say(f"           {reason.about} {text}: {act}".rstrip(": "))
        self._told(lines)

    def _daemons(self) -> None:
        daemons = self._box.ask(GetHealth()).health.daemons
        bad = [one for one in daemons if one.state != "up"]
        for one in bad:
            self._say("daemon", name=one.daemon, state=one.state)
        if not bad:
            self._say("daemons up")

    def _spans(self) -> None:
        up = {one.span: one.link_up for one in self._box.ask(GetChannels()).spans}
        for span in self._box.ask(GetSpans()).spans:
            state = span.trouble or ", ".join(span.alarms) or self._words("ok")
            self._say("span", name=span.span, state=state,
                      link=self._words("link up" if up.get(span.span) else "link down"))

    def _slots(self) -> None:
        state = self._box.ask(GetUpdate()).state
        self._say("slot", slot=state.slot or "-", confirmed=state.confirmed or "-", phase=state.phase)

    def _clock(self) -> None:
        clock = self._box.ask(GetWallClock()).clock
        self._say("clock", at=time.strftime("%Y-%m-%d %H:%M:%S %Z"), source=clock.source, what=clock.sentence)

    def _told(self, lines: Callable[[], None]) -> None:
        try:
            lines()
        except (BranchlineError, OSError) as error:
            self._say("down", why=str(error))

    # --- how

    def _claim(self) -> bool:
        if not self._claimed:
            typed = self._terminal.ask(self._words("claim"), secret=True)
            if not typed:
                self._say("given up")
                return False
            self._claimed = self._box.root("check-claim", verbs.Claim(typed)).get("right") is True
            if not self._claimed:
                self._say("wrong")
        return self._claimed

    def _known(self, key: str) -> str:
        try:
            return str(self._box.root("show-provision").get(key, ""))
        except BranchlineError:
            return ""

    def _words(self, name: str, /, **figures: object) -> str:
        return words(self._language, name, **figures)

    def _say(self, name: str, /, **figures: object) -> None:
        self._terminal.say(self._words(name, **figures))
