"""What the framer drivers promise, against the models of their chips. test_framer.py runs each of them on
CPython and all on MicroPython: `micropython -m tests.firmware.framer_cases`, from the project's root.
"""

import sys

from firmware.linecard.alarms import Alarms
from firmware.linecard.framer import CHIPS, open_framer
from firmware.linecard.framer import framer as f
from firmware.linecard.model import open_model

try:
    from collections.abc import Callable, Sequence

    from firmware.linecard.hal import Spi
except ImportError:                               # MicroPython: annotations are not looked at
    pass

TURN_MS = 10
ROUND_MS = 1 << (62 if sys.implementation.name == "micropython" else 30)      # of ticks_diff()
SETTLED = 12                                      # turns: reset, frames, multiframes, their E bits
SPI_OCTETS = 40                                   # of one turn, at most
BLOCK = bytearray((row * 7 + column) % 255 + 1 for row in range(32) for column in range(80))
AUTO, OFF, ON = f.CRC4_AUTO, f.CRC4_OFF, f.CRC4_ON


class End:
    """One card's framer, driver and model, and what its bus got last."""

    def __init__(self, chip: str) -> None:
        self.model = open_model(chip)
        self.framer = open_framer(chip, self.model)
        self.got = bytearray()


class Pair:
    """Two of them, joined; time goes in turns."""

    def __init__(self, a: str, b: str) -> None:
        self.a, self.b = End(a), End(b)
        self.now_ms = ROUND_MS - 300             # goes round soon

    def turn(self, turns: int = SETTLED, of_a: bytearray = BLOCK) -> None:
        for _ in range(turns):
            self.now_ms = (self.now_ms + TURN_MS) & ROUND_MS - 1
            self.a.framer.poll(self.now_ms)
            self.b.framer.poll(self.now_ms)
            from_a, from_b = self.a.model.send(of_a), self.b.model.send(BLOCK)
            self.a.got, self.b.got = self.a.model.receive(from_b), self.b.model.receive(from_a)


def bearers(block: bytearray) -> bytearray:
    return block[80:]


def case_blocks_cross_unchanged_whatever_the_chips_and_crc4() -> None:
    for a in CHIPS:
        for b in CHIPS:
            for crc4_a, crc4_b, there in ((OFF, OFF, f.NOT_KNOWN), (ON, ON, f.THERE), (AUTO, ON, f.THERE),
                                          (AUTO, AUTO, f.THERE), (AUTO, OFF, f.NOT_THERE)):
                pair = Pair(a, b)
                pair.a.framer.configure(crc4_a, True)
                pair.b.framer.configure(crc4_b, False)
                pair.turn(SETTLED + (40 if there == f.NOT_THERE else 0))
                before = pair.a.framer.e_bits
                pair.turn()
                framer = pair.a.framer
                assert bearers(pair.a.got) == bearers(pair.b.got) == bearers(BLOCK), (a, b, crc4_a, crc4_b)
                assert (framer.alarms, pair.b.framer.alarms) == (0, 0)
                assert framer.crc4 == there
                assert (framer.crc_errors, framer.fas_errors, framer.code_violations) == (0, 0, 0)
                assert framer.ready and framer.clock_ok()
                if crc4_b != OFF:
                    assert framer.e_bits == before


def case_loops() -> None:
    for chip in CHIPS:
        pair, own = Pair(chip, CHIPS[0]), bytearray(255 - octet for octet in BLOCK)
        pair.turn()
        for loop, far_alarm in ((f.LOOP_LOCAL, f.AIS), (f.LOOP_LINE, 0), (f.LOOP_PAYLOAD, 0),
                                (f.LOOP_NONE, 0)):
            pair.a.framer.set_loop(loop)
            pair.turn(2 * SETTLED, own)
            assert bearers(pair.a.got) == bearers(own if loop == f.LOOP_LOCAL else BLOCK), (chip, loop)
            assert pair.b.framer.alarms == far_alarm, (chip, loop)
            if loop in (f.LOOP_LINE, f.LOOP_PAYLOAD):
                assert bearers(pair.b.got) == bearers(BLOCK), (chip, loop)
            if loop == f.LOOP_NONE:
                assert bearers(pair.b.got) == bearers(own)


def case_each_fault_is_its_alarm_and_ends_with_it() -> None:
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[1])
        pair.a.framer.configure(ON, False)
        pair.b.framer.configure(ON, True)
        pair.turn()
        for fault, value, alarm in (("cut", True, f.LOS), ("ais", True, f.AIS), ("lof", True, f.LOF),
                                    ("attenuation_db", 50, f.LOS)):
            setattr(pair.a.model.faults, fault, value)
            pair.turn(4)
            assert pair.a.framer.alarms == alarm, (chip, fault, pair.a.framer.alarms)
            assert pair.b.framer.alarms == f.RAI, (chip, fault)
            assert not pair.a.framer.clock_ok()
            assert pair.a.got == bytearray(b"\xff" * 2560)
            setattr(pair.a.model.faults, fault, 0)
            pair.turn()
            assert (pair.a.framer.alarms, pair.b.framer.alarms) == (0, 0), (chip, fault)
        pair.b.framer.set_ais(True)
        pair.turn(4)
        assert pair.a.framer.alarms == f.AIS
        pair.b.framer.set_ais(False)
        pair.turn()
        pair.b.framer.set_rai(f.RAI_ON)
        pair.turn(4)
        assert pair.a.framer.alarms == f.RAI
        pair.b.framer.set_rai(f.RAI_AUTO)
        pair.turn()
        assert pair.a.framer.alarms == 0


def case_a_hit_between_two_turns_is_seen() -> None:
    """Frames are lost and found again within 10 ms: the latched bits tell."""
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.turn(SETTLED + 40)
        broken = pair.b.model.send(BLOCK)
        assert broken is not None
        for at in range(0, 7 * 64, 64):
            broken[at] ^= 0x04
        pair.a.model.receive(broken)
        assert pair.a.framer.poll(pair.now_ms + TURN_MS & ROUND_MS - 1) == f.LOF, chip
        pair.turn()
        assert pair.a.framer.alarms == 0


def case_multiframes_that_are_wanted_and_do_not_come() -> None:
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.a.framer.configure(ON, True)
        pair.b.framer.configure(OFF, False)
        pair.turn()
        assert pair.a.framer.alarms == f.LOMF, chip
        assert pair.b.framer.alarms == 0          # for 400 ms they may still come
        pair.turn(50)
        assert pair.a.framer.alarms == f.LOMF
        assert pair.b.framer.alarms == f.RAI, chip
        pair.b.framer.configure(ON, False)
        pair.turn()
        assert (pair.a.framer.alarms, pair.b.framer.alarms) == (0, 0), chip


def case_haul_sets_what_is_a_signal() -> None:
    for chip in CHIPS:
        for long_haul, attenuation_db, alarm in ((False, 6, 0), (False, 36, f.LOS),
                                                 (True, 36, 0), (True, 50, f.LOS)):
            pair = Pair(chip, CHIPS[0])
            pair.a.framer.configure(AUTO, False, long_haul=long_haul)
            pair.a.model.faults.attenuation_db = attenuation_db
            pair.turn()
            assert pair.a.framer.alarms == alarm, (chip, long_haul, attenuation_db)
            if not alarm:
                assert abs(pair.a.framer.level_db + attenuation_db) <= 3, (chip, attenuation_db)


def case_nothing_that_is_counted_is_lost() -> None:
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.turn(SETTLED + 40)
        pair.a.framer.clear_counters()
        pair.b.framer.clear_counters()
        faults = pair.a.model.faults
        faults.code_violations, faults.bit_error_every = 10000, 4001
        for _ in range(30):                       # polls come late now and then
            pair.turn(1)
            for _ in range(2):
                from_a, from_b = pair.a.model.send(BLOCK), pair.b.model.send(BLOCK)
                pair.a.model.receive(from_b), pair.b.model.receive(from_a)
        faults.code_violations = faults.bit_error_every = 0
        pair.turn(4)
        a, b = pair.a.framer, pair.b.framer
        assert a.code_violations == 90 * 10000, (chip, a.code_violations)
        assert a.crc_errors == b.e_bits > 300, (chip, a.crc_errors, b.e_bits)
        assert a.fas_errors >= 3 and b.crc_errors == 0, (chip, a.fas_errors, b.crc_errors)
        assert a.alarms == 0


def case_totals_stay_at_what_a_small_integer_holds() -> None:
    assert f.total(f.MOST - 3, 3) == f.MOST
    assert f.total(f.MOST - 3, 4) == f.MOST
    assert f.total(5, 4) == 9


def case_sa_bits_slips_and_the_pair_that_sends() -> None:
    for chip in CHIPS:
        pair = Pair(CHIPS[0], chip)
        pair.b.framer.set_sa(0b01101)
        pair.turn()
        assert pair.a.framer.sa_bits == 0b01101, chip
        assert pair.b.framer.sa_bits == 0x1F, chip
        pair.b.model.faults.slips = 1
        pair.b.model.faults.open = True
        pair.turn(6)
        assert pair.b.framer.slips == 1, chip
        assert pair.b.framer.liu_fault == f.OPEN, chip
        assert pair.a.framer.alarms == f.LOS
        assert pair.a.framer.sa_bits == f.SA_UNKNOWN
        pair.b.model.faults.open, pair.b.model.faults.short = False, True
        pair.turn(6)
        assert pair.b.framer.liu_fault == f.SHORT, chip
        pair.b.model.faults.short = False
        pair.turn()
        assert (pair.b.framer.liu_fault, pair.a.framer.alarms) == (0, 0), chip


def case_a_command_waits_until_the_one_before_is_done() -> None:
    end = End("falc56")
    end.framer.poll(0)
    assert end.framer.ready
    end.framer.reset()
    for now_ms in (10, 20, 30):                   # SIS.CEC: the model's time stands still
        assert end.framer.poll(now_ms) == f.LOS and not end.framer.ready
    end.model.receive(None)
    end.framer.poll(40)
    assert end.framer.ready and end.framer.restarts == 0


class Absent:
    """No chip, until `chip` is one; `octet` is what the pulled line reads."""

    def __init__(self, octet: int) -> None:
        self.octet, self.octets = octet, 0
        self.chip: Spi | None = None

    def transfer(self, buffer: bytearray) -> None:
        self.octets += len(buffer)
        if self.chip:
            self.chip.transfer(buffer)
        else:
            for at in range(len(buffer)):
                buffer[at] = self.octet


def case_a_chip_that_is_not_there_is_waited_for() -> None:
    for chip in CHIPS:
        for octet in (0x00, 0xFF):
            spi = Absent(octet)
            framer = open_framer(chip, spi)
            for now_ms in range(0, 1000, 10):
                assert framer.poll(now_ms) == f.LOS
            assert not framer.ready and not framer.clock_ok()
            assert spi.octets <= 100 * SPI_OCTETS
            spi.chip = open_model(chip)
            for now_ms in range(1000, 1100, 10):
                framer.poll(now_ms)
            assert framer.ready, chip


def case_settings_that_there_are_not_are_refused() -> None:
    framer = End(CHIPS[0]).framer
    wrongs: Sequence[Callable[[], object]] = (
        lambda: framer.configure(3, True),
        lambda: framer.configure(0, True, ohms=100),
        lambda: framer.configure(0, True, line_code=2),
        lambda: framer.set_loop(4),
        lambda: open_framer("mt9076", Absent(0)),
        lambda: open_model("mt9076"),
    )
    refused = 0
    for wrong in wrongs:
        try:
            wrong()
        except ValueError:
            refused += 1
    assert refused == len(wrongs)


class Settings:
    """What the host has set, and the registers then: place: value, mask (without what the driver decides)."""

    def __init__(self) -> None:
        self.crc4, self.own, self.ami, self.long, self.ohms = AUTO, False, False, False, 120
        self.loop, self.ais, self.rai, self.sa = f.LOOP_NONE, False, f.RAI_AUTO, 0x1F

    def falc56(self) -> "dict[int, tuple[int, int]]":
        s = self
        tells_lomf = s.crc4 == ON and s.rai == f.RAI_AUTO
        return {
            0x1C: (0xA4 if s.ami else 0xF4, 0xFF),
            0x1D: (8 * (s.crc4 != OFF) | (s.ais or s.loop == f.LOOP_LOCAL), 0xFF),
            0x1E: ((0, 0x80, 0xC0)[s.crc4] | 4 * (s.loop == f.LOOP_PAYLOAD) | 2 * (s.rai == f.RAI_AUTO) | 1,
                   0xFF),
            0x20: (0x80 | s.sa | 0x20 * (s.rai == f.RAI_ON), 0xDF if tells_lomf else 0xFF),
            0x21: (4 | 8 * (s.crc4 != OFF), 0xFF),
            0x36: (8 | 2 * (s.loop == f.LOOP_LOCAL) | s.own, 0xFF),
            0x37: ((0x70 if s.long else 0x40) | 2 * (s.loop == f.LOOP_LINE), 0xFF),
            0x3A: (0x20 if s.own else 0x24, 0xFF),
            0x3E: (0 if s.own else 2, 0xFF),
            0x44: (0 if s.own else 0x28, 0xFF),
            0x46: (0x80, 0xFF),
            0x92: (0x00, 0xFF), 0x93: (0x18, 0xFF), 0x99: (0xDF, 0xFF),
        }

    def ds26521(self) -> "dict[int, tuple[int, int]]":
        s = self
        return {
            0x80: (0xC1, 0xFF), 0x180: (0xC1, 0xFF),
            0x81: (0x24 | 0x40 * (not s.ami) | 8 * (s.crc4 == ON), 0xF7 if s.crc4 == AUTO else 0xFF),
            0x83: ((s.loop == f.LOOP_LOCAL) | 2 * (s.loop == f.LOOP_PAYLOAD), 0xFF),
            0x86: (8 | (not s.ami), 0xFF),
            0x181: (0x10 | 4 * (not s.ami) | 2 * s.ais | (s.crc4 != OFF), 0xFF),
            0x182: (0x80 * (s.crc4 != OFF) | 0x20 * (s.rai == f.RAI_AUTO), 0xFF),
            0x165: (0xC0 | s.sa | 0x20 * (s.rai == f.RAI_ON), 0xFF),
            0x201: (0x31 if s.ohms == 120 else 0, 0xFF),
            0x202: (1 | 8 * (s.loop == f.LOOP_LINE), 0xFF),
            0x207: (0x30 * (s.ohms == 120) | 3 * s.long, 0xFF),
            0xF3: (0xA0 if s.own else 0, 0xFF),
        }


def play(chip: str, steps: "Sequence[tuple[int, int]]") -> None:
    """`steps`: what happens, and how, as small integers. After each of them the registers are looked at."""
    pair, settings = Pair(chip, CHIPS[0]), Settings()
    framer, model, faults = pair.a.framer, pair.a.model, pair.a.model.faults
    pair.turn(4)
    for what, how in steps:
        turns = 1
        if what == 0:
            settings.crc4, settings.own = how % 3, how & 4 != 0
            settings.ami, settings.long, settings.ohms = how & 8 != 0, how & 16 != 0, 75 if how & 32 else 120
            framer.configure(settings.crc4, settings.own, f.AMI if settings.ami else f.HDB3, settings.long,
                             settings.ohms)
        elif what == 1:
            settings.loop = how % 4
            framer.set_loop(settings.loop)
        elif what == 2:
            settings.ais = how & 1 != 0
            framer.set_ais(settings.ais)
        elif what == 3:
            settings.rai = how % 3
            framer.set_rai(settings.rai)
        elif what == 4:
            settings.sa = how % 32
            framer.set_sa(settings.sa)
        elif what == 5:
            faults.cut, faults.ais, faults.lof = how & 1 != 0, how & 2 != 0, how & 4 != 0
            faults.bit_error_every = 997 if how & 8 else 0
        elif what == 6:
            model.power_fail()
            turns = 4
        elif what == 7:
            framer.reset()
            turns = 4
        elif what == 8:
            turns = how
        pair.turn(turns)
        wanted = settings.falc56() if chip == "falc56" else settings.ds26521()
        for place in wanted:
            value, mask = wanted[place]
            assert model.registers[place] & mask == value & mask, (chip, what, how, hex(place), value)
        assert framer.ready


def case_registers_are_what_the_settings_demand_in_any_order() -> None:
    seed = 1
    for chip in CHIPS:
        for _ in range(3):
            steps = []
            for _ in range(25):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                steps.append(((seed >> 8) % 9, (seed >> 16) % 64))
            play(chip, steps)


def case_a_chip_that_lost_its_registers_comes_back() -> None:
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.a.framer.configure(ON, False, long_haul=True)
        pair.turn()
        pair.a.model.power_fail()
        pair.turn(1)
        assert not pair.a.framer.ready or pair.a.framer.restarts == 1
        pair.turn(2 * SETTLED)
        framer = pair.a.framer
        assert (framer.restarts, framer.alarms, framer.ready) == (1, 0, True), chip
        assert bearers(pair.a.got) == bearers(BLOCK)
        for place in (0x37, 0x26) if chip == "falc56" else (0x201, 0x185):
            pair.a.model.registers[place] ^= 0x10               # a single one, by a particle or a spike
        pair.turn(100)
        assert (framer.restarts, framer.repairs) == (1, 2), (chip, framer.repairs)


def case_a_setting_does_not_wait_for_the_turn() -> None:
    """And what the chip says is looked at once in 10 ms all the same: no multiframe comes within one."""
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.a.framer.configure(ON, True)
        pair.b.framer.configure(ON, False)
        pair.turn()
        for sa in range(9):
            pair.a.framer.set_sa(sa)
            assert pair.a.framer.poll(pair.now_ms + 1 + sa & ROUND_MS - 1) == 0, chip
            assert pair.a.model.registers[0x20 if chip == "falc56" else 0x165] & 0x1F == sa
        pair.turn()
        assert pair.b.framer.sa_bits == 8, chip


class Misread:
    """Every tenth transfer comes back with a wrong octet."""

    def __init__(self, spi: "Spi") -> None:
        self.spi, self.transfers = spi, 0

    def transfer(self, buffer: bytearray) -> None:
        self.spi.transfer(buffer)
        self.transfers += 1
        if self.transfers % 10 == 0:
            buffer[2] ^= 0x01


def case_a_misread_octet_does_not_restart_the_chip() -> None:
    for chip in CHIPS:
        pair = Pair(chip, CHIPS[0])
        pair.a.framer = open_framer(chip, Misread(pair.a.model))
        pair.turn(60)
        assert pair.a.framer.restarts == 0, chip
        assert bearers(pair.b.got) == bearers(pair.a.got) == bearers(BLOCK)


class Meter:
    """Counts what goes through."""

    def __init__(self, spi: "Spi") -> None:
        self.spi, self.octets = spi, 0

    def transfer(self, buffer: bytearray) -> None:
        self.octets += len(buffer)
        self.spi.transfer(buffer)


def case_a_turn_is_few_octets() -> None:
    for chip in CHIPS:
        meter = Meter(open_model(chip))
        framer = open_framer(chip, meter)
        for now_ms in range(0, 60, 10):
            framer.poll(now_ms)
        assert framer.ready
        most = 0
        for now_ms in range(60, 600, 10):
            meter.octets = 0
            framer.poll(now_ms)
            most = max(most, meter.octets)
            framer.poll(now_ms + 1)               # called each ms, it is quiet in between
        assert most <= SPI_OCTETS, (chip, most)


class Still:
    """A chip as it was at one moment: what each place last read. Answers without allocating."""

    def __init__(self, chip: str) -> None:
        self.model, self.recorded = open_model(chip), True
        self.answers: dict[int, bytes] = {}

    def transfer(self, buffer: bytearray) -> None:
        if self.recorded:
            key = buffer[0] << 8 | buffer[1]
            self.model.transfer(buffer)
            self.answers[key] = bytes(buffer)
        else:
            answer = self.answers[buffer[0] << 8 | buffer[1]]
            for at in range(2, len(buffer)):
                buffer[at] = answer[at]


def case_a_turn_allocates_nothing() -> None:
    if sys.implementation.name != "micropython":
        return
    import gc
    for chip in CHIPS:
        still = Still(chip)
        framer = open_framer(chip, still)
        for now_ms in range(0, 2000, 10):
            framer.poll(now_ms)
        for loop in (f.LOOP_LOCAL, f.LOOP_LINE, f.LOOP_PAYLOAD, f.LOOP_NONE):
            framer.set_loop(loop)                 # so that each is recorded
            framer.poll(2000)
        alarms = Alarms()
        still.recorded = False
        now_ms = 2000
        gc.collect()
        gc.disable()
        before: int = gc.mem_alloc()  # type: ignore[attr-defined]
        while now_ms < 4000:
            alarms.poll(framer.poll(now_ms) if now_ms % 300 else 0, now_ms)
            if not now_ms % 500:
                framer.set_loop(now_ms // 500 % 4)
            now_ms += 10
        after: int = gc.mem_alloc()  # type: ignore[attr-defined]
        gc.enable()
        assert framer.ready and alarms.value == f.LOS and after == before, (chip, after - before)


CASES = [name for name in globals() if name.startswith("case_")]

if __name__ == "__main__":
    for name in CASES:
        globals()[name]()
    print(len(CASES), "cases")
