"""The card's hardware on a RP2350B with MicroPython 1.29: the reference card, one span.

The bus to the framer is 2.048 Mbit/s in frames of 32 octets: data change on rising edges of the bus clock and
are taken on falling ones, the sync pulse is as long as the first bit of timeslot 0. Two state machines of
the PIO follow it; a pair of DMA channels for each moves octets between their FIFOs and a ring of blocks: one
moves a block, the other then gives it the address of the next one, so no program has to be in time for that.

Ref: RP2350 data sheet, chapters 11 (PIO), 12.6 (DMA), 6.4 (POWMAN), MicroPython's rp2 and machine.
"""

import os
import time
from array import array

import machine
import rp2
import uctypes
import usb.device
import vfs
from machine import ADC, SPI, WDT, Pin
from usb.device.cdc import CDCInterface

from firmware.linecard import hal, octets
from firmware.linecard.hal import (
    BLOCK_MS,
    BLOCK_OCTETS,
    BUTTON,
    CONTACT,
    HOLD,
    LED,
    LINE_SUPPLY,
    OWN,
    PAGE_OCTETS,
    POWER_UP,
    RELAY,
    RELAY_SENSE,
    SECTOR_OCTETS,
    SUPPLY,
    SUPPLY_GOOD,
    TEMPERATURE,
    WATCHDOG,
    release_modulus,
    since_ms,
)

try:                                              # words of the assembler, which it knows by itself
    from rp2.asm_pio_rp2350 import in_, jmp, label, mov, out, pin, pins, wait, wrap, wrap_target, x, x_dec, y
except ImportError:
    pass

# The pin map of the reference card: number, direction, and whether a low level is True.
_PINS = {
    RELAY: (20, Pin.OUT, False), RELAY_SENSE: (21, Pin.IN, True), CONTACT: (22, Pin.OUT, False),
    BUTTON: (23, Pin.IN, True), SUPPLY_GOOD: (24, Pin.IN, False),
    LED.format(0, "green"): (25, Pin.OUT, True), LED.format(0, "red"): (26, Pin.OUT, True),
}
_SPI_CLOCK, _SPI_OUT, _SPI_IN, _SPI_SELECT, _CHIP_RESET = 2, 3, 4, 5, 6
_BUS_IN, _BUS_CLOCK, _BUS_SYNC, _BUS_OUT = 10, 11, 12, 13             # the first three in this order
_FOLLOW, _HOLD = 14, 15                           # of the clock generator: the line's clock; as it is now
_SUPPLIES = {SUPPLY: 40, LINE_SUPPLY: 41}         # each behind a divider by two
_THERMOMETER = ADC.CORE_TEMP

_CHIP = "falc56"
_SPI_HZ = 8_000_000
_ADC_MV, _ADC_MOST = 3300, 65_535
_USB_OCTETS = 4096                                # each way and port
_USB_VENDOR, _USB_PRODUCT = 0x1209, 0xE101
_RING_BLOCKS = 4
_LEAD_BLOCKS = 2                                  # what is given follows the block that is being sent
_LAST_BIT = 255                                   # of a frame

_PIO, _FIFO_OUT, _FIFO_IN = 0x50200000, 0x10, 0x20                    # of state machine 0, others follow
_DREQ_OUT, _DREQ_IN = 0, 4
_RECEIVER, _SENDER = 0, 1                         # state machines
_DMA, _CHANNEL_OCTETS = 0x50000000, 0x40
_WRITE_AND_GO, _READ_AND_GO = 0x2C, 0x3C          # AL2_WRITE_ADDR_TRIG, AL3_READ_ADDR_TRIG
_WRITE_ADDRESS = 1                                # its place in DMA.registers
_POWMAN_SCRATCH = 0x401000B0                      # eight words that a reset leaves alone
_ERASE = 6                                        # of a block, for Flash.ioctl

# Flash behind the interpreter: slots for images, then a file system.
_SLOT_OCTETS = 512 * 1024
_KEPT_OCTETS = 256 * 1024
_KEPT = "/kept"


@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_LEFT, autopush=True, push_thresh=8)
def _receive() -> None:
    wrap_target()
    wait(1, pin, 2)                               # sync
    mov(x, y)
    label("bit")
    wait(0, pin, 1)                               # clock
    in_(pins, 1)
    wait(1, pin, 1)
    jmp(x_dec, "bit")
    wrap()


@rp2.asm_pio(out_init=rp2.PIO.OUT_HIGH, out_shiftdir=rp2.PIO.SHIFT_LEFT, autopull=True, pull_thresh=8)
def _send() -> None:
    wrap_target()
    wait(1, pin, 2)
    mov(x, y)
    label("bit")
    out(pins, 1)
    wait(0, pin, 1)
    wait(1, pin, 1)
    jmp(x_dec, "bit")
    wrap()


def _channel(dma: rp2.DMA) -> int:
    number: int = dma.channel  # type: ignore[attr-defined]  # not in the stubs
    return number


class Bus:
    """A ring of blocks each way, both at the same place of it as they go by one clock."""

    def __init__(self) -> None:
        self.missed = 0
        self._received = bytearray(_RING_BLOCKS * BLOCK_OCTETS)
        self._sent = bytearray(b"\xff" * (_RING_BLOCKS * BLOCK_OCTETS))
        self._base = uctypes.addressof(self._received)
        self._next = 0                            # the block that take() gives
        self._at_ms = 0
        data_in, data_out = Pin(_BUS_IN, Pin.IN), Pin(_BUS_OUT, Pin.OUT)
        for number in (_BUS_CLOCK, _BUS_SYNC):
            Pin(number, Pin.IN)
        receiver = rp2.StateMachine(_RECEIVER, _receive, in_base=data_in)
        sender = rp2.StateMachine(_SENDER, _send, in_base=data_in, out_base=data_out)
        for machine_ in (receiver, sender):
            machine_.put(_LAST_BIT)
            machine_.exec("pull()")
            machine_.exec("mov(y, osr)")
            machine_.exec("out(null, 32)")
        self._inwards = self._ring(self._received, _RECEIVER, True)
        self._outwards = self._ring(self._sent, _SENDER, False)
        self._registers = self._inwards[0].registers  # type: ignore[attr-defined]  # not in the stubs
        for _, teller, _ in (self._inwards, self._outwards):
            teller.active(True)
        sender.active(True)                       # both wait for the next sync
        receiver.active(True)

    @staticmethod
    def _ring(ring: bytearray, number: int, inwards: bool) -> "tuple[rp2.DMA, rp2.DMA, array[int]]":
        """The channel that moves blocks, the one that tells it where to, and the addresses that it tells."""
        mover, teller = rp2.DMA(), rp2.DMA()
        base = uctypes.addressof(ring)
        addresses = array("I", [base + block * BLOCK_OCTETS for block in range(_RING_BLOCKS)])
        fifo = _PIO + (_FIFO_IN if inwards else _FIFO_OUT) + 4 * number
        mover.config(
            read=fifo if inwards else base, write=base if inwards else fifo, count=BLOCK_OCTETS,
            ctrl=mover.pack_ctrl(size=0, inc_read=not inwards, inc_write=inwards, chain_to=_channel(teller),
                                 treq_sel=(_DREQ_IN if inwards else _DREQ_OUT) + number, high_pri=True))
        trigger = _WRITE_AND_GO if inwards else _READ_AND_GO
        teller.config(                            # its list is at a multiple of 16, as all of the heap is
            read=addresses, count=1, write=_DMA + _channel(mover) * _CHANNEL_OCTETS + trigger,
            ctrl=teller.pack_ctrl(size=2, inc_write=False, ring_size=4, ring_sel=False))
        return mover, teller, addresses

    def poll(self, now_ms: int, ready: bool) -> bool:
        late_ms = since_ms(now_ms, self._at_ms) - _RING_BLOCKS * BLOCK_MS
        if late_ms > 0 and self._at_ms:           # the ring went round
            self.missed += late_ms // BLOCK_MS
        self._at_ms = now_ms
        moving: int = (self._registers[_WRITE_ADDRESS] - self._base) // BLOCK_OCTETS % _RING_BLOCKS
        waiting = (moving - self._next) % _RING_BLOCKS
        self.missed += waiting >= _LEAD_BLOCKS    # what is given next is late
        return waiting > 0

    def take(self, out: bytearray, at: int) -> None:
        octets.rows(self._received, self._next * BLOCK_OCTETS, out, at)

    def give(self, block: bytearray, at: int) -> None:
        into = (self._next + _LEAD_BLOCKS) % _RING_BLOCKS
        octets.frames(block, at, self._sent, into * BLOCK_OCTETS)
        self._next = (self._next + 1) % _RING_BLOCKS


class Spi:
    def __init__(self) -> None:
        self._select = Pin(_SPI_SELECT, Pin.OUT, value=1)
        self._spi = SPI(0, baudrate=_SPI_HZ, polarity=0, phase=0, sck=Pin(_SPI_CLOCK), mosi=Pin(_SPI_OUT),
                        miso=Pin(_SPI_IN))

    def transfer(self, buffer: bytearray) -> None:
        self._select(0)
        self._spi.write_readinto(buffer, buffer)
        self._select(1)


class Port:
    """A CDC port. The host has it open while it holds DTR."""

    def __init__(self) -> None:
        self.cdc = CDCInterface()
        self.cdc.init(timeout=0, txbuf=_USB_OCTETS, rxbuf=_USB_OCTETS)

    def is_open(self) -> bool:
        return bool(self.cdc.is_open() and self.cdc.dtr)

    def readinto(self, buffer: bytearray) -> int:
        return self.cdc.readinto(buffer) or 0

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        return self.cdc.write(memoryview(buffer)[at:at + length]) or 0


class SensePin:
    """A pin that is True at the level that the pin map says."""

    def __init__(self, name: str) -> None:
        number, direction, self._inverted = _PINS[name]
        self._pin = Pin(number, direction)
        if direction == Pin.IN and self._inverted:
            self._pin.init(pull=Pin.PULL_UP)

    def __call__(self, value: bool | None = None) -> bool:
        if value is not None:
            self._pin(value != self._inverted)
        return bool(self._pin()) != self._inverted


class Retained:
    def load(self, buffer: bytearray) -> None:
        for at in range(len(buffer)):
            buffer[at] = machine.mem8[_POWMAN_SCRATCH + at]

    def store(self, buffer: bytearray) -> None:
        for at in range(0, len(buffer), 4):       # the register takes words only
            machine.mem32[_POWMAN_SCRATCH + at] = int.from_bytes(buffer[at:at + 4], "little")


class Slot:
    octets = _SLOT_OCTETS

    def __init__(self, number: int) -> None:
        self._flash = rp2.Flash(start=number * _SLOT_OCTETS, len=_SLOT_OCTETS)

    def view(self) -> memoryview:
        return memoryview(self._flash)  # type: ignore[arg-type]  # not in the stubs: it is where it is mapped

    def erase(self, at: int) -> None:
        self._flash.ioctl(_ERASE, at // SECTOR_OCTETS)

    def write(self, at: int, octets: bytes) -> None:
        self._flash.writeblocks(at // SECTOR_OCTETS, octets, at % SECTOR_OCTETS)


def _mount() -> None:
    """The file system, made anew when there is none that can be read: a card without it is still a card."""
    if _KEPT[1:] in os.listdir("/"):
        return
    flash = rp2.Flash(start=2 * _SLOT_OCTETS, len=_KEPT_OCTETS)
    try:
        kept = vfs.VfsLfs2(flash, progsize=PAGE_OCTETS)
    except OSError:
        vfs.VfsLfs2.mkfs(flash, progsize=PAGE_OCTETS)
        kept = vfs.VfsLfs2(flash, progsize=PAGE_OCTETS)
    vfs.mount(kept, _KEPT)


class Storage:
    """See Storage in __init__."""

    folder = _KEPT + "/"
    hardware = "branchline-e1"

    def __init__(self, words: "list[str]") -> None:
        _mount()
        self.modulus = release_modulus(self.folder)
        self.retained: hal.Retained = Retained()
        self.slots: tuple[hal.Slot, hal.Slot] = (Slot(0), Slot(1))

    def watchdog(self, timeout_ms: int) -> WDT:
        return WDT(timeout=timeout_ms)

    def reset(self) -> None:
        machine.reset()


class Hal(Storage):
    """See Hal in __init__."""

    name = "Branchline E1 card"

    def __init__(self, words: "list[str]") -> None:
        super().__init__(words)
        self.chips: tuple[str, ...] = (_CHIP,)
        self.serial = machine.unique_id().hex()
        self.reset_cause = WATCHDOG if machine.reset_cause() == machine.WDT_RESET else POWER_UP
        self._follow, self._hold = Pin(_FOLLOW, Pin.OUT, value=0), Pin(_HOLD, Pin.OUT, value=0)
        self._supplies = {name: ADC(Pin(number)) for name, number in _SUPPLIES.items()}
        self._thermometer = ADC(_THERMOMETER)
        chip_reset = Pin(_CHIP_RESET, Pin.OUT, value=0)
        time.sleep_ms(2)
        chip_reset(1)
        self.spis: tuple[hal.Spi, ...] = (Spi(),)
        self.buses: tuple[hal.Bus, ...] = (Bus(),)
        port, control = Port(), Port()
        self.ports: tuple[hal.Port, ...] = (port,)
        self.control: hal.Port = control
        usb.device.get().init(port.cdc, control.cdc, builtin_driver=False, manufacturer_str="Branchline",
                              product_str=self.name, serial_str=self.serial, id_vendor=_USB_VENDOR,
                              id_product=_USB_PRODUCT)

    def now_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[return-value]  # a type of its own in the stubs

    def wait(self) -> None:
        machine.idle()

    def reference(self, source: int) -> None:
        self._hold(source == HOLD)                # held before it is let go
        self._follow(source not in (OWN, HOLD))

    def pin(self, name: str) -> SensePin:
        return SensePin(name)

    def read(self, name: str) -> int:
        if name == TEMPERATURE:                   # data sheet 12.4.6: 0.706 V at 27 C, -1.721 mV a degree
            microvolts = self._thermometer.read_u16() * _ADC_MV * 1000 // _ADC_MOST
            return 2700 - (microvolts - 706_000) * 100 // 1721
        return self._supplies[name].read_u16() * _ADC_MV * 2 // _ADC_MOST
