"""What the guard of the card promises, in virtual time. test_guard.py runs each case on CPython and all on
MicroPython: `micropython -m tests.firmware.guard_cases FOLDER`, from the project's root. The folder has
images (good, foreign, other: for another card) and the modulus of the key that signed the first and the last.
"""

import random
import sys

from firmware import control, image
from firmware.linecard import hal
from firmware.linecard.guard import boot, leds, slots
from firmware.linecard.guard.button import AGAIN_MS, BOUNCE_MS, HOLD_MS, SHORT_MS, STUCK_MS, Button
from firmware.linecard.guard.contact import LEAST_MS, Contact
from firmware.linecard.guard.crash import Crash
from firmware.linecard.guard.kept import Files, Memory
from firmware.linecard.guard.relay import DWELL_MS, LEAST_RESET_MS, RESET_MS, SAVE_MS
from firmware.linecard.guard.update import IDLE, RECEIVING, SILENT_MS, STAGED, TRIAL, TRIAL_MS, Update
from firmware.linecard.guard.watchdog import TURN_MS, Watchdog
from firmware.wire import ALARMS
from tests.firmware.parts import ROUND_MS, Flash, Pin, PowerCut, RelayBench, Retained

HARDWARE = "simulated"
STEP_MS = 10


class Scratch:
    """A card's files and flash. `name` keeps the cases apart."""

    def __init__(self, folder: str, name: str) -> None:
        self.files = Files(f"{folder}/{name}-")
        self.flash = (Flash(), Flash())
        self.modulus = int.from_bytes(read(folder, "modulus"), "big")
        self.folder = f"{folder}/{name}-"

    def start(self, now_ms: int = 0) -> Update:
        """As boot.py does it."""
        heads = [slots.image(slot, self.modulus) for slot in self.flash]
        record = slots.Record(self.files)
        self.slot, self.fell = slots.choose(record, (heads[0] is not None, heads[1] is not None))
        head = heads[self.slot] if self.slot < control.BUILT_IN else None
        version = head.version if head is not None else boot.BUILT_IN_VERSION
        return Update(self.flash, record, self.slot, version, HARDWARE, self.modulus, now_ms)


def read(folder: str, name: str) -> bytes:
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


def refused(update: Update, octets: bytes, forced: bool = False) -> str:
    """Why the head is not taken; "": it is."""
    return update.begin(forced, octets[:image.HEAD_OCTETS])


def send(update: Update, octets: bytes) -> None:
    """The payload, from where the card wants it on."""
    while update.offset < update.octets:
        at = image.HEAD_OCTETS + update.offset
        assert update.chunk(update.offset, octets[at:at + control.CHUNK_OCTETS]) == ""


# The relay.

def play(events: "list[tuple[str, int]]") -> None:
    """Never energised without a lease, or against a command, or moved twice within DWELL_MS."""
    bench = RelayBench()
    lease_until, bypass = 0, False
    resets: list[int] = []
    for what, value in events:
        if what == "run":
            before = bench.now_ms
            while bench.now_ms < before + value:
                bench.run(min(50, before + value - bench.now_ms))
                moved_at = bench.moves[-1][0] if bench.moves else 0
                # A reset may not have counted all of its time.
                uncounted = len([at for at in resets if at > moved_at]) * (RESET_MS + SAVE_MS)
                settled = bench.now_ms - moved_at > DWELL_MS + uncounted + 50
                if settled and (bench.now_ms > lease_until + 50 or bypass):
                    assert not bench.coil.on
        elif what == "reset":
            bench.reset(value)
            resets.append(bench.now_ms)
        elif what == "power":
            bench.moves.clear()                   # the coil dropped of itself
            bench.power_up()
            lease_until, bypass = 0, False
        else:
            bypass = what == "bypass"
            bench.relay.lease(what != "unfit", bypass, value)
            if what != "unfit":
                lease_until = bench.now_ms + value
        for number, (at, energised) in enumerate(bench.moves):
            assert energised == (number % 2 == 0)
            assert number == 0 or at - bench.moves[number - 1][0] >= DWELL_MS


def case_relay_whatever_happens(folder: str) -> None:
    chance = random.Random(14) if sys.implementation.name != "micropython" else random
    chance.seed(14)
    for _ in range(20):
        play([chance.choice([
            ("run", chance.randint(1, 15_000)), ("fit", chance.randint(0, 60_000)), ("unfit", 20_000),
            ("bypass", 20_000), ("reset", chance.randint(LEAST_RESET_MS, RESET_MS)), ("power", 0)])
            for _ in range(30)])


# Button, LEDs, contact, watchdog.

def presses(*holds: "tuple[bool, int]") -> "list[str]":
    """What a button that is down or up for so many ms asks for, in turn."""
    now_ms = ROUND_MS - 5_000
    button, asked = Button(now_ms), []
    for down, for_ms in holds:
        for _ in range(for_ms // STEP_MS):
            now_ms += STEP_MS
            if button.poll(down, now_ms % ROUND_MS):
                asked.append(control.BUTTONS[button.asked])
    return asked


def case_button(folder: str) -> None:
    rest = (False, 500)
    press, long, reset = (True, 300), (True, SHORT_MS + 500), (True, HOLD_MS + 500)
    assert presses(rest, press, rest, press, rest) == ["identify", "identify"]
    assert presses(rest, (True, BOUNCE_MS - STEP_MS), rest) == []
    assert presses(rest, long, rest) == []
    assert presses(rest, reset, rest, press, rest) == ["factory-reset"]
    assert presses(rest, reset, (False, AGAIN_MS + 100), press, rest) == ["identify"]
    assert presses(rest, (True, HOLD_MS - 500), rest, press, rest) == ["identify"]
    assert presses(rest, (True, STUCK_MS + 500), rest, press, rest) == ["identify"]
    assert presses(rest, reset, rest, reset, rest, rest) == ["factory-reset"]


def case_button_flashes(folder: str) -> None:
    button, seen = Button(0), []
    for now_ms in range(0, HOLD_MS + 3_000, STEP_MS):
        button.poll(now_ms < HOLD_MS + 1_000, now_ms)
        seen.append(button.flashes)
    assert not any(seen[:HOLD_MS // STEP_MS])
    assert all(seen[HOLD_MS // STEP_MS + 5:])


def case_leds(folder: str) -> None:
    def shows(alarm: str = "", running: bool = True, joined: bool = False, identify: bool = False,
              reset: bool = False, update: bool = False) -> "list[int]":
        alarms = 1 << ALARMS.index(alarm) if alarm else 0
        return sorted({leds.colour(alarms, running, joined, identify, reset, update, now)
                       for now in range(0, 2000, 50)})
    off, green, red, amber = leds.OFF, leds.GREEN, leds.RED, leds.AMBER
    assert shows() == [green]
    assert [shows(alarm) for alarm in ("los", "lof", "ais")] == [[red]] * 3
    assert [shows(alarm) for alarm in ("rai", "lomf")] == [[amber]] * 2
    assert shows(running=False) == [off, green]
    assert shows("los", joined=True) == [off, amber]
    assert shows("los", joined=True, update=True) == [off, green]
    assert shows("los", joined=True, update=True, identify=True) == [green, red]
    assert shows("rai", identify=True, reset=True) == [off, red]


def case_contact(folder: str) -> None:
    pin = Pin(True)
    contact = Contact(pin, 0)
    assert (pin.on, contact.alarm) == (False, True)                   # open until all is well
    for now_ms in range(0, LEAST_MS, STEP_MS):
        contact.poll(False, now_ms)
        assert not pin.on
    contact.poll(False, LEAST_MS)
    assert pin.on
    contact.poll(True, LEAST_MS + 10)
    contact.poll(False, LEAST_MS + 20)
    assert not pin.on
    contact.poll(False, 2 * LEAST_MS + 10)
    assert pin.on


class Dog:
    fed = 0

    def feed(self) -> None:
        self.fed += 1


def case_watchdog(folder: str) -> None:
    dog = Dog()
    watchdog = Watchdog(dog, ROUND_MS - 100)
    for now_ms in (ROUND_MS - 99, ROUND_MS - 1, 10, 10 + TURN_MS):
        watchdog.poll(now_ms)
    assert (dog.fed, watchdog.late) == (4, 0)
    watchdog.poll(11 + 2 * TURN_MS)
    assert (dog.fed, watchdog.late) == (4, 1)


# What is kept.

def case_files(folder: str) -> None:
    files = Files(f"{folder}/kept-")
    assert files.read("one") == b""
    files.write("one", b"first")
    files.write("one", b"")
    assert files.read("one") == b""
    files.write("one", b"second")
    assert Files(f"{folder}/kept-").read("one") == b"second"
    with open(f"{folder}/kept-one", "r+b") as file:
        file.write(b"S")
    assert files.read("one") == b""               # damaged


def case_memory(folder: str) -> None:
    retained = Retained()
    retained.cut()
    memory = Memory(retained)
    assert (memory.warm, memory.energised, memory.starts) == (False, False, 0)
    memory.energised, memory.lease_ms, memory.starts = True, 12_345, 3
    memory.save()
    again = Memory(retained)
    assert (again.warm, again.energised, again.lease_ms, again.starts) == (True, True, 12_345, 3)
    retained.octets[2] ^= 1
    assert not Memory(retained).warm
    assert not Memory(Retained()).warm            # all zeros are nobody's


def case_crash(folder: str) -> None:
    files = Files(f"{folder}/crash-")
    crash = Crash(files)
    assert control.read_crash(crash.packed) is None
    crash.note("crash", 61, "x" * 5000 + "\nZeroDivisionError")
    crash.note("watchdog", 7, "the last")
    assert control.read_crash(Crash(files).packed) == (control.RESETS.index("watchdog"), 7, 2, "the last")
    crash.note("crash", 61, "x" * 5000 + "\nZeroDivisionError")
    _, _, count, text = control.read_crash(Crash(files).packed) or (0, 0, 0, "")
    assert (count, len(text), text[-18:]) == (3, control.TEXT_OCTETS, "\nZeroDivisionError")
    crash.clear()
    assert Crash(files).packed == b""


# Updates.

def case_update(folder: str) -> None:
    """From what the card was made with to a confirmed image."""
    card, good = Scratch(folder, "update"), read(folder, "good")
    update = card.start()
    assert (card.slot, update.phase) == (control.BUILT_IN, IDLE)
    assert refused(update, good) == ""
    assert update.phase == RECEIVING
    assert update.end() != "" and update.activate() != ""             # too early
    send(update, good)
    assert (update.end(), update.phase) == ("", STAGED)
    assert (update.end(), update.activate()) == ("", "")              # may come twice
    update = card.start()
    assert (card.slot, card.fell, update.phase) == (0, False, TRIAL)
    assert "on trial" in refused(update, good)
    assert (update.confirm(), update.confirm(), update.phase) == ("", "", IDLE)
    for _ in range(5):
        card.start()
        assert (card.slot, card.fell) == (0, False)


def case_update_refusals(folder: str) -> None:
    """By the head alone: nothing is written."""
    card, good = Scratch(folder, "refusals"), read(folder, "good")
    update = card.start()
    update = Update(card.flash, slots.Record(card.files), 0, (1, 2, 4), HARDWARE, card.modulus, 0)
    before = [bytes(flash.content) for flash in card.flash]
    for octets, why in (
            (read(folder, "foreign"), "signature"), (read(folder, "other"), "for branchline-e1"),
            (good[:100], "no image"), (b"", "no image"), (good, "older"),
            (good[:30] + bytes((good[30] ^ 1,)) + good[31:], "signature")):
        assert why in refused(update, octets), (why, refused(update, octets))
        assert update.phase == IDLE
    assert [bytes(flash.content) for flash in card.flash] == before
    for modulus in (0, card.modulus - 2):
        other = Update(card.flash, slots.Record(card.files), 0, (0, 0, 0), HARDWARE, modulus, 0)
        assert refused(other, good) != ""
    assert refused(update, good, forced=True) == ""


class WornOut(Files):
    def write(self, name: str, body: bytes) -> None:
        raise OSError(28)


def case_update_trial_that_cannot_be_counted(folder: str) -> None:
    """The confirmed firmware starts: the card is never without any."""
    card = Scratch(folder, "worn")
    files, worn = card.files, WornOut(card.folder)
    for starts in (0, slots.TRIAL_STARTS):
        slots.Record(files).keep(0, 1, starts)
        assert slots.choose(slots.Record(worn), (True, True)) == (0, True)
        assert slots.choose(slots.Record(worn), (False, True)) == (control.BUILT_IN, True)


class Card(Scratch):
    """As boot.py's Storage: what is chosen at a start, with a confirmed firmware in slot 0."""

    hardware = HARDWARE

    def __init__(self, folder: str, name: str) -> None:
        super().__init__(folder, name)
        self.memory = Retained()
        self.retained: hal.Retained = self.memory
        self.slots: tuple[hal.Slot, hal.Slot] = self.flash
        good = read(folder, "good")
        update = self.start()
        assert refused(update, good) == ""
        send(update, good)
        assert update.end() == ""
        slots.Record(self.files).keep(0, None, 0)

    def watchdog(self, timeout_ms: int) -> hal.Watchdog:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError

    def ended(self, reset: str, uptime_s: int) -> "tuple[int, str]":
        """What starts after that end."""
        memory = Memory(self.retained)
        memory.reset, memory.uptime_s = control.RESETS.index(reset), uptime_s
        memory.save()
        started = boot.chosen(self)
        return started.slot, started.reset


def case_update_that_crashes_at_each_start(folder: str) -> None:
    """Confirmed, and for ever dying: the built-in one starts, and can be updated."""
    card = Card(folder, "early")
    assert boot.chosen(card).slot == 0
    for nobody_noted, word in (("crash", "crash"), ("power-up", "watchdog")):
        for _ in range(boot.EARLY_ENDS - 1):
            assert card.ended(nobody_noted, 3) == (0, word)
        assert card.ended(nobody_noted, 3) == (control.BUILT_IN, "fallback")
        assert card.ended(nobody_noted, 3) == (control.BUILT_IN, "fallback")
        assert card.ended("asked", 3) == (0, "asked")
    for _ in range(boot.EARLY_ENDS * 2):
        assert card.ended("crash", boot.EARLY_S) == (0, "crash")
    for _ in range(boot.EARLY_ENDS):
        card.ended("crash", 0)
    card.memory.cut()
    assert boot.chosen(card).slot == 0


def case_update_damaged(folder: str) -> None:
    """A payload that is not the signed one is found when it is read back."""
    card, good = Scratch(folder, "damaged"), read(folder, "good")
    update = card.start()
    assert refused(update, good) == ""
    send(update, good[:-1] + bytes((good[-1] ^ 1,)))
    assert "not the one that was signed" in update.end()
    assert update.activate() != ""
    card.start()
    assert card.slot == control.BUILT_IN


def case_update_out_of_order(folder: str) -> None:
    card, good = Scratch(folder, "order"), read(folder, "good")
    update = card.start()
    assert refused(update, good) == ""
    chunk = good[image.HEAD_OCTETS:image.HEAD_OCTETS + control.CHUNK_OCTETS]
    assert update.chunk(control.CHUNK_OCTETS, chunk) == "" and update.offset == 0
    assert update.chunk(0, chunk[:-1]) != "" and update.offset == 0
    assert update.chunk(0, chunk) == "" and update.offset == control.CHUNK_OCTETS
    assert update.chunk(0, chunk) == "" and update.offset == control.CHUNK_OCTETS
    assert refused(update, good) == "" and update.offset == control.CHUNK_OCTETS      # goes on
    send(update, good)
    assert update.end() == ""


def case_update_that_stops(folder: str) -> None:
    card, good = Scratch(folder, "stops"), read(folder, "good")
    update = card.start()
    assert refused(update, good) == ""
    for now_ms in range(0, SILENT_MS, 1000):
        assert not update.over(now_ms)
        assert update.phase == RECEIVING
    assert not update.over(SILENT_MS)
    assert (update.phase, update.offset) == (IDLE, 0)
    assert refused(update, good) == ""            # from the beginning
    send(update, good)
    assert update.end() == ""


def case_trial_that_nobody_confirms(folder: str) -> None:
    card, good = Scratch(folder, "nobody"), read(folder, "good")
    update = card.start()
    refused(update, good)
    send(update, good)
    update.end()
    update.activate()
    update = card.start(now_ms=ROUND_MS - 1000)
    assert card.slot == 0
    assert not update.over((ROUND_MS - 1000 + TRIAL_MS - 1) % ROUND_MS)
    assert update.over((ROUND_MS - 1000 + TRIAL_MS) % ROUND_MS)
    card.start()
    assert card.slot == control.BUILT_IN


def case_trial_that_does_not_come_up(folder: str) -> None:
    card, good = Scratch(folder, "down"), read(folder, "good")
    update = card.start()
    refused(update, good)
    send(update, good)
    update.end()
    update.activate()
    started = []
    for _ in range(slots.TRIAL_STARTS + 2):
        card.start()
        started.append((card.slot, card.fell))
    back = control.BUILT_IN
    assert started == [(0, False)] * slots.TRIAL_STARTS + [(back, True), (back, False)]


def case_a_slot_that_rots(folder: str) -> None:
    card, good = Scratch(folder, "rots"), read(folder, "good")
    update = card.start()
    refused(update, good)
    send(update, good)
    update.end()
    update.activate()
    update = card.start()
    update.confirm()
    card.flash[0].content[slots.PAYLOAD_AT + 700] ^= 4
    update = card.start()
    assert card.slot == control.BUILT_IN
    assert refused(update, good) == ""            # and it can be had again


def case_power_cut_at_any_write(folder: str) -> None:
    """Whatever is cut short, the card starts, with what was confirmed before."""
    good = read(folder, "good")
    card = Scratch(folder, "cut")
    writes, ended = 0, False
    while not ended:
        card.flash = (Flash(), Flash())
        update = card.start()
        for flash in card.flash:
            flash.writes = writes
        try:
            refused(update, good)
            send(update, good)
            ended = update.end() == ""
        except PowerCut:
            pass
        for flash in card.flash:
            flash.writes = None
        assert (slots.image(card.flash[0], card.modulus) is not None) == ended
        card.start()
        assert card.slot == control.BUILT_IN
        writes += 1 if writes < 4 else 7
    assert writes > 20


CASES = sorted([name for name in globals() if name.startswith("case_")])

if __name__ == "__main__":
    for name in CASES:
        globals()[name](sys.argv[1])
    print(f"{len(CASES)} cases")
