"""Several digits keyed in. Those of a hidden entry are in this process only: a restart forgets them."""

from appliance.centre import events
from appliance.centre.flow import Entry
from appliance.centre.nodes.base import mask, play, stop_play
from appliance.centre.state import HIDDEN, Contact
from appliance.centre.turn import Turn

_KEYED = ""                                       # in the memory, beside the names of secrets


def begin(turn: Turn, contact: Contact, entry: Entry, what: str = "", first: list[str] | None = None) -> None:
    """The prompt, after `first`; then digits are awaited. `what`: which of a node's entries."""
    turn.log(events.EntryBegun(what=what), contact)
    forget(turn, contact, _KEYED)
    mask(turn, contact, entry.hidden)
    play(turn, contact, [*(first or []), *entry.prompt])


def prompt_over(turn: Turn, contact: Contact, entry: Entry) -> None:
    if not contact.entered:
        turn.log(events.DigitAwaited(until=turn.now + entry.timeout_s), contact)


def key(turn: Turn, contact: Contact, entry: Entry, digit: str) -> str | None:
    """All digits, when this completes them; "" when they are too few; None while they are awaited."""
    if (contact.play and not entry.barge_in) or digit not in "0123456789*#":
        return None
    if _lost(turn, contact, entry):
        begin(turn, contact, entry, contact.entry)
        return None
    stop_play(turn, contact)
    if digit == entry.terminator:
        return _complete(turn, contact, entry)
    if _hidden(contact, entry):
        turn.log(events.HiddenDigit(), contact)
        secrets = turn.memory.secrets.setdefault(contact.record.contact, {})
        secrets[_KEYED] = secrets.get(_KEYED, "") + digit
    else:
        turn.log(events.Pressed(digit=digit), contact)
    if len(contact.entered) == entry.most:
        return _complete(turn, contact, entry)
    turn.log(events.DigitAwaited(until=turn.now + entry.inter_digit_s), contact)
    return None


def silence(turn: Turn, contact: Contact, entry: Entry) -> str | None:
    """The time is over: as key()."""
    if _lost(turn, contact, entry):
        begin(turn, contact, entry, contact.entry)
        return None
    return _complete(turn, contact, entry)


def secret(contact: Contact, entry: Entry) -> bool:
    """Nothing of what is keyed in may be kept: a secret, or a pause is, or was while it came."""
    return entry.secret or bool(contact.paused_until) or (not entry.hidden and HIDDEN in contact.entered)


def remember(turn: Turn, contact: Contact, name: str, value: str) -> None:
    """Until the contact ends, or this process."""
    turn.memory.secrets.setdefault(contact.record.contact, {})[name] = value


def recall(turn: Turn, contact: Contact) -> dict[str, str]:
    """The secrets of the contact by name."""
    secrets = turn.memory.secrets.get(contact.record.contact, {})
    return {name: value for name, value in secrets.items() if name != _KEYED}


def forget(turn: Turn, contact: Contact, name: str) -> None:
    turn.memory.secrets.get(contact.record.contact, {}).pop(name, None)


def shown(digits: str) -> str:
    """The digits; of a number like a payment card's the last four (13 to 19 digits, ISO/IEC 7812)."""
    return "*" * (len(digits) - 4) + digits[-4:] if 13 <= len(digits) <= 19 and _luhn(digits) else digits


def _complete(turn: Turn, contact: Contact, entry: Entry) -> str:
    digits = contact.entered
    if _hidden(contact, entry):
        digits = turn.memory.secrets.get(contact.record.contact, {}).get(_KEYED, "")
        forget(turn, contact, _KEYED)
    return digits if len(digits) >= entry.least else ""


def _lost(turn: Turn, contact: Contact, entry: Entry) -> bool:
    """Digits were keyed in before a restart."""
    kept = turn.memory.secrets.get(contact.record.contact, {}).get(_KEYED, "")
    return _hidden(contact, entry) and contact.entered != HIDDEN * len(kept)


def _hidden(contact: Contact, entry: Entry) -> bool:
    return entry.hidden or secret(contact, entry)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    if not digits.isdecimal():
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(one // 10 + one % 10 for one in doubled) % 10 == 0
