"""Words for the values that the bus carries. One table per kind; an unknown value is shown as it is."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask_babel import LazyString, get_translations, gettext, ngettext
from flask_babel import lazy_gettext as _l

from appliance.bus.messages import Charge, Sentence

MOST_WORDS = 4096                                 # that are kept

WORDS: dict[str, dict[str, LazyString]] = {
    "prompt made": {
        "text": _l("from a text"), "uploaded": _l("from a file"), "spoken": _l("by telephone"),
        "box": _l("came with the box"), "unknown": _l("put there on the box"),
    },
    "prompt act": {
        "found": _l("was there"), "put": _l("kept"), "copied": _l("copied"),
        "moved": _l("renamed"), "restored": _l("had again"), "deleted": _l("deleted"),
    },
    "prompt step": {
        "ringing": _l("the telephone rings"), "prompting": _l("lifted: the box says what to do"),
        "recording": _l("recording: end with #"), "playing": _l("it is heard again"),
        "asking": _l("1 keep, 2 hear again, 3 record anew"), "kept": _l("kept"), "failed": _l("not kept"),
    },
    "prompt use": {
        "flow": _l("flow"), "values": _l("value in a flow"), "queue": _l("queue"),
        "waiting": _l("place in line"),
        "callbacks": _l("callbacks"), "voicemail": _l("voicemail"), "survey": _l("survey"),
        "recording": _l("recording"), "entry": _l("announcement at the entry"),
    },
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
    "channel direction": {"in": _l("incoming only"), "out": _l("outgoing only")},
    "share direction": {"in": _l("incoming"), "out": _l("outgoing"), "both": _l("both ways")},
    "hunting": {
        "balanced": _l("the span with most free channels"), "ascending": _l("lowest free channel"),
        "descending": _l("highest free channel"), "longest-idle": _l("channel that has rested longest"),
        "round-robin": _l("one after the other"),
    },
    "slip category": {                            # G.822
        "a": _l("as on a good line"), "b": _l("more than a good line has"), "c": _l("too many"),
    },
    "line test": {
        "bert": _l("Bit errors"), "loop": _l("Loop for the far end"), "verdict": _l("Whose fault is it?"),
        "detect": _l("Detection of the settings"),
    },
    "line test state": {
        "borrowing": _l("takes the line"), "running": _l("runs"), "asking": _l("waits for you"),
    },
    "line test outcome": {
        "found": _l("found"), "line-down": _l("the line is down"), "looped": _l("there is a loop"),
        "silent": _l("the far end is silent"),
        "clean": _l("no error"), "errors": _l("errors"), "no-pattern": _l("no pattern came back"),
        "done": _l("done"), "stopped": _l("stopped"), "failed": _l("failed"),
        "broken-off": _l("broken off"), "us": _l("this box"), "cable": _l("the cable"),
        "telco": _l("the telephone company"), "far end": _l("the far end"),
        "nothing wrong": _l("nothing is wrong"), "cannot say": _l("cannot be said"),
    },
    "test pattern": {
        "prbs15": _l("PRBS 2^15-1"), "prbs11": _l("PRBS 2^11-1"), "qrss": _l("QRSS 2^20-1"),
        "ones": _l("all ones"), "alternating": _l("ones and zeros in turn"),
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
        "first-run": _l("First run: step"), "first-lines": _l("First run: lines set"),
        "first-numbers": _l("First run: numbers set"), "first-people": _l("First run: people set"),
        "test_call": _l("Test call placed"),
        "update": _l("Update begun"), "cancel": _l("Update cancelled"), "hurry": _l("Update hurried"),
        "confirm": _l("Version confirmed"), "back": _l("Sent back to the version before"),
        "support": _l("Diagnostics bundle made"), "identify": _l("Lights let blink"),
        "first": _l("Box provisioned"), "settings": _l("Settings changed"),
        "prompt-kept": _l("Prompt kept"), "prompt-restored": _l("Prompt restored"),
        "prompt-deleted": _l("Prompt deleted"), "prompt-copied": _l("Prompt copied or renamed"),
        "prompt-recorded": _l("Prompt recorded by telephone"),
        "prompt-stopped": _l("Recording by telephone stopped"),
        "token": _l("API token made"), "token-withdrawn": _l("API token withdrawn"),
        "notice": _l("Notice written"), "notice-withdrawn": _l("Notice withdrawn"),
        "notice-looks": _l("Colours of notices changed"),
        "notice-writers": _l("Who may write notices changed"),
        "alert-rule": _l("Alert rule changed"), "alert-removed": _l("Alert rule removed"),
        "alert-muted": _l("Alert rule muted"), "alert-tested": _l("Alert tried out"),
        "alert-seen": _l("Alert acknowledged"),
        "certificate": _l("Certificate put in"), "own-certificate": _l("Certificate made anew"),
        "centre-changed": _l("People and queues changed"),
        "centre-exported": _l("People or queues taken home"),
        "calendar-forced": _l("Calendar opened or closed by hand"),
        "configuration-edited": _l("Configuration: candidate changed"),
        "configuration-discarded": _l("Configuration: candidate discarded"),
        "configuration-committed": _l("Configuration committed"),
        "configuration-confirmed": _l("Configuration confirmed"),
        "configuration-reverted": _l("Configuration taken back"),
        "configuration-rolled-back": _l("Configuration rolled back"),
        "configuration-exported": _l("Configuration exported"),
        "flow-made": _l("Flow made"), "flow-changed": _l("Flow: draft changed"),
        "flow-discarded": _l("Flow: draft discarded"), "flow-published": _l("Flow published"),
        "flow-rolled-back": _l("Flow rolled back"),
        "network": _l("Network put on trial"), "keep-network": _l("Network kept"),
        "undo-network": _l("Network undone"), "time": _l("Clock set"), "reset": _l("Factory reset"),
        "set-up": _l("First administrator made"), "sign-in": _l("Sign-in"), "sign-out": _l("Sign-out"),
        "locked-out": _l("Locked out for guessing"), "refused": _l("Refused for want of a right"),
        "person-added": _l("Person added"),
        "person-changed": _l("Role or range changed"), "person-disabled": _l("Person disabled"),
        "person-enabled": _l("Person let in again"), "password-reset": _l("Password for once given"),
        "sessions-ended": _l("Sessions ended"), "factors-cleared": _l("Second factors taken away"),
        "log-checked": _l("Log checked"), "log-taken": _l("Log taken home"),
        "listen": _l("Recording heard"), "download": _l("Recording taken home"),
        "share": _l("Recording shared"), "export": _l("Bundle of recordings made"),
        "bundle-taken": _l("Bundle of recordings taken home"), "hold": _l("Recording held"),
        "release": _l("Recording released"), "erase": _l("Recording erased"),
        "chain-checked": _l("Chain of recordings checked"), "judge": _l("Evaluation begun"),
        "calibrate": _l("Calibration begun"), "coach": _l("Coaching note written"),
        "note-read": _l("Coaching note read"), "evaluation": _l("Evaluation changed"),
        "form-published": _l("Form published"), "trace-taken": _l("Signalling taken home"),
        "trace-caller": _l("Caller registered"), "seen": _l("Notice put away"),
        "support-taken": _l("Diagnostics bundle taken home"),
        "logs-taken": _l("Lines of the log taken home"),
        "maintenance": _l("Entry of the maintenance log"),
        "maintenance-taken": _l("Maintenance sheet taken home"),
        "self-check": _l("Round of the box begun"),
        "command": _l("Command of the console"),
        "what-if": _l("What-if begun"), "what-if-stopped": _l("What-if stopped or removed"),
        "what-if-taken": _l("Figures of a what-if taken home"),
        "backup-now": _l("Backup made now"), "backup-checked": _l("Backup checked"),
        "backup-passphrase": _l("Passphrase of backups set"),
        "restore-looked": _l("Backup looked at for a restore"), "restore": _l("Restore of a backup"),
        "restore-back": _l("Restore taken back"), "restore-cancelled": _l("Restore cancelled"),
        "restore-forgotten": _l("What a restore put aside removed"),
        "restored": _l("Box restored at its start"),
        "taken-back": _l("Restore taken back at the box's start"),
        "busy_out": _l("Channels taken out of use"), "bring_back": _l("Channels brought back"),
        "line_test": _l("Test of a line begun"), "line_test_steered": _l("Test of a line steered"),
        "report": _l("Report downloaded"), "report-saved": _l("Report saved"),
        "report-removed": _l("Report removed"), "report-made": _l("Report made now"),
        "report-file": _l("File of a report downloaded"),
        "second-factor": _l("Second factor"),
        "password": _l("Password changed"), "app-begun": _l("Code app: set-up begun"),
        "app-cancelled": _l("Code app: set-up cancelled"), "app-added": _l("Code app added"),
        "app-removed": _l("Code app removed"), "key-added": _l("Security key added"),
        "key-removed": _l("Security key removed"), "codes": _l("New recovery codes"),
        "session-ended": _l("Sessions ended"),
        "floor-arrange": _l("Arranged the own floor"), "floor-wall": _l("Kept or dropped a wall"),
        "floor-telephone": _l("Own telephone named"), "floor-listen": _l("Listened to a talk"),
        "floor-whisper": _l("Whispered to an agent"), "floor-barge": _l("Barged in on a talk"),
        "floor-stop": _l("Left a talk"), "floor-take-over": _l("Took a talk over"),
        "floor-end": _l("Ended a talk"), "floor-state": _l("Set an agent's state"),
        "floor-assign": _l("Shared the work out anew"),
        "floor-priority": _l("Set a caller's priority"), "floor-callback": _l("Had a caller called back"),
        "floor-close": _l("Wrote a missed call off"), "floor-cancel": _l("Cancelled a callback"),
    },
    "log level": {
        "debug": _l("detail"), "info": _l("information"), "warning": _l("warning"), "error": _l("error"),
    },
    "disk use": {
        "recordings": _l("recordings"), "events": _l("contacts and events"),
        "traces": _l("signalling traces"),
        "backup": _l("backups"), "updates": _l("updates"), "support": _l("diagnostics bundle"),
        "logs": _l("logs"), "others": _l("system and others"), "reserved": _l("kept for the system"),
        "free": _l("free"),
    },
    "disk kind": {
        "eMMC": _l("eMMC"), "SD card": _l("SD card"), "NVMe": _l("NVMe"), "disk": _l("disk"),
    },
    "disk wear": {
        "good": _l("good"), "worn": _l("worn"), "urgent": _l("worn out"), "unknown": _l("not told"),
    },
    "maintenance": {
        "record": _l("Record of the day"), "daily": _l("Daily round"), "weekly": _l("Weekly check"),
        "monthly": _l("Monthly check"), "repair": _l("Repair"), "change": _l("Change"),
        "correction": _l("Correction"), "weekly-check": _l("Weekly round of the box"),
        "monthly-check": _l("Monthly round of the box"), "signature": _l("Signature"),
    },
    "check result": {"good": _l("in order"), "bad": _l("not in order"), "skipped": _l("not looked at")},
    "round result": {"good": _l("in order"), "attend": _l("to be attended to"), "failed": _l("failed"),
                     "undone": _l("could not be done")},
    "clock source of day": {
        "ntp": _l("NTP"), "ptp": _l("PTP"), "rtc": _l("battery's clock"), "hand": _l("set by hand"),
        "unknown": _l("nobody vouches for it"),
    },
    "backup kind": {"now": _l("asked for"), "weekly": _l("weekly"), "monthly": _l("monthly")},
    "strategy": {
        "longest-idle": _l("longest idle"), "fewest-calls": _l("fewest calls"),
        "least-occupied": _l("least occupied"), "round-robin": _l("in turn"), "best-skill": _l("best skill"),
        "ring-all": _l("all ring"), "last-agent-first": _l("the agent of last time first"),
        "percentage": _l("by shares"),
    },
    "what-if figure": {
        "calls": _l("Calls"), "blocked": _l("Blocked: all channels busy"), "offered": _l("Offered"),
        "answered": _l("Answered"), "abandoned": _l("Abandoned"), "overflowed": _l("Overflowed"),
        "service_level": _l("Service level"), "abandonment": _l("Abandonment"), "asa_s": _l("ASA"),
        "wait_90_s": _l("Wait, 90 % at most"), "aht_s": _l("AHT"), "occupancy": _l("Occupancy"),
    },
    "rehearsal": {
        "waiting": _l("waits"), "running": _l("runs"), "done": _l("done"), "failed": _l("failed"),
        "stopped": _l("stopped"), "broken-off": _l("broken off: boxd was ended"),
    },
    "supervise": {"listen": _l("Listen"), "whisper": _l("Whisper"), "barge": _l("Barge in")},
    "supervising": {"listen": _l("listens"), "whisper": _l("whispers"), "barge": _l("is heard by all")},
    "left while": {                               # of a contact that nobody talked to
        "flow": _l("in the menu"), "queue": _l("in the queue"), "ring": _l("an agent's telephone rang"),
        "callback": _l("being called back"), "message": _l("leaving a message"),
    },
    "try": {                                      # of appliance.centre.callbacks.reaching
        "busy": _l("busy here"), "no answer": _l("no answer"), "machine": _l("a machine answered"),
        "wrong number": _l("wrong number"), "failed": _l("the call failed"), "refused": _l("refused"),
        "stopped": _l("stopped"),
    },
    "role": {                                     # ROLES of webui.access.roles
        "agent": _l("Agent"), "team_leader": _l("Team leader"), "quality": _l("Quality"),
        "supervisor": _l("Supervisor"), "installer": _l("Installer"), "auditor": _l("Auditor"),
        "admin": _l("Administrator"),
    },
    "account done": {                             # of what people do with their own account
        "password": _l("The password is changed. Your other sessions have ended."),
        "app-added": _l("The code app is set up."), "app-removed": _l("The code app is removed."),
        "key-added": _l("The security key is added."), "key-removed": _l("The security key is removed."),
        "codes": _l("The recovery codes are in force."), "session-ended": _l("Ended."),
    },
    "certificate": {                              # why one cannot serve
        "large": _l("This is larger than any certificate with its chain."),
        "none": _l("There is no certificate in it that can be read."),
        "no key": _l("The private key in it cannot be read."),
        "locked": _l("It has a password, and this is not it: type the one that it was made with."),
        "another key": _l("The certificate is for another key: put that key in, too, or let one be signed for"
                          " the request that this page gives."),
        "over": _l("The certificate is over, or the box's clock is wrong."),
        "weak": _l("The key or the signature is too weak for today's browsers: RSA of 2048 bits or a P-256"
                   " curve at least."),
    },
    "urgency": {                                  # of notices
        "normal": _l("normal: scrolls by"), "important": _l("important: stands until it was read"),
        "urgent": _l("very urgent: in mid-screen until it was read"),
    },
    "notice": {
        "waiting": _l("not yet"), "valid": _l("valid"), "over": _l("over"), "withdrawn": _l("withdrawn"),
    },
    "colour": {
        "grey": _l("grey"), "blue": _l("blue"), "green": _l("green"), "amber": _l("amber"), "red": _l("red"),
        "violet": _l("violet"),
    },
    "role does": {
        "agent": _l("own results of quality and own recordings"),
        "team_leader": _l("leads agents: live board, listening in, recordings, judging, reports"),
        "supervisor": _l("leads team leaders: also takes, shares and holds recordings, makes people"),
        "quality": _l("hears and judges calls of a range"),
        "installer": _l("lines, tests, configuration and the box; no recordings"),
        "auditor": _l("reads the log, the configuration and what is known of recordings; hears none"),
        "admin": _l("may do everything"),
    },
    "person refused": {
        "there are as many people as can be": _l("there are as many people as can be"),
        "somebody has this name already, or had it": _l("somebody has this name already, or had it"),
        "this is the last administrator without limits: make another first":
            _l("this is the last administrator without limits: make another first"),
    },
    "version state": {                            # of the configuration
        "committed": _l("committed"), "waiting": _l("waits to be confirmed"), "confirmed": _l("confirmed"),
        "rolled-back": _l("rolled back"),
    },
    "version kind": {                             # before a version's number, where it has one
        "found": _l("as it was found"), "edited": _l("edited on the box"), "commit": _l("a commit"),
        "rollback": _l("back to version"), "expired": _l("not confirmed in time, back to version"),
        "reverted": _l("taken back, to version"),
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
    "takes": {                                    # conditions of a rule of retention
        "all": _l("all"), "the others": _l("the others"), "queue": _l("queue"), "agent": _l("agent"),
        "trunk": _l("trunk"), "tag": _l("tag"), "kind": _l("kind"), "direction": _l("direction"),
    },
    "chain value": {
        "stored": _l("as it is kept"), "listen": _l("listening"), "download": _l("taking home"),
        "share": _l("sharing"), "replay": _l("replay at a telephone")},
    "chain fact": {
        "agent": _l("agent"), "all": _l("all"), "at": _l("at"), "began_at": _l("began"),
        "bundle": _l("bundle"), "calibration": _l("calibration"), "case": _l("case"), "digest": _l("digest"),
        "facts": _l("facts"), "form": _l("form"), "from": _l("from"), "format": _l("format"),
        "gap_ticks": _l("gap, ticks"),
        "imported": _l("imported"), "key": _l("key"), "name": _l("name"), "note": _l("note"),
        "object": _l("object"), "octets": _l("octets"), "place": _l("place"), "purpose": _l("purpose"),
        "recordings": _l("recordings"), "rules": _l("rules"), "scorers": _l("scorers"),
        "sealed": _l("sealed"), "tick": _l("tick"), "ticks": _l("ticks"),
        "to": _l("to"),
        "until": _l("until"), "version": _l("version"), "what": _l("what"), "why": _l("why"),
    },
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
        "{first}, {rest}": _l("{first}, {rest}"), "{number}{region}": _l("{number}{region}"),
        "called {number} is not {numbers}": _l("called {number} is not {numbers}"),
        "caller {caller} is not {numbers}": _l("caller {caller} is not {numbers}"),
        "caller {caller} is not in {regions}": _l("caller {caller} is not in {regions}"),
        "caller {caller} is not in list {lists}{wanted}":
            _l("caller {caller} is not in list {lists}{wanted}"),
        " with grade {grades}": _l(" with grade {grades}"),
        "{rule}: not for trunk {trunk}": _l("{rule}: not for trunk {trunk}"),
        "{rule}: no: {why}": _l("{rule}: no: {why}"),
        "{rule}: takes it: {why}": _l("{rule}: takes it: {why}"),
        "{rule}: noted: {why}": _l("{rule}: noted: {why}"),
        "goes out: {digits} by trunk {trunk} (centre.outbound {pattern})":
            _l("goes out: {digits} by trunk {trunk} (centre.outbound {pattern})"),
        "refused with cause {cause}: no rule and no route has {number} on trunk {trunk}":
            _l("refused with cause {cause}: no rule and no route has {number} on trunk {trunk}"),
        "this number": _l("this number"),
        "priority {priority}": _l("priority {priority}"), "grade {grade}": _l("grade {grade}"),
        "language {language}": _l("language {language}"), "skills {skills}": _l("skills {skills}"),
        "region {region}": _l("region {region}"), "note {note}": _l("note {note}"),
        "noted: {noted}": _l("noted: {noted}"), "refused: {why}": _l("refused: {why}"),
        "rule {rule}: {place}": _l("rule {rule}: {place}"),
        "no rule: {place}: {why}": _l("no rule: {place}: {why}"),
        "forwarded to {number}{trunk}{after}": _l("forwarded to {number}{trunk}{after}"),
        " by trunk {trunk}": _l(" by trunk {trunk}"),
        "; unanswered: flow {flow}": _l("; unanswered: flow {flow}"),
        "flow {flow}": _l("flow {flow}"), "voicemail box {box}": _l("voicemail box {box}"),
        "hears {prompts}, then the end": _l("hears {prompts}, then the end"),
        "refused with cause {cause}": _l("refused with cause {cause}"),
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
    "restore count": {"contacts": _l("Contacts"), "recordings": _l("Recordings' records"),
                      "people": _l("People who may sign in"), "versions": _l("Versions of the configuration"),
                      "acts": _l("Entries of the log of what people did")},
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
    text = str(value)
    return _word(kind, text, get_translations()) if text in WORDS[kind] else text


@lru_cache(MOST_WORDS)
def _word(kind: str, value: str, language: Any) -> str:
    """`language`: the reader's, which str() of it goes by."""
    return str(WORDS[kind][value])


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
