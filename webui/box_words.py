"""What boxd says of updates and settings, in the reader's language; what is not known here stays as it is."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Whole sentences as boxd has them, with what changes in them by name.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    # Driving an update: appliance.box.update.driving
    (r"waits for a quiet hour", _l("waits for a quiet hour")),
    (r"waits until the box has settled after its start",
     _l("waits until the box has settled after its start")),
    (r"the daemon of the trunks does not answer", _l("the daemon of the trunks does not answer")),
    (r"(?P<calls>\d+) calls are left", _l("calls that are left: %(calls)s")),
    (r"an emergency call goes on: it is waited for", _l("an emergency call goes on: it is waited for")),
    (r"starts slot (?P<slot>\w+)", _l("starts slot %(slot)s")),
    (r"calls (?P<number>\S+) on trunk (?P<trunk>\S+)", _l("calls %(number)s on trunk %(trunk)s")),
    (r"fetches (?P<file>\S+)", _l("fetches %(file)s")),
    (r"copies (?P<file>\S+)", _l("copies %(file)s")),
    (r"the box stopped while the new version was on trial, by a power cut or a crash: it is tried again",
     _l("the box stopped while the new version was on trial, by a power cut or a crash: it is tried again")),
    (r"by (?P<who>\S+)", _l("by %(who)s")),
    (r"confirmed by (?P<who>\S+)", _l("confirmed by %(who)s")),
    (r"sent back by (?P<who>\S+)", _l("sent back by %(who)s")),
    (r"it could not be confirmed: (?P<why>.+)", _l("it could not be confirmed: %(why)s")),
    # Its gate: appliance.box.update.gate
    (r"(?P<daemon>[a-z]+d|webui) (is late|is down|did not come up)", _l("%(daemon)s is not up")),
    (r"(?P<daemon>[a-z]+d|webui) does not answer", _l("%(daemon)s does not answer")),
    (r"the line of span (?P<span>\S+) is down", _l("the line of span %(span)s is down")),
    (r"the D-channel of span (?P<span>\S+) is down", _l("the D-channel of span %(span)s is down")),
    (r"all is as before", _l("all is as before")),
    (r"it was not as before for long enough to call", _l("it was not as before for long enough to call")),
    (r"no test call was made: update\.test_call is not set",
     _l("no test call was made: update.test_call is not set")),
    (r"the test call to (?P<number>\S+) on trunk (?P<trunk>\S+) was answered after (?P<after>[\d.]+) s and "
     r"heard at (?P<level>-?\d+) dBm0",
     _l("the test call to %(number)s on trunk %(trunk)s was answered after %(after)s s and heard at "
        "%(level)s dBm0")),
    (r"the test call to (?P<number>\S+) on trunk (?P<trunk>\S+): (?P<why>.+)",
     _l("the test call to %(number)s on trunk %(trunk)s: %(why)s")),
    # After a start: appliance.box.update.state
    (r"the new version did not decide in time: its watchdog started the old one",
     _l("the new version did not decide in time: its watchdog started the old one")),
    (r"the new version was started (?P<times>\d+) times and never came so far as to say so: it does not "
     r"start, or the power failed each time",
     _l("the new version was started %(times)s times and never came so far as to say so: it does not start, "
        "or the power failed each time")),
    # Refusals
    (r"this machine has no slots: its packages are updated as the others are \(apt\)",
     _l("This machine has no slots: its packages are updated with apt.")),
    (r"the slots are not known yet: try again in a moment",
     _l("the slots are not known yet: try again in a moment")),
    (r"an update is .* already: branchline update shows it", _l("an update goes on already")),
    (r"slot (?P<slot>\w+): holds nothing that can be started",
     _l("slot %(slot)s holds nothing that can be started")),
    (r"the new version is started already: branchline update back ends its trial",
     _l("the new version is started already: go back to end its trial")),
    (r"it is .*: nothing is waited for", _l("nothing is waited for at this moment")),
    (r"no update goes on", _l("no update goes on")),
    (r"slot (?P<slot>\w+) is confirmed already", _l("slot %(slot)s is confirmed already")),
    (r"no USB stick is there", _l("no USB stick is there: put one in the box and try again")),
    (r"(?P<device>\S+): no bundle \(\*\.raucb\) in its first folder",
     _l("%(device)s has no bundle (*.raucb) in its first folder")),
    (r"this machine does not let Branchline do that: it is no installed box",
     _l("This machine is no installed box: its name, network and clock are the system's.")),
    (r"this is not the box's claim code: it is on the label and the console",
     _l("this is not the box's claim code: it is on the label and the console")),
    (r"another code is being looked at: try again", _l("another code is being looked at: try again")),
    (r"no network is on trial: its time was over, or it was confirmed already",
     _l("no network is on trial: its time was over, or it was confirmed already")),
    (r"confirm it from the new address, (?P<own>.+), or on the console: this came to (?P<here>\S*)",
     _l("keep it from the new address, %(own)s, or on the console: you came by %(here)s")),
    (r"the clock follows NTP or PTP: it is not set by hand",
     _l("the clock follows NTP or PTP: it is not set by hand")),
    (r"the box's name is '(?P<name>[^']*)', not '.*': nothing is erased",
     _l("the box's name is %(name)s: nothing was erased")),
    (r"one is being made", _l("one is being made already: wait for it")),
    (r"a backup is opened and tried out", _l("The backup is opened and tried out.")),
    (r"the box is about to start anew", _l("The box is about to start anew.")),
    (r"(?P<calls>\d+) calls are left: the box starts anew after them",
     _l("Calls that are left: %(calls)s. The box starts anew after them.")),
    # Backups: appliance.box.backup.tending, place and making
    (r"there is no passphrase: set one with .*", _l("no passphrase is set yet: set it on the page Backups")),
    (r"backup\.path: is not set: .*",
     _l("no folder for backups is named: set backup.path in the configuration")),
    (r"about to begin", _l("about to begin")),
    (r"a backup \(\w+\) is being made", _l("a backup is being made")),
    (r"a restore of (?P<file>\S+) is being tried out", _l("a restore of %(file)s is being tried out")),
    (r"(?P<file>\S+) is being sent to the hub", _l("%(file)s is being sent to the hub")),
    (r"(a backup.*|a restore of .*|\S+ is being sent to the hub): wait until that is over",
     _l("another backup or trial goes on: wait until it is over")),
    (r"'.*': no such backup was made, or it is gone", _l("no such backup was made, or it is gone")),
    (r"(?P<path>\S+): is on the box's own disk: (nothing is mounted there now|it was unmounted).*",
     _l("%(path)s is on the box's own disk: the stick or the share is not there; plug it in or mount it, or "
        "set backup.mounted to false")),
    (r"(?P<path>\S+): No space left on device: .*",
     _l("%(path)s: there is no room on it; earlier backups are as they were")),
    (r"(?P<path>\S+): (?P<why>[^:]+): (backups are written there: .*|earlier backups are as they were)",
     _l("%(path)s cannot be written (%(why)s); earlier backups are as they were")),
    (r"(?P<path>\S+): (?P<free>\d+) MiB are free, (?P<wanted>\d+) are needed for a copy of (?P<file>\S+): .*",
     _l("the box's disk has %(free)s MiB free, a copy of %(file)s takes %(wanted)s: free some space")),
    (r"the backup: the passphrase does not open it: give the one that it was made with",
     _l("the passphrase does not open it: give the one that it was made with")),
    (r"the backup: it is sealed with another passphrase than the one that is kept here",
     _l("it is sealed with another passphrase than the box's present one: give that")),
    (r"this box has no key of its own backups: give the passphrase",
     _l("this box has no key of its own backups: give the passphrase")),
    (r"its trial was not good: restore an earlier one",
     _l("its trial was not good: restore an earlier one")),
    (r"it was made by Branchline (?P<theirs>\S+), this box has (?P<ours>\S+): update the box first",
     _l("it was made by Branchline %(theirs)s, this box has %(ours)s: update the box first")),
    (r"(?P<free>\d+) MiB of the disk are free, (?P<wanted>\d+) are needed .*: free space",
     _l("%(free)s MiB of the disk are free, %(wanted)s are needed: free some space")),
    (r"the box did not start anew, boxd did: nothing was restored",
     _l("the box did not start anew: nothing was restored")),
    (r"it was begun (?P<times>\d+) times and cut off each time: nothing was changed",
     _l("it was begun %(times)s times and cut off each time: nothing was changed")),
    (r"(?P<path>\S+): its disk is not there: nothing was changed",
     _l("%(path)s: its disk is not there: nothing was changed")),
    (r"(?P<path>\S+): is a link that another user made: remove it: nothing was changed",
     _l("%(path)s is a link that no administrator made: remove it; nothing was changed")),
    (r"what was looked at is not kept any more: look at the backup again",
     _l("what was looked at is not kept any more: look at the backup again")),
    (r"the box's name is '(?P<name>[^']*)', not '.*': nothing is restored",
     _l("the box's name is %(name)s: nothing was restored")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)


def told(text: str) -> str:
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return text
