"""What a detection found and how it is known, in the reader's language."""

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

from appliance.config.timeslots import in_words
from webui.first.lines import Finding

STEPS: dict[str, LazyString] = {
    "language": _l("Language"), "admin": _l("Administrator"), "network": _l("Network"),
    "time": _l("Time"), "lines": _l("Lines"), "numbers": _l("Numbers"), "people": _l("People"),
    "call": _l("Test call"), "done": _l("Summary")}

WHAT: dict[str, LazyString] = {
    "signal": _l("Signal"), "framing": _l("Framing"), "crc4": _l("CRC-4"), "d_channel": _l("D-channel"),
    "side": _l("Our side"), "profile": _l("Rules of the line"), "numbers": _l("Numbers"),
    "channels": _l("Channels"), "clock": _l("Clock")}

SURE: dict[str, LazyString] = {
    "seen": _l("seen on the line"), "tried": _l("asked and answered"),
    "usual": _l("not to be found out: usual"), "unknown": _l("not known")}

VALUES: dict[tuple[str, str], LazyString] = {
    ("signal", "there"): _l("there"), ("signal", "los"): _l("no signal"),
    ("signal", "lof"): _l("a signal without E1 frames"), ("signal", "ais"): _l("alarm from upstream (AIS)"),
    ("framing", "g704"): _l("E1 frames (G.704)"),
    ("crc4", "on"): _l("on"), ("crc4", "off"): _l("off"),
    ("d_channel", "loop"): _l("looped back to us"),
    ("side", "user"): _l("user (toward the telephone company)"),
    ("side", "network"): _l("network (toward a PBX)"),
    ("profile", "etsi"): _l("EuroISDN (ETSI)"), ("profile", "china"): _l("China (YDN 034)"),
    ("profile", "qsig"): _l("QSIG"), ("profile", "ecma"): _l("QSIG of 1992 (ECMA)"),
    ("numbers", "en-bloc"): _l("whole, in one piece"), ("numbers", "overlap"): _l("digit by digit"),
    ("channels", "1-31"): _l("all 30"),
    ("clock", "line"): _l("taken from the line"), ("clock", "own"): _l("given by this box"),
}

EVIDENCE: dict[str, LazyString] = {
    "blocks": _l("The line carried %(n)s blocks of 10 ms without an alarm."),
    "rai": _l("The far end does not hear us (RAI): look at the pair on which this box sends."),
    "level": _l("It comes in with %(db)s dB."),
    "los": _l("Nothing comes in: is the cable in, are its pairs the right way round, is the line "
              "switched on?"),
    "lof": _l("Something comes in that has no E1 frames: crossed or split pairs, or not an E1 line."),
    "ais": _l("All ones: the telephone company's equipment has lost its own input. Call it."),
    "interface_frames": _l("The interface does the framing itself."),
    "frames_found": _l("Frame words were found and kept."),
    "crc4_untold": _l("This interface does not tell whether CRC-4 comes in. Ask the telephone company."),
    "multiframes": _l("CRC-4 multiframes were found in timeslot 0."),
    "no_multiframes": _l("No CRC-4 multiframe came within 400 ms of the frames."),
    "e_bits": _l("The far end finds ours, too: it complains of %(per_s)s blocks a second."),
    "e_bits_all": _l("The far end complains of %(per_s)s blocks a second: it does not find ours."),
    "looped": _l("Frames of ours came back: there is a loop on the line. Have it taken away."),
    "frames": _l("%(n)s good frames came on timeslot %(timeslot)s."),
    "elsewhere": _l("%(n)s good frames came on timeslot %(timeslot)s. This box speaks on timeslot 16 only: "
                    "have the telephone company put it there."),
    "flags": _l("Timeslot %(timeslot)s carries flags, and no frame came while it was looked at."),
    "d_silent": _l("Nothing came on any timeslot. Most lines have it on timeslot 16."),
    "speaks_user": _l("Its %(n)s commands and answers were those of the user side."),
    "speaks_network": _l("Its %(n)s commands and answers were those of the network side."),
    "answers_user": _l("Asked by us as user, it answered SABME and RR as a network does."),
    "answers_network": _l("Asked by us as network, it answered SABME and RR as a user does."),
    "odd_user": _l("Asked by us as user, it answered SABME, but not RR."),
    "odd_network": _l("Asked by us as network, it answered SABME, but not RR."),
    "refuses_user": _l("Asked by us as user, it refused the link (DM)."),
    "refuses_network": _l("Asked by us as network, it refused the link (DM)."),
    "silent_user": _l("Asked by us as user %(n)s times, it was silent."),
    "silent_network": _l("Asked by us as network %(n)s times, it was silent."),
    "qsig_signs": _l("Its messages are those of a private network (QSIG)."),
    "rose": _l("Its services are those of EuroISDN."),
    "private_plan": _l("It calls numbers of a private plan, as PBXs do. Ask who looks after it."),
    "messages_plain": _l("Nothing in its %(n)s messages tells. Ask the telephone company."),
    "no_messages": _l("It sent no message of a call, and only those tell. Ask the telephone company."),
    "digits_later": _l("Digits came after the call had begun."),
    "offered": _l("A call came for %(called)s: %(digits)s digits."),
    "no_call": _l("No call came. The test call will show it."),
    "only_ones": _l("Timeslots %(timeslots)s carry nothing but ones: are they rented?"),
    "channels_alike": _l("Nothing tells which are rented. The contract does."),
    "follows": _l("The user side follows the clock of the telephone company."),
    "leads": _l("The network side gives the clock."),
    "line_clock": _l("This interface goes by the line's clock all the same: have it give its own."),
    "own_clock": _l("This interface goes by its own clock all the same: there will be slips."),
}


def what(name: str) -> str:
    words = WHAT.get(name)
    return name if words is None else str(words)


def sure(name: str) -> str:
    words = SURE.get(name)
    return name if words is None else str(words)


def value(found: Finding) -> str:
    if found.what == "d_channel" and found.value.isdecimal():
        return str(gettext("timeslot %(timeslot)s", timeslot=found.value))
    words = VALUES.get((found.what, found.value))
    return str(words) if words is not None else found.value or "–"


def profile(name: str) -> str:
    """Rules of a line, as people call them."""
    words = VALUES.get(("profile", name))
    return str(words) if words is not None else name


def evidence(key: str, figures: dict[str, object]) -> str:
    """The sentence of this key; the key itself when it is one of a later version."""
    words = EVIDENCE.get(key)
    if words is None:
        return key
    timeslots = figures.get("timeslots")
    if isinstance(timeslots, list):
        figures = figures | {"timeslots": in_words([int(one) for one in timeslots])}
    return str(words) % figures if figures else str(words)
