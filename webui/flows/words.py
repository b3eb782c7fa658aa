"""Kinds of nodes, their fields and ways, and what the editor's script says, in the reader's language."""

import re
from collections.abc import Iterable
from typing import Any

from flask_babel import LazyString, gettext, ngettext
from flask_babel import lazy_gettext as _l

GROUPS: dict[str, tuple[LazyString, tuple[str, ...]]] = {            # in the order of the palette
    "talk": (_l("Speak"), ("play", "say", "language")),
    "ask": (_l("Ask"), ("menu", "collect", "record", "authenticate", "survey")),
    "decide": (_l("Decide"), ("hours", "branch", "set", "lookup")),
    "connect": (_l("Connect"), ("queue", "transfer", "callback", "voicemail", "notice", "agent", "flow")),
    "end": (_l("End and more"), ("hangup", "return", "replay", "pause", "resume")),
}

KINDS: dict[str, tuple[LazyString, LazyString]] = {
    "play": (_l("Play"), _l("Plays prompts, then goes on.")),
    "say": (_l("Say a text"), _l("Speaks a text with the box's voice.")),
    "language": (_l("Language"), _l("Goes on in another language.")),
    "menu": (_l("Menu"), _l("Plays a prompt and waits for one key.")),
    "collect": (_l("Digits"), _l("Takes several digits into a variable.")),
    "record": (_l("Record"), _l("Records what the caller says.")),
    "authenticate": (_l("PIN check"), _l("Checks a customer number and a PIN.")),
    "survey": (_l("Survey"), _l("Asks the questions of a survey.")),
    "hours": (_l("Opening hours"), _l("Open or closed now, by a calendar.")),
    "branch": (_l("By conditions"), _l("Takes the first way whose condition holds.")),
    "set": (_l("Variables"), _l("Gives variables values.")),
    "lookup": (_l("Look up"), _l("Asks a database or a web service.")),
    "queue": (_l("Queue"), _l("Waits for a free agent.")),
    "transfer": (_l("Transfer"), _l("Rings an agent or a number.")),
    "callback": (_l("Callback"), _l("Promises to call back.")),
    "voicemail": (_l("Voicemail"), _l("Takes a message.")),
    "notice": (_l("Notice"), _l("Shows people a notice on their pages.")),
    "agent": (_l("Agent's state"), _l("Lets an agent log in, or be ready, by telephone.")),
    "flow": (_l("Other flow"), _l("Goes through another flow, then on.")),
    "hangup": (_l("Hang up"), _l("Ends the call.")),
    "return": (_l("Return"), _l("Goes back to the flow that led here.")),
    "replay": (_l("Replay"), _l("Plays recordings to who may hear them.")),
    "pause": (_l("Pause recording"), _l("From here on nothing is recorded and no key kept.")),
    "resume": (_l("Resume recording"), _l("Ends a pause of recording.")),
}

FIELDS: dict[str, LazyString] = {
    "prompt": _l("Prompts"), "text": _l("Text"), "barge_in": _l("A key interrupts it"),
    "timeout_s": _l("Waits for (s)"), "retries": _l("More tries"), "invalid": _l("After a wrong key"),
    "to": _l("Into the variable"), "least": _l("Fewest digits"), "most": _l("Most digits"),
    "terminator": _l("Key that ends it"), "inter_digit_s": _l("Between two digits (s)"),
    "secret": _l("Secret: never kept"), "valid": _l("Is right when"), "values": _l("Variables"),
    "source": _l("Source asked"), "send": _l("What is sent"), "results": _l("What is taken of the answer"),
    "language": _l("Language"), "by": _l("Who, or by what"), "calendar": _l("Calendar"),
    "queue": _l("Queue"), "overflow_s": _l("Leaves after (s)"), "priority": _l("Priority"),
    "grade": _l("Customer's grade"), "skills": _l("Skills asked for"), "agent": _l("Agent"),
    "trunk": _l("Trunk"), "number": _l("Number"), "ring_s": _l("Rings for (s)"),
    "record": _l("Is recorded"), "box": _l("Voicemail box"), "entry": _l("Asking for another number"),
    "survey": _l("Survey"), "most_s": _l("At most (s)"), "keep_as": _l("Becomes the prompt"),
    "confirm": _l("Asks whether to keep it"), "what": _l("Which recordings"),
    "reference": _l("Reference of the contact"), "others": _l("Other agents' talks, too"),
    "intro": _l("Before each"), "none": _l("When there is none"), "for_s": _l("For (s)"),
    "file": _l("Flow"), "cause": _l("Cause (Q.850)"), "customer": _l("Customer number"), "pin": _l("PIN"),
    "wrong": _l("After a wrong one"), "do": _l("What is done"), "reason": _l("Reason"),
    "urgency": _l("Urgency"), "group": _l("To which group (none: everybody)"),
    "every_s": _l("Not again for (s)"),
    "when": _l("Holds when"), "digits": _l("Keys"), "cases": _l("Conditions"),
}

OWN: dict[tuple[str, str], LazyString] = {        # what is another thing in this kind
    ("replay", "most"): _l("At most so many"), ("language", "by"): _l("or by an expression"),
    ("branch", "cases"): _l("Conditions"), ("agent", "do"): _l("What is done"),
    ("notice", "for_s"): _l("Is shown for (s)"),
}

WAYS: dict[str, LazyString] = {
    "next": _l("then"), "default": _l("otherwise"), "error": _l("error"), "failed": _l("failed"),
    "missing": _l("not found"), "refused": _l("if refused"),
    "open": _l("when open"), "closed": _l("when closed"),
}

CHOICES: dict[str, LazyString] = {
    "zh": _l("Chinese"), "en": _l("English"), "log-in": _l("log in"), "log-out": _l("log out"),
    "ready": _l("ready"), "not-ready": _l("not ready"), "own": _l("own talks"),
    "box": _l("a voicemail box"), "reference": _l("one contact"),
}

TEMPLATES: dict[str, LazyString] = {
    "menu": _l("Greeting, menu, queue"), "hours": _l("Opening hours, greeting, queue, message"),
    "empty": _l("Only a greeting"),
}

FOUND: dict[str, LazyString] = {
    "found": _l("found as a file"), "edited": _l("edited as a file"), "published": _l("published"),
    "rollback": _l("rolled back"),
}


def kind(name: str) -> str:
    return str(KINDS[name][0]) if name in KINDS else name


def about(name: str, told: str) -> str:
    return str(KINDS[name][1]) if name in KINDS else told


def group(name: str) -> str:
    return next((key for key, (_, kinds) in GROUPS.items() if name in kinds), "end")


def field(name: str, kind: str = "") -> str:
    """cases.0.when: of a part of a part."""
    if (kind, name) in OWN:
        return str(OWN[kind, name])
    return " · ".join(str(int(one) + 1) if one.isdigit() and name.startswith("cases.")
                      else str(FIELDS.get(one, one)) for one in name.split("."))


def end(told: str) -> str:
    """How a trial ended."""
    if not told:
        return ""
    if told.startswith("queue "):
        return str(gettext("The caller waits in the queue %(queue)s.", queue=told.removeprefix("queue ")))
    known = {
        "hangup": _l("The call has ended."), "rejected": _l("The call was refused."),
        "transfer": _l("A telephone rings for the caller."),
        "voicemail": _l("The caller leaves a message."), "survey": _l("The caller is asked the survey."),
        "callback": _l("The caller is promised a call."), "record": _l("The caller speaks.")}
    if told in known:
        return str(known[told])
    return str(gettext("It ends here: %(what)s", what=kind(told) if told in KINDS else told))


def version_kind(name: str) -> str:
    return str(FOUND.get(name, name))


def nodes(number: int) -> str:
    return str(ngettext("%(num)d node", "%(num)d nodes", number))


def uses(used_by: Iterable[str], document: Any) -> list[str]:
    """By what a flow is used, for people: a number, a rule's name, another flow's node. `document`: the
    configuration, whose keys these are."""
    return list(dict.fromkeys(_use(use, document) for use in used_by))


def _use(use: str, document: Any) -> str:
    file, there, node = use.partition(": nodes.")
    if there:
        return f"{file} → {node}"
    found: dict[str, Any] = {}
    part = document
    for key in re.findall(r"[^.\[\]]+", use):
        if isinstance(part, list):
            named = [one for one in part if isinstance(one, dict) and one.get("name") == key]
            part = named[0] if named else part[int(key)] if key.isdigit() and int(key) < len(part) else None
        else:
            part = part.get(key) if isinstance(part, dict) else None
        if isinstance(part, dict) and (part.get("called") or part.get("name")):
            found = part
    if found.get("called"):
        return str(gettext("number %(number)s", number=found["called"]))
    return str(gettext("rule %(name)s", name=found["name"])) if found.get("name") else use


def of_script() -> dict[str, object]:
    """What the script says. {0}, {1}: it puts something there."""
    return {
        "groups": [[name, str(text)] for name, (text, _) in GROUPS.items()],
        "order": {one: place for place, one in enumerate(
            one for _, kinds in GROUPS.values() for one in kinds)},
        "way_names": {name: str(text) for name, text in WAYS.items()},
        "choices": {name: str(text) for name, text in CHOICES.items()},
        **{key: str(text) for key, text in SCRIPT.items()}}


SCRIPT: dict[str, LazyString] = {
    "key": _l("key {0}"), "case": _l("condition {0}"), "more_digits": _l("another key"),
    "more_cases": _l("another condition"), "nowhere": _l("(nowhere)"), "not_given": _l("(not given)"),
    "yes": _l("yes"), "no": _l("no"), "default_is": _l("{0}, as nothing is said"),
    "name": _l("Node's name"), "start": _l("Calls begin here"), "set_start": _l("Let calls begin here"),
    "delete": _l("Delete"), "duplicate": _l("Duplicate"), "ways": _l("Where it leads"),
    "add": _l("Add"), "add_prompt": _l("Add a prompt"), "hear": _l("Hear {0}"), "take_away": _l("Take away"),
    "up": _l("Up"), "add_row": _l("Add a row"), "what_name": _l("Name of the row"),
    "what_value": _l("Content of the row"),
    "new_key": _l("Key"), "new_case": _l("Condition to hold"), "new_to": _l("leads to"),
    "choose_node": _l("Choose a node, or drag one out of the list at the left."),
    "chosen": _l("{0} nodes are chosen"), "says": _l("says: {0}"), "note": _l("Note in the file"),
    "moved": _l("{0} moved"), "added": _l("{0} added"), "deleted": _l("{0} deleted"),
    "renamed": _l("{0} is called {1} now"), "wired": _l("{0}, {1}: leads to {2}"),
    "unwired": _l("{0}, {1}: leads nowhere"), "undone": _l("Taken back"), "redone": _l("Done again"),
    "pasted": _l("{0} nodes put in"), "copied": _l("{0} nodes copied"), "saved": _l("Kept in the draft"),
    "kept_text": _l("The text is kept in the draft"), "tidied": _l("All nodes placed anew"),
    "node_is": _l("{0}: {1}, {2}"), "node_leads": _l("leads to {0}"), "node_wrong": _l("has a mistake"),
    "node_first": _l("calls begin here"), "no_way": _l("leads nowhere"),
    "in_order": _l("No mistakes: it can be published."),
    "mistakes": _l("Mistakes: {0}"), "line": _l("line {0}"), "whole": _l("the whole file"),
    "refused": _l("This was refused:"), "lost": _l("The box does not answer: nothing was changed."),
    "signed_out": _l("Your session has ended. Sign in again."),
    "reloaded": _l("Somebody changed it meanwhile: what is there now is shown."),
    "theirs": _l("{0} has changed or published it."), "show_it": _l("Show it as it is now"),
    "draft_of": _l("This is a draft of {0}: to be looked at only."), "take_over": _l("Take it over"),
    "is_published": _l("Version {0} is published: new calls go through it."),
    "bad_name": _l("A name has a to z, 0 to 9 and -, begins with a letter, at most 32 in all."),
    "taken": _l("There is a node called {0}."),
    "sure_discard": _l("Press again to throw the draft away"),
    "sure_take": _l("Press again to take the draft over"),
    "hears": _l("hears"), "pressed": _l("presses {0}"), "keyed": _l("keys in {0}"),
    "waits_key": _l("Waits for a key."), "waits_digits": _l("Waits for digits, # ends them."),
    "try_ended": _l("End"), "answer_of": _l("Answer of {0}"),
    "entered": _l("{0} came here"), "left_here": _l("{0} hung up here"),
    "no_traffic": _l("Nobody came through this flow in this time."), "is_new": _l("new"),
    "is_gone": _l("gone"), "is_changed": _l("changed"),
}
