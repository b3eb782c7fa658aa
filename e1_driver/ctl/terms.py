"""What an installer reads for each alarm, counter, loop and clock, in a line; docs/line.md has the rest."""

from e1_driver import Alarm, Clock, LiuFault, Loop

ALARMS = {
    Alarm.LOS: "loss of signal: nothing comes in",
    Alarm.LOF: "loss of frame alignment: what comes in is no E1 frame",
    Alarm.LOMF: "no CRC-4 multiframe: the far end sends none, or errors hide it",
    Alarm.AIS: "all ones: equipment on the way lost its own input",
    Alarm.RAI: "the far end does not hear us",
}

COUNTERS = {
    "blocks_in": ("blocks in", "10 ms of the line each"),
    "blocks_out": ("blocks out", ""),
    "slips": ("slips", "blocks or frames lost or repeated: clocks differ"),
    "frames_in": ("frames in", "on the D-channel, good ones"),
    "frames_out": ("frames out", ""),
    "fcs_errors": ("FCS errors", "D-channel frames that the line damaged"),
    "aborts": ("aborts", "D-channel frames broken off"),
    "runts": ("runts", "D-channel frames too short to be one"),
    "giants": ("giants", "D-channel frames longer than allowed"),
    "code_violations": ("code violations", "HDB3: the cable or the socket"),
    "fas_errors": ("FAS errors", "frame alignment words with a wrong bit"),
    "crc_errors": ("CRC-4 errors", "milliseconds received with a wrong bit"),
    "e_bits": ("E bits", "milliseconds that the far end received wrong"),
    "packets_in": ("packets in", "taken in time"),
    "packets_lost": ("packets lost", "filled with the idle pattern"),
    "packets_late": ("packets late", "came after their turn"),
    "packets_bad": ("packets bad", "not of this circuit, or misshapen"),
    "framer_repairs": ("framer repairs", "registers that the chip lost: the card, not the line"),
}

LIU_FAULTS = {
    LiuFault.OPEN: "no current flows: a plug is out, or a wire off",
    LiuFault.SHORT: "wires touch, or the impedance is wrong",
}

LOOPS = {
    Loop.NONE: "traffic",
    Loop.LOCAL: "what we send comes back to us",
    Loop.LINE: "the far end hears itself, timeslot 0 and all",
    Loop.PAYLOAD: "the far end hears itself, timeslots 1-31",
}

CLOCKS = {
    Clock.LINE: "the far end's, recovered from the line",
    Clock.OWN: "this end's own: the far end is to follow it",
}
