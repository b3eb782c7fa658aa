"""Does our dahdi_wire.py agree with the header that DAHDI was built from? A C compiler says."""

import subprocess
import tempfile
from pathlib import Path

from e1_driver.backends import dahdi_wire as wire
from hil_tests.dahdi.packages import Parts
from hil_tests.vm.debian import BenchError

NUMBERS = {                                       # as the header's DAHDI_... has them
    **{name: getattr(wire, name) for name in (
        "FLUSH", "FLUSH_READ", "FLUSH_WRITE", "GET_PARAMS", "GETEVENT", "SPANSTAT", "MAINT", "SET_BUFINFO",
        "AUDIOMODE", "HDLCFCSMODE", "SPECIFY", "SETLAW", "LOOPBACK", "BUFFER_EVENTS", "LAW_ALAW",
        "POLICY_IMMEDIATE", "MAX_SPANS", "MAX_CHANNELS")},
    "CONFIG_CRC4": wire.LINECONFIG_CRC4,
    **{f"{prefix}_{each.name}": int(each) for prefix, kind in (
        ("ALARM", wire.Alarms), ("EVENT", wire.Event), ("MAINT", wire.Maint), ("SIG", wire.Sig))
       for each in kind},
}
PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <dahdi/user.h>

static void show(const char *name, const void *octets, unsigned length)
{
    printf("%s ", name);
    for (unsigned at = 0; at < length; at++)
        printf("%02x", ((const unsigned char *)octets)[at]);
    printf("\n");
}

int main(void)
{
    struct dahdi_bufferinfo buffers = {DAHDI_POLICY_IMMEDIATE, DAHDI_POLICY_IMMEDIATE, 32, 80, 0, 0};
    struct dahdi_maintinfo maint = {3, DAHDI_MAINT_LOCALLOOP};
    struct dahdi_params params;
    struct dahdi_spaninfo span;
    memset(&params, 0x5a, sizeof params);
    params.channo = 47, params.spanno = 2, params.chanpos = 16, params.sigtype = DAHDI_SIG_HDLCFCS;
    memset(&span, 0x5a, sizeof span);
    span.spanno = 2, span.alarms = 9, span.bpvcount = 11, span.crc4count = 12, span.ebitcount = 13;
    span.fascount = 14, span.syncsrc = 15, span.totalchans = 31, span.lineconfig = 16;
    strcpy(span.name, "TE4/0/2"), strcpy(span.desc, "T4XXP"), strcpy(span.spantype, "E1");
    show("buffers", &buffers, sizeof buffers);
    show("maint", &maint, sizeof maint);
    show("params", &params, sizeof params);
    show("span", &span, sizeof span);
    NUMBERS
    return 0;
}
"""


def check(parts: Parts) -> int:
    """How many numbers and structures were compared. BenchError names those that differ."""
    lines = "\n".join(f'printf("{name} %u\\n", (unsigned)DAHDI_{name});' for name in NUMBERS)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "header"
        compiled = subprocess.run(
            ["gcc", "-x", "c", "-I", parts.user_h.parents[1], "-o", program, "-"], text=True,
            input=PROGRAM.replace("NUMBERS", lines), capture_output=True)
        if compiled.returncode:
            raise BenchError(f"{parts.user_h} does not compile: {compiled.stderr[-1000:]}")
        told = dict(line.split() for line in subprocess.run(
            [program], capture_output=True, text=True, check=True).stdout.splitlines())
    differ = [f"{name} is {told[name]}, not {value}" for name, value in NUMBERS.items()
              if int(told[name]) != value]
    structures = [
        ("buffers", wire.buffers(32, 80), bytes.fromhex(told["buffers"])),
        ("maint", wire.maintenance(3, wire.Maint.LOCALLOOP), bytes.fromhex(told["maint"])),
        ("params", wire.Params.read(bytes.fromhex(told["params"])), wire.Params(47, 2, 16, wire.Sig.HDLCFCS)),
        ("span", wire.SpanInfo.read(bytes.fromhex(told["span"])),
         wire.SpanInfo(2, "TE4/0/2", "T4XXP", 9, 11, 12, 13, 14, 15, 31, 16, "E1")),
    ]
    differ += [f"{name}: {ours} is not {theirs}" for name, ours, theirs in structures if ours != theirs]
    if differ:
        raise BenchError(f"e1_driver/backends/dahdi_wire.py and {parts.user_h} differ: {'; '.join(differ)}")
    return len(NUMBERS) + len(structures)
