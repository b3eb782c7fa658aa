"""Words for the values that the bus carries. One table per kind; an unknown value is shown as it is."""

import time
from datetime import UTC, datetime

from flask_babel import LazyString, gettext, ngettext
from flask_babel import lazy_gettext as _l

from appliance.bus.messages import Charge, Sentence

WORDS: dict[str, dict[str, LazyString]] = {
    "contact": {
        "flow": _l("In menu"), "queue": _l("Waiting"), "ringing": _l("Ringing"), "talking": _l("Talking"),
        "dialling": _l("Dialling"), "transfer": _l("Being transferred"), "park": _l("Parked"),
        "callback": _l("Callback"), "survey": _l("Survey"), "ended": _l("Ended"),
    },
    "segment": {
        "flow": _l("Menu"), "queue": _l("Queue"), "ring": _l("Ringing"), "talk": _l("Talk"),
        "dial": _l("Dialling"), "hold": _l("On hold"), "consult": _l("Consulting"),
        "conference": _l("Conference"), "transfer": _l("Transfer"), "park": _l("Parked"),
        "forward": _l("Forwarded"), "outside": _l("Joined outside"), "callback": _l("Callback"),
        "message": _l("Voice message"), "survey": _l("Survey"),
    },
    "outcome": {
        "answered": _l("Answered"), "abandoned": _l("Abandoned"), "rejected": _l("Rejected"),
        "failed": _l("Failed"), "forwarded": _l("Forwarded"), "callback": _l("Callback promised"),
        "withdrawn": _l("Withdrawn"), "": _l("In progress"),
    },
    "agent": {
        "logged-out": _l("Logged out"), "not-ready": _l("Not ready"), "ready": _l("Ready"),
        "reserved": _l("Reserved"), "ringing": _l("Ringing"), "talking": _l("Talking"), "held": _l("On hold"),
        "consulting": _l("Consulting"), "wrap-up": _l("Wrap-up"), "unreachable": _l("Unreachable"),
    },
    "wish": {"not-ready": _l("then not ready"), "logged-out": _l("then logged out")},
    "reason": {                                   # of an agent; others are the box's own: centre.not_ready
        "busy": _l("busy here"), "no answer": _l("no answer"), "refused": _l("refused"),
        "overran": _l("over the limit"), "trunk gone": _l("the telephone's trunk is gone"),
    },
    "channel": {
        "idle": _l("idle"), "busy": _l("busy"), "restarting": _l("restarting"),
        "out-of-service": _l("out of service"), "blocked": _l("taken out of use"),
    },
    "alarm": {
        "los": _l("no signal"), "lof": _l("frame lost"), "ais": _l("alarm from upstream"),
        "rai": _l("far end does not hear us"), "lomf": _l("CRC-4 multiframe not found"),
    },
    "loop": {
        "none": _l("none"), "local": _l("to us"), "line": _l("line, to the far end"),
        "payload": _l("payload, to the far end"),
    },
    "liu_fault": {
        "open": _l("open: no current flows"), "short": _l("shorted: wires touch"),
    },
    "counter": {
        "blocks_in": _l("blocks of 10 ms received"), "blocks_out": _l("blocks of 10 ms sent"),
        "slips": _l("repeated or left out because clocks differ"),
        "frames_in": _l("good D-channel frames received"), "frames_out": _l("D-channel frames sent"),
        "fcs_errors": _l("D-channel frames with a wrong check"), "aborts": _l("D-channel frames broken off"),
        "runts": _l("D-channel frames too short"), "giants": _l("D-channel frames too long"),
        "code_violations": _l("HDB3 code violations"),
        "fas_errors": _l("frame alignment words with a wrong bit"),
        "crc_errors": _l("CRC-4 blocks received wrong"),
        "e_bits": _l("CRC-4 blocks that the far end received wrong"),
        "packets_in": _l("packets received in time"), "packets_lost": _l("packets that never came"),
        "packets_late": _l("packets that came too late or twice"),
        "packets_bad": _l("packets of a wrong shape or from elsewhere"),
        "framer_repairs": _l("registers that the framer chip lost"),
    },
    "fitness": {
        "ok": _l("in order"), "degraded": _l("degraded"),
        "unfit": _l("unfit for calls"),
    },
    "clock source": {
        "ptp": _l("PTP"), "ntp": _l("NTP"), "rtc": _l("the battery's clock"), "unknown": _l("nothing"),
    },
    "clock trouble": {
        "rtc": _l("No NTP or PTP server is heard: the clock runs on from its battery's."),
        "unknown": _l("Nothing is known to set the clock: set the time, or name an NTP server."),
    },
    "update": {
        "idle": _l("no update goes on"), "fetching": _l("fetching"), "checking": _l("checking"),
        "waiting": _l("waiting for a quiet hour"), "installing": _l("installing"),
        "draining": _l("waiting for calls to end"), "rebooting": _l("starting the new version"),
        "on trial": _l("on trial"), "returning": _l("going back"), "trying again": _l("trying again later"),
        "confirmed": _l("confirmed"), "rolled back": _l("rolled back"), "failed": _l("failed"),
        "cancelled": _l("cancelled"),
    },
    "begin": {                                    # of an update
        "drained": _l("when calls are over"), "quiet": _l("in a quiet hour"),
        "now": _l("now: calls are ended"),
    },
    "step": {                                     # of an update, as it is drawn
        "fetched": _l("Fetched"), "checked": _l("Checked"), "waiting": _l("Quiet hour"),
        "installed": _l("Written"), "drained": _l("Calls over"), "restarted": _l("Started"),
        "trial": _l("Tried out"), "confirmed": _l("Confirmed"), "back": _l("Back"),
    },
    "act": {                                      # of people on the pages of the box
        "update": _l("Update begun"), "cancel": _l("Update cancelled"), "hurry": _l("Update hurried"),
        "confirm": _l("Version confirmed"), "back": _l("Sent back to the version before"),
        "support": _l("Diagnostics bundle made"), "identify": _l("Lights let blink"),
        "first": _l("Box provisioned"), "settings": _l("Settings changed"),
        "network": _l("Network put on trial"), "keep-network": _l("Network kept"),
        "undo-network": _l("Network undone"), "time": _l("Clock set"), "reset": _l("Factory reset"),
    },
    "provisioned": {
        "stick": _l("a USB stick"), "dhcp": _l("DHCP"), "web": _l("these pages"),
        "console": _l("the console"), "command": _l("the command line"),
    },
    "sensor": {
        "board": _l("Board's temperature"), "processor": _l("Processor's temperature"), "fan": _l("Fan"),
    },
    "input": {
        "power_fail": _l("Power fails"), "on_battery": _l("On battery"), "battery_low": _l("Battery low"),
    },
    "supply": {"usb": _l("Supply from the box"), "line": _l("Supply of the line")},
    "relay sense": {                              # SENSES of firmware.control
        "joined": _l("The line is with the old PBX"), "box": _l("The line is with the box"),
        "moving": _l("The relay moves"),
    },
    "relay why": {                                # WHYS of firmware.control
        "no lease": _l("The box is not fit, or was not heard for too long: the relay fell back by itself."),
        "leased": _l("The box is fit and says so again and again."),
        "bypass": _l("People want it there: `branchline card relay` gives it back to the box."),
        "dwell": _l("It moved a moment ago and rests before it moves again."),
    },
    "card reset": {                               # RESETS of firmware.control
        "power-up": _l("power came"), "watchdog": _l("its watchdog bit"), "crash": _l("its firmware crashed"),
        "asked": _l("asked for"), "update": _l("new firmware"), "fallback": _l("back to the firmware before"),
    },
    "card trouble": {                             # TROUBLES of firmware.control
        "relay": _l("The relay's contacts are not where they should be: have the card replaced."),
        "temperature": _l("The card is too hot: let it cool, look at fan and dust."),
        "supply": _l("A supply of the card is out of its range: look at its cable and the power supply."),
    },
    "daemon": {
        "up": _l("running"), "late": _l("late"), "down": _l("down"), "never": _l("not started"),
    },
    "work": {
        "spand": _l("Lines and audio"), "trunkd": _l("Signalling"), "acdd": _l("Call centre"),
        "recordd": _l("Recordings"), "boxd": _l("Health of the box"), "webui": _l("Web pages"),
    },
    "trouble": {                                  # views.TROUBLES
        "realtime_refused": _l("Audio has no real-time priority: it may break up when the box is busy."),
        "memory_not_locked": _l("Audio's memory is not locked: it may break up when memory is short."),
        "ring_lacks_octets": _l("There is not enough memory to record all channels at once."),
        "ring_refused": _l("Audio was not recorded: the memory for it was full."),
        "failures": _l("A part of the audio engine failed: the log has which, and since when."),
        "lost_s": _l("Audio was lost before it was recorded: the box or its disk is too slow."),
        "backup_failed": _l("The last backup was not made or does not hold: see `branchline backup list`."),
        "backup_overdue": _l("A backup is overdue: see `branchline backup list`."),
    },
    "timing": {                                   # views.TIMING
        "late_ticks": _l("blocks of audio more than 10 ms late"),
        "tick_ms_p999": _l("work for a block of audio, ms (99.9 % within)"),
        "stall_s_max": _l("longest time the box stood still, s"),
        "slips": _l("blocks of audio repeated or left out (slips)"),
    },
    "recorder": {                                 # kinds of recordd's warnings: their headlines
        "disk-refuses": _l("The disk refuses recordings"), "slow-disk": _l("The disk is slow"),
        "low-space": _l("The disk gets full"), "quota": _l("Recordings have reached their quota"),
        "catalogue": _l("The catalogue of recordings cannot be used"),
        "unfinished": _l("Recordings cannot be finished"), "recordings-missing": _l("Recordings are missing"),
        "keys": _l("The chain was signed by another box"), "chain": _l("The chain is broken"),
        "rotation": _l("The change of the key stands still"),
        "import": _l("Older recordings were not taken in"),
        "unarchived": _l("The archive does not take recordings"),
        "unreadable": _l("Recordings cannot be read"), "erase": _l("Recordings could not be erased"),
        "retention": _l("Retention waits for the archive"),
        "facts": _l("Facts of recordings are not learnt"), "count": _l("Recordings are not counted"),
        "words": _l("The search is not kept tidy"), "older": _l("Older recordings were not taken in"),
        "life": _l("Retention does not run"), "archive": _l("The archive does not run"),
        "quality": _l("Quality's worklists are not made"), "lent": _l("What telephones heard is not cleared"),
        "vault": _l("Keys and chain are not looked after"),
    },
    "direction": {"in": _l("Inbound"), "out": _l("Outbound"), "internal": _l("Internal")},
    "way": {"in": _l("Inbound"), "out": _l("Outbound"), "internal": _l("Internal"), "missed": _l("Missed")},
    "preset": {
        "today": _l("Today"), "yesterday": _l("Yesterday"), "last-week": _l("Last week"),
        "last-month": _l("Last month"), "dates": _l("Chosen days"),
    },
    "recording": {
        "kept": _l("on the box"), "archived": _l("in the archive only"), "erased": _l("erased"),
    },
    "mark": {
        "talk": _l("Talk goes on"), "hold": _l("On hold"), "consult": _l("Consulting"),
        "conference": _l("Conference"), "transfer": _l("Transfer"), "park": _l("Parked"),
        "forward": _l("Forwarded"), "outside": _l("Joined outside"), "survey": _l("Survey"),
        "message": _l("Voice message"), "queue": _l("Queue"), "ring": _l("Ringing"),
        "dial": _l("Dialling"), "flow": _l("Menu"), "callback": _l("Callback"),
        "paused": _l("Recording paused"), "resumed": _l("Recording goes on"),
        "asked": _l("Recording asked for"), "kept": _l("Kept"), "key": _l("Key"), "tag": _l("Tag"),
    },
    "policy": {"always": _l("always"), "never": _l("never"), "on-demand": _l("on demand")},
    "chain": {
        "recorded": _l("recorded"), "described": _l("facts fixed"), "altered": _l("altered in the database"),
        "listened": _l("listened"), "downloaded": _l("downloaded"),
        "shared": _l("shared"), "replay": _l("heard by telephone"), "exported": _l("exported"),
        "held": _l("held"), "released": _l("released"), "deleted": _l("deleted"),
        "discarded": _l("discarded"), "archived": _l("archived"), "prompt": _l("made a prompt"),
        "key-rotated": _l("key changed"), "key-destroyed": _l("old key destroyed"),
        "policy-changed": _l("policy changed"), "scored": _l("scored"), "appealed": _l("appealed against"),
        "revised": _l("revised"), "coached": _l("coaching note"), "note-read": _l("note read"),
        "calibration-begun": _l("calibration begun"), "form-published": _l("form published"),
    },
    "space": {
        "held": _l("held by cases"), "unarchived": _l("waiting for the archive"),
        "recordings": _l("other recordings"), "journal": _l("being recorded and written"),
        "others": _l("not of recordings"), "free": _l("free"),
    },
    "level": {
        "ok": _l("enough room"), "low": _l("room gets short"), "urgent": _l("little room"),
        "full": _l("full"),
    },
    "finding": {
        "missing": _l("missing"), "lost": _l("its file is gone"), "orphan": _l("of no contact"),
        "differs": _l("another length"), "altered": _l("altered in the database"),
    },
    "purge": {
        "daily": _l("daily"), "asked": _l("asked for"), "room": _l("for room"), "quota": _l("for the quota"),
    },
    "why known": {
        "answered": _l("Answered by"), "named": _l("Name given"), "diverted": _l("Diverted to"),
        "transferred": _l("Transferred to"),
    },
    "diversion": {                                # reasons of Q.931 4.6.7
        "0": _l("for a reason not told"), "1": _l("when busy"), "2": _l("when nobody answers"),
        "9": _l("out of order"), "10": _l("deflected by the person called"), "15": _l("always"),
    },
    "billing": {                                  # BillingId of EN 300 182-1
        "normalCharging": _l("normal charging"), "reverseCharging": _l("paid by the called party"),
        "creditCardCharging": _l("paid by card"),
        "callForwardingUnconditional": _l("for the diversion"), "callForwardingBusy": _l("for the diversion"),
        "callForwardingNoReply": _l("for the diversion"), "callDeflection": _l("for the diversion"),
        "callTransfer": _l("for the transfer"),
    },
    "evaluation": {
        "draft": _l("draft"), "submitted": _l("submitted"), "acknowledged": _l("seen by the agent"),
        "appealed": _l("appealed against"), "decided": _l("appeal decided"),
    },
    "evaluation step": {
        "submit": _l("submitted"), "acknowledge": _l("seen by the agent"), "appeal": _l("appealed against"),
        "uphold": _l("appeal decided: the result stays"), "change": _l("appeal decided: another result"),
        "revise": _l("revised"),
    },
    "scores of": {
        "agent": _l("Agent"), "group": _l("Group"), "queue": _l("Queue"), "form": _l("Form"),
        "item": _l("Item"), "scorer": _l("Scorer"),
    },
    "scores per": {
        "day": _l("Day"), "week": _l("Week"), "month": _l("Month"), "quarter": _l("Quarter"),
        "year": _l("Year"),
    },
    "why not drawn": {                            # after a number of calls
        "short": _l("too short"), "long": _l("too long"), "queue": _l("of other queues"),
        "direction": _l("of the other direction"), "disposition": _l("with other results"),
        "no-scorer": _l("nobody may score this agent"), "no-form": _l("the form is not published"),
    },
    "form file": {
        "published": _l("published"), "changed": _l("changed since it was published"),
        "new": _l("not published"), "wrong": _l("wrong"),
    },
    "entry": {                                    # of Reasons in appliance.centre.entry
        "no rule takes it, and centre.inbound has no such number":
            _l("no rule takes it, and centre.inbound has no such number"),
        "for every call": _l("for every call"),
        "trunk {trunk}": _l("trunk {trunk}"),
        "called {number} is {numbers}": _l("called {number} is {numbers}"),
        "the caller shows a number": _l("the caller shows a number"),
        "the caller shows no number": _l("the caller shows no number"),
        "caller {caller} is {numbers}": _l("caller {caller} is {numbers}"),
        "caller {caller} is in {regions}": _l("caller {caller} is in {regions}"),
        "caller {caller} is in list {list}{about}": _l("caller {caller} is in list {list}{about}"),
        "without a number{region}": _l("without a number{region}"),
        "centre.inbound: {number} on trunk {trunk}": _l("centre.inbound: {number} on trunk {trunk}"),
        "calendar {calendar} is open: {why}": _l("calendar {calendar} is open: {why}"),
        "calendar {calendar} is closed: {why}": _l("calendar {calendar} is closed: {why}"),
        "{weekday} {day} {hours}{why}": _l("{weekday} {day} {hours}{why}"),
        "{weekday} {day}{why}: hours {hours}": _l("{weekday} {day}{why}: hours {hours}"),
        "{weekday} {day}{why}: closed": _l("{weekday} {day}{why}: closed"),
        " (working day in place of a holiday: hours of {weekday})":
            _l(" (working day in place of a holiday: hours of {weekday})"),
        " (the working weekends of {year} are not known here: list them in days)":
            _l(" (the working weekends of {year} are not known here: list them in days)"),
        " ({note}: hours of {weekday})": _l(" ({note}: hours of {weekday})"),
        " ({note})": _l(" ({note})"),
        "listed in days": _l("listed in days"),
        "opened by {by}": _l("opened by {by}"),
        "closed by {by}": _l("closed by {by}"),
        "opened by {by} until {until}": _l("opened by {by} until {until}"),
        "closed by {by} until {until}": _l("closed by {by} until {until}"), "mon": _l("mon"),
        "tue": _l("tue"), "wed": _l("wed"), "thu": _l("thu"), "fri": _l("fri"), "sat": _l("sat"),
        "sun": _l("sun"),
        "the command line": _l("the command line"),
    },
    "who asked": {"": _l("the command line"), "telephone": _l("a telephone")},
    "leg": {"caller": _l("Caller"), "agent": _l("Agent"), "called": _l("Called party")},
    "party": {"caller": _l("Caller"), "agent": _l("Agent"), "box": _l("This box"), "line": _l("Line")},
    "cause": {                                    # Q.850 table 1, in the words of isdn.ladder.names
        "1": _l("Unallocated (unassigned) number"), "2": _l("No route to specified transit network"),
        "3": _l("No route to destination"), "4": _l("Send special information tone"),
        "5": _l("Misdialled trunk prefix"), "6": _l("Channel unacceptable"),
        "7": _l("Call awarded and being delivered in an established channel"), "8": _l("Preemption"),
        "9": _l("Preemption, circuit reserved for reuse"), "14": _l("Query on release: ported number"),
        "16": _l("Normal call clearing"), "17": _l("User busy"), "18": _l("No user responding"),
        "19": _l("No answer from user (user alerted)"), "20": _l("Subscriber absent"),
        "21": _l("Call rejected"), "22": _l("Number changed"), "23": _l("Redirection to new destination"),
        "25": _l("Exchange routing error"), "26": _l("Non-selected user clearing"),
        "27": _l("Destination out of order"), "28": _l("Invalid number format (address incomplete)"),
        "29": _l("Facility rejected"), "30": _l("Response to STATUS ENQUIRY"),
        "31": _l("Normal, unspecified"), "34": _l("No circuit/channel available"),
        "38": _l("Network out of order"), "39": _l("Permanent frame mode connection out of service"),
        "40": _l("Permanent frame mode connection operational"), "41": _l("Temporary failure"),
        "42": _l("Switching equipment congestion"), "43": _l("Access information discarded"),
        "44": _l("Requested circuit/channel not available"), "46": _l("Precedence call blocked"),
        "47": _l("Resource unavailable, unspecified"), "49": _l("Quality of service not available"),
        "50": _l("Requested facility not subscribed"), "53": _l("Outgoing calls barred within CUG"),
        "55": _l("Incoming calls barred within CUG"), "57": _l("Bearer capability not authorized"),
        "58": _l("Bearer capability not presently available"),
        "62": _l("Inconsistency in designated outgoing access information and subscriber class"),
        "63": _l("Service or option not available, unspecified"),
        "65": _l("Bearer capability not implemented"), "66": _l("Channel type not implemented"),
        "69": _l("Requested facility not implemented"),
        "70": _l("Only restricted digital information bearer capability is available"),
        "79": _l("Service or option not implemented, unspecified"), "81": _l("Invalid call reference value"),
        "82": _l("Identified channel does not exist"),
        "83": _l("A suspended call exists, but this call identity does not"),
        "84": _l("Call identity in use"), "85": _l("No call suspended"),
        "86": _l("Call having the requested call identity has been cleared"),
        "87": _l("User not member of CUG"), "88": _l("Incompatible destination"),
        "90": _l("Non-existent CUG"), "91": _l("Invalid transit network selection"),
        "95": _l("Invalid message, unspecified"), "96": _l("Mandatory information element is missing"),
        "97": _l("Message type non-existent or not implemented"),
        "98": _l("Message not compatible with call state or message type non-existent or not implemented"),
        "99": _l("Information element/parameter non-existent or not implemented"),
        "100": _l("Invalid information element contents"),
        "101": _l("Message not compatible with call state"), "102": _l("Recovery on timer expiry"),
        "103": _l("Parameter non-existent or not implemented, passed on"),
        "110": _l("Message with unrecognized parameter, discarded"), "111": _l("Protocol error, unspecified"),
        "127": _l("Interworking, unspecified"),
    },
}


def word(value: str | int, kind: str) -> str:
    """The word for `value` in the reader's language."""
    return str(WORDS[kind].get(str(value), value))


def sentence(told: Sentence) -> str:
    """In the reader's language."""
    return word(told.words, "entry").format(**{
        name: value if isinstance(value, str) else sentence(value) for name, value in told.values.items()})


def number(digits: str, withheld: bool = False) -> str:
    """A telephone number, or why there is none."""
    return digits or (gettext("withheld") if withheld else gettext("no number"))


def charge(told: Charge) -> str:
    """Units, money, or that there is none or cannot be told."""
    if told.amount_thousandths is not None:
        text = f"{told.amount_thousandths / 1000:.3f}".removesuffix("0")
        return f"{text} {told.currency}".rstrip()
    if told.units is not None:
        return str(ngettext("%(num)d unit", "%(num)d units", told.units))
    return str(gettext("free of charge") if told.free else gettext("the network cannot tell"))


def duration(seconds: float) -> str:
    """0:07, 12:34, 1:02:03. live.js writes the same."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def moment(at: float) -> str:
    """Date and time of day where the box stands."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def day(at: float) -> str:
    """The day of UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def clock(at: float) -> str:
    """Time of day where the box stands."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


def clock_ms(at: float) -> str:
    """Time of day where the box stands, with milliseconds."""
    return datetime.fromtimestamp(round(at, 3)).strftime("%H:%M:%S.%f")[:-3]


def since(at: float) -> str:
    """How long ago, now."""
    return duration(time.time() - at)


def mebibytes(octets: int) -> str:
    return f"{octets / 1048576:.0f} MiB"


def octets(number: float) -> str:
    """1.2 GB: units of 1000, as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def count_of(number: int) -> str:
    """12,345"""
    return f"{number:,}"


def now() -> str:
    """The box's clock for live.js, Unix time in seconds."""
    return f"{time.time():.3f}"
