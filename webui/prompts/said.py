"""What recordd and acdd say of prompts, in the reader's language; what is not known here stays as it is."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

_CONVERT = r"save it as WAV or MP3 in the program that it comes from"

# Whole sentences, as appliance.recording.prompts and appliance.centre.studio have them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"it is (?P<what>.+): WAV, AIFF, .* are taken: " + _CONVERT,
     _l("The file is %(what)s. WAV, AIFF, AU, FLAC, Ogg (Vorbis, Opus), MP3 and CAF are taken: save it as "
        "WAV or MP3 in the program that it comes from.")),
    (r"it begins as a sound file and is none that can be read \(.*\): .*",
     _l("The file begins as a sound file and is none that can be read: save it as WAV or MP3 in the program "
        "that it comes from.")),
    (r"it is damaged after (?P<s>[\d.]+) s \(.*\): bring it again",
     _l("The file is damaged after %(s)s s: bring it again.")),
    (r"it is longer than (?P<s>\d+) s: shorten it", _l("It is longer than %(s)s s: shorten it.")),
    (r"it has no sound in it: bring another", _l("There is no sound in the file: bring another.")),
    (r"it has (?P<n>\d+) samples a second: .*",
     _l("The file has %(n)s samples a second: save it with 8000 to 48000.")),
    (r"it has (?P<n>\d+) channels: .*", _l("The file has %(n)s channels: save it with one or two.")),
    (r"(the file takes|it takes) (more time or memory|more memory|too long).*",
     _l("The file takes more time or memory than a sound file may, or is damaged: save it as WAV, and bring "
        "that.")),
    (r"the file has \d+ octets: (?P<most>\d+) MiB are the most",
     _l("The file is too large: %(most)s MiB are the most.")),
    (r"(the file is not here any more|another file took its place|the file is longer than it was said to be)"
     r": bring it again", _l("The file did not arrive as a whole: choose it again.")),
    (r"the disk has no room for it: free some space", _l("The disk has no room for it: free some space.")),
    (r"nothing is heard in it: bring another sound", _l("Nothing is heard in it.")),
    (r"nothing was said: record it again", _l("Nothing was said: record it again.")),
    (r"from (?P<first>-?\d+) to (?P<last>\d+) ms: write a stretch of at least (?P<least>\d+) ms, it has "
     r"(?P<has>\d+)",
     _l("From %(first)s to %(last)s ms is no part of it: it has %(has)s ms, and %(least)s must be left.")),
    (r"(?P<level>\S+) dBm0: write (?P<least>\S+) to (?P<most>\S+)",
     _l("%(level)s dBm0 is no level for a prompt: write %(least)s to %(most)s.")),
    (r"text: has (?P<n>\d+) characters: 1 to (?P<most>\d+) are spoken",
     _l("The text has %(n)s characters: 1 to %(most)s are spoken.")),
    (r"(?P<what>\S+): (exit code .*|no sound after .*|No such file or directory): .*",
     _l("The speech engine %(what)s does not work: look at media.speech in the configuration.")),
    (r"the speech engine gave no sound: write another text",
     _l("The speech engine says nothing for this text: write another.")),
    (r"'(?P<name>.*)': is no prompt's name: .*",
     _l("%(name)s is no name for a prompt: write a to z, 0 to 9, - and /.")),
    (r"(?P<name>\S+): there is one of that name: choose another.*",
     _l("There is a prompt called %(name)s: choose another name.")),
    (r"(?P<name>\S+): there is no such prompt", _l("There is no prompt called %(name)s.")),
    (r"(?P<name>\S+): is used by (?P<what>.+): take it out there first",
     _l("%(name)s is used: take it out there first.")),
    (r"(?P<name>\S+): whether it is used cannot be seen while acdd is away: try again soon",
     _l("Whether %(name)s is used cannot be seen at this moment: try again soon.")),
    (r"\S+: the sound of version (?P<n>\d+) is not kept any more",
     _l("The sound of version %(n)s is not kept any more.")),
    (r"this sound is not kept any more: make it anew",
     _l("This sound was not kept, and is gone after an hour: make it anew.")),
    (r"(?P<at>.+): is no agent and no extension, and no rule of centre.outbound lets it be dialled",
     _l("%(at)s is no agent and no extension, and no rule for calls out lets it be dialled.")),
    (r"(?P<agent>.+): is ready for calls: not ready first",
     _l("%(agent)s is ready for calls: make this agent not ready first.")),
    (r"(?P<agent>.+): is logged out", _l("%(agent)s is logged out.")),
    (r"(?P<agent>.+): is (?!longer)[a-z ]*(telephone|talk|rung|ringing|reserved|call).*",
     _l("%(agent)s has a call.")),
    (r"(?P<n>\d+) prompts are being spoken already: wait until one of them ends",
     _l("%(n)s prompts are being spoken already: wait until one of them ends.")),
    (r"(?P<at>\S+): a prompt is being spoken there already",
     _l("At %(at)s a prompt is being spoken already.")),
    (r"the box is about to be updated: no call is begun until then",
     _l("The box is about to be updated: no call is begun until then.")),
    (r"nobody speaks that prompt any more", _l("Nobody speaks that prompt any more.")),
    (r"was not answered in (?P<s>\d+) s", _l("The telephone was not answered in %(s)s s.")),
    (r"the telephone was hung up", _l("The telephone was hung up before anything was kept.")),
    (r"the call ended with cause (?P<cause>\d+)", _l("The call ended with cause %(cause)s.")),
    (r"nobody confirmed it", _l("Nobody pressed 1 to keep it.")),
    (r"it was stopped", _l("It was stopped.")),
    (r"other files are being read: bring it again in a minute",
     _l("Other files are being read: bring it again in a minute.")),
    (r"what came of the call was lost inside the box",
     _l("What came of the call was lost inside the box: try again.")),
    (r"(?P<daemon>[a-z]+d) began anew", _l("%(daemon)s began anew: try again.")),
    (r"\S+: is not a WAV file; convert with: .*",
     _l("The file on the box is no WAV file: bring it here anew.")),
    (r"\S+: is (?P<what>\d+ Hz.*); convert with: .*",
     _l("The file on the box is of another kind (%(what)s): bring it here anew.")),
    (r"\S+: (is cut off: .*|its format chunk is too short; .*|has no audio that can be read; .*)",
     _l("The file on the box is damaged: bring it here anew.")),
    (r"\S+: has no audio: record it again", _l("There is no sound in it: record it again.")),
    (r"\S+: larger than (?P<most>\d+) MiB: shorten it", _l("It is larger than %(most)s MiB: shorten it.")),
    (r"\S+: leads out of .*", _l("The file on the box is a link that leads elsewhere: copy it there.")),
    (r"\S+: (?P<what>.+): record it or correct the prompt's name",
     _l("The file on the box cannot be read (%(what)s): record it anew.")),
    (r"this failed inside the box: its log says why", _l("This failed inside the box: its log says why.")),
)

# Parts of sentences; names of formats are the same everywhere.
KINDS: dict[str, LazyString] = {
    "a ZIP archive": _l("a ZIP archive"), "a RAR archive": _l("a RAR archive"),
    "a 7z archive": _l("a 7z archive"), "a PDF": _l("a PDF"), "a program": _l("a program"),
    "a picture": _l("a picture"), "a video": _l("a video"),
    "no kind of file that is known here": _l("of a kind that nobody here knows"),
}

_COMPILED = tuple((re.compile(pattern, re.DOTALL), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            named = {name: str(KINDS.get(value, value)) for name, value in found.groupdict().items()}
            return str(words) % named if named else str(words)
    return text
