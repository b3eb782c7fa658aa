"""The loops over octets of the block path, as machine code on the card. They allocate nothing.

`@micropython.viper` makes words of `int` and addresses of `ptr8`, `ptr32`; on CPython it is plain Python.
"""

try:
    import micropython
except ImportError:                               # CPython, in tests
    class micropython:  # type: ignore[no-redef]
        @staticmethod
        def viper(function):  # type: ignore[no-untyped-def]
            return function

from firmware.linecard.hal import COLUMNS, ROWS

ptr8 = bytearray                                  # for CPython and type checkers: viper knows them by itself
ptr32 = memoryview


def crc_table() -> memoryview:
    """For crc()."""
    from array import array

    table = array("I", bytes(4 * 256))
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table[octet] = value
    return memoryview(table)


@micropython.viper
def crc(source: ptr8, length: int, table: ptr32, out: ptr8, at: int) -> int:
    """CRC-32 as binascii.crc32 has it of the first octets, little-endian to out[at:]; where it ends.

    Not returned itself: what has 32 bits would be an object on the heap.
    """
    value = -1
    i = 0
    while i < length:
        value = table[(value ^ source[i]) & 0xFF] ^ ((value >> 8) & 0xFFFFFF)
        i += 1
    i = 0
    while i < 4:
        out[at + i] = ((value >> (8 * i)) & 0xFF) ^ 0xFF
        i += 1
    return at + 4


@micropython.viper
def stuff(source: ptr8, length: int, out: ptr8, at: int) -> int:
    """COBS of the first `length` octets to out[at:]; where it ends."""
    code_at = at
    put = at + 1
    code = 1
    i = 0
    while i < length:
        octet = source[i]
        i += 1
        if octet:
            out[put] = octet
            put += 1
            code += 1
        if octet == 0 or (code == 255 and i < length):
            out[code_at] = code
            code_at = put
            put += 1
            code = 1
    out[code_at] = code
    return put


@micropython.viper
def unstuff(source: ptr8, length: int, out: ptr8) -> int:
    """The inverse: how many octets came out, 0: it was not COBS. `out` has room for `length` octets."""
    at = 0
    put = 0
    while at < length:
        code = source[at]
        end = at + code
        if code == 0 or end > length:
            return 0
        at += 1
        while at < end:
            out[put] = source[at]
            put += 1
            at += 1
        if code < 255 and at < length:
            out[put] = 0
            put += 1
    return put


@micropython.viper
def copy(source: ptr8, at: int, length: int, out: ptr8, to: int) -> int:
    """source[at:at+length] to out[to:], and where it ends; in one buffer only towards its beginning."""
    i = 0
    while i < length:
        out[to + i] = source[at + i]
        i += 1
    return to + length


@micropython.viper
def turn(source: ptr8, at: int, columns: int, rows: int, out: ptr8, to: int) -> int:
    """`rows` rows of `columns` octets, from source[at:], transposed to out[to:]; where it ends."""
    row = 0
    while row < rows:
        put = to + row
        end = at + columns
        while at < end:
            out[put] = source[at]
            put += rows
            at += 1
        row += 1
    return to + rows * columns


def rows(frames: bytearray, at: int, out: bytearray, to: int) -> None:
    """A block as the bus carries it, frame by frame, to rows of timeslots in out[to:]."""
    turn(frames, at, ROWS, COLUMNS, out, to)


def frames(block: bytearray, at: int, out: bytearray, to: int) -> None:
    """The inverse of rows()."""
    turn(block, at, COLUMNS, ROWS, out, to)
