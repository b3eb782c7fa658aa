"""A box in two slots whose power may fail at any write: GRUB as grub.cfg has it, the slots' contents, time.

The update itself, its book and the files of the slots are the real ones.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from appliance.box.update import gate
from appliance.box.update.driving import Bundle, Driving, Progress, UpdateError
from appliance.box.update.esp import BootFiles
from appliance.box.update.slots import FILES, MOST_TRIES, Slots, newest, other, slots_block
from appliance.box.update.state import Book, Standing
from appliance.box.update.store import BookFile
from appliance.bus.messages import CallTested, Drained
from appliance.config.update import TrialCallConfig, UpdateConfig

OLD, NEW = "1.0", "2.0"
TEST_CALL = TrialCallConfig(trunk="telco", number="12117")
MOST_STARTS = 200


class Cut(BaseException):
    """The power is away."""


class Starts(BaseException):
    """The machine starts anew."""


class Rests(BaseException):
    """No update goes on."""


class Power:
    """Fails at the writes with these numbers: before (0), in the middle of (1) or after (2) it."""

    def __init__(self, cuts: dict[int, int] | None = None) -> None:
        self.writes, self.cuts = 0, cuts or {}

    def write(self, whole: Callable[[], object], torn: Callable[[], object] = lambda: None) -> None:
        self.writes += 1
        when = self.cuts.get(self.writes)
        if when == 1:
            torn()
        elif when != 0:
            whole()
        if when is not None:
            raise Cut


class Files(BootFiles):
    def __init__(self, path: Path, power: Power) -> None:
        super().__init__(path)
        self._power = power

    def _write(self, path: Path, octets: bytes) -> None:
        write = super()._write
        torn = octets[:60].ljust(len(octets), b"\0")
        self._power.write(lambda: write(path, octets), lambda: write(path, torn))


class Shelf(BookFile):
    """`phases`: number of the write -> what was entered."""

    def __init__(self, folder: Path, power: Power, phases: dict[int, str]) -> None:
        super().__init__(folder)
        self._power, self._phases = power, phases

    def save(self, book: Book) -> None:
        save = super().save
        self._phases[self._power.writes + 1] = "" if book.update is None else book.update.phase
        self._power.write(lambda: save(book))


class Box:
    """`new`: how the new version is. good; "no D-channel"; "nothing heard"; "does not start"; "hangs".

    `only_boxd`: it is not the power that fails, boxd is killed.
    """

    def __init__(self, folder: Path, new: str = "good", cuts: dict[int, int] | None = None,
                 config: UpdateConfig | None = None, *, only_boxd: bool = False) -> None:
        self.power, self.new, self.folder, self.only_boxd = Power(cuts), new, folder, only_boxd
        self.config = config or UpdateConfig(test_call=TEST_CALL)
        self.unix_s, self.booted, self.starts = 1_800_000_000.0, "A", 0
        self.set_by_s = 0.0                       # the clock was put forward in all
        self.contents = {"A": OLD, "B": ""}
        self.counted: tuple[int, int] = (0, 0)    # GRUB's: of which SEQ, how often
        self.phases: dict[int, str] = {}
        self.tried_at: list[float] = []           # when a slot was put on trial
        self.undecided = False
        self.calls = 2
        self.done: list[str] = []                 # what was asked of calls, in order
        self.files = Files(folder, self.power)
        folder.mkdir(exist_ok=True)
        (folder / FILES[0]).write_bytes(slots_block(1, Slots("A")))
        self.driving = self._boxd()

    # --- the machine

    def live(self, source: str = "v2.raucb") -> None:
        """An update from its beginning to its end, over as many starts as it takes."""
        asked = False
        while self.starts < MOST_STARTS:
            try:
                if not asked:
                    asyncio.run(self._ask(source))
                    asked = True
                asyncio.run(self.driving.run())
            except Starts:
                self._start()
            except Cut:
                if self.only_boxd:
                    self.driving = self._boxd()
                else:
                    self._start()
            except Rests:
                return
        raise AssertionError("it does not come to an end")

    async def _ask(self, source: str) -> None:
        await self.driving._start()
        if self.driving.book.update is None and not self.driving.book.history:
            self.driving.begin(source, "drained", "a test")

    def _start(self) -> None:
        """GRUB, until a slot has come up; the power may fail here, too."""
        while True:
            self.starts += 1
            assert self.starts < MOST_STARTS, "it does not come to an end"
            try:
                self.booted = self._chosen()
            except Cut:
                continue                          # no try was counted, or one without a start
            version = self.contents[self.booted]
            if self.booted == self._slots()[1].confirmed:
                assert version in (OLD, NEW), f"the confirmed slot {self.booted} holds {version!r}"
            if version == NEW and self.new == "does not start":
                continue
            if version == NEW and self.new == "hangs":
                self.undecided, self.counted = True, (self._slots()[0], MOST_TRIES)
                continue
            break
        self.unix_s += 60.0
        self.calls = 0
        self.driving = self._boxd()

    def _slots(self) -> tuple[int, Slots]:
        paths = [self.folder / name for name in FILES]
        _, seq, slots = newest([path.read_bytes() if path.exists() else None for path in paths])
        return seq, slots

    def _chosen(self) -> str:
        seq, slots = self._slots()
        if slots.trial == other(slots.confirmed):
            times = self.counted[1] if self.counted[0] == seq else 0
            if times < MOST_TRIES:
                self.power.write(lambda: setattr(self, "counted", (seq, times + 1)))
                return slots.trial
        return slots.confirmed

    def _boxd(self) -> Driving:
        return Driving(Shelf(self.folder, self.power, self.phases), self, self, self, self.config,
                       self.contents[self.booted], lambda: None)

    # --- hands

    async def standing(self) -> Standing:
        slots = self.files.slots()
        return Standing(booted=self.booted, confirmed=slots.confirmed, trial=slots.trial,
                        unusable=sorted(slots.unusable), boot=str(self.starts), undecided=self.undecided)

    async def fetch(self, source: str, progress: Progress) -> Path:
        progress(1.0, "fetches")
        return Path(source)

    async def check(self, bundle: Path) -> Bundle:
        if bundle.name == "foreign.raucb":
            raise UpdateError("signature verification failed")
        return Bundle(version=NEW)

    async def install(self, bundle: Path, progress: Progress) -> None:
        target = other(self.booted)
        self.files.write(self.files.slots().marked(target, usable=False))
        self.contents[target] = "half"
        if bundle.name == "changed.raucb":
            raise UpdateError("Input/output error")
        self.power.write(lambda: self.contents.update({target: NEW}))
        self.files.write(self.files.slots().marked(target, usable=True))

    async def try_out(self, slot: str) -> None:
        self.undecided = False
        self.files.write(self.files.slots().with_trial(slot))
        self.tried_at.append(self.unix_s)

    async def confirm(self, slot: str) -> None:
        assert slot == self.booted
        self.files.write(self.files.slots().with_confirmed(slot))

    async def give_up(self) -> None:
        self.files.write(self.files.slots().without_trial())

    async def reboot(self) -> None:
        raise Starts

    def tidy(self) -> None:
        self.undecided = False

    # --- the other daemons

    async def drain(self, for_s: float, *, end: bool) -> Drained | None:
        self.done.append("end" if end else "drain" if for_s else "take")
        self.calls = 0 if end else max(0, self.calls - 1)
        return Drained(calls=self.calls)

    async def look(self) -> gate.Seen:
        well = self.contents[self.booted] == OLD or self.new != "no D-channel"
        return gate.Seen(daemons={"spand": "up", "trunkd": "up"}, spans=["telco1"],
                         links=["telco1"] if well else [], agents=3)

    async def test_call(self, config: TrialCallConfig) -> CallTested:
        self.done.append("call")
        heard = self.new != "nothing heard"
        return CallTested(
            trunk=config.trunk, number=config.number, answer_s=0.4, level_dbm0=-12.0 if heard else -90.0,
            error="" if heard else "was answered, but nothing louder than -90 dBm0 was heard")

    # --- the clock

    def now(self) -> float:
        return self.unix_s

    def steady(self) -> float:
        return self.unix_s - self.set_by_s

    async def wait(self, for_s: float, woken: asyncio.Event) -> None:
        if self.driving.book.update is None:
            raise Rests
        if not woken.is_set():
            self.unix_s += for_s
