"""What keys of the document are called on the pages, and what they do. One without a row is its own name."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Of all kinds; what a kind calls otherwise is below with the kind before it.
LABELS: dict[str, LazyString] = {
    "name": _l("Short name"), "extension": _l("Extension"), "trunk": _l("Trunk"), "starts": _l("Starts as"),
    "skills": _l("Skills"), "agents": _l("Agents"), "queues": _l("Queues"), "groups": _l("Groups"),
    "rings": _l("Rings"), "rings.after_s": _l("After"), "rings.lower": _l("Lower to"),
    "rings.drop": _l("Drop"), "rings.agents": _l("These agents, too"),
    "rings.queues": _l("Who serves these, too"),
    "preferred": _l("Preferred skills"), "strategy": _l("Strategy"), "shares": _l("Shares"),
    "most_rung": _l("Telephones at a time"), "priority": _l("Priority"), "ageing_s": _l("Ageing"),
    "service_level.within_s": _l("Service level: within"), "service_level.percent": _l("Service level"),
    "reserve.agents": _l("Held in reserve"), "reserve.waiting": _l("Reserve: when so many wait"),
    "reserve.wait_s": _l("Reserve: when somebody waits"),
    "overflow": _l("Overflow"), "overflow.after_s": _l("Waited"), "overflow.waiting": _l("So many wait"),
    "overflow.estimate_s": _l("Expected to wait"), "overflow.no_agents": _l("Nobody logged in"),
    "overflow.to": _l("To queue"),
    "max_wait_s": _l("Longest wait"), "handling_s": _l("Handling time at first"), "music": _l("Music"),
    "position_every_s": _l("Position said every"), "say_wait": _l("Say the expected wait"),
    "comfort": _l("Comfort messages"), "ring_s": _l("Rings for"), "wrap_up_s": _l("Wrap-up"),
    "unavailable_s": _l("Pause after no answer"), "no_answer": _l("Who lets it ring"),
    "record": _l("Record"),
    "timezone": _l("Time zone"), "hours": _l("Hours"), "holidays": _l("Public holidays of"),
    "region": _l("Region"), "on_holidays": _l("Hours on holidays"),
    "working_day": _l("Make-up days have the hours of"), "days": _l("Exceptions"),
    "days.date": _l("Date"), "days.to": _l("Last day"), "days.hours": _l("Hours"), "days.like": _l("Like a"),
    "days.note": _l("What for"),
    "called": _l("Called number"), "queue": _l("Queue"), "flow": _l("Flow"), "node": _l("Node"),
    "agent": _l("Agent"), "direction": _l("Direction"), "percent": _l("Percent of the contacts"),
    "keep": _l("On demand, keep"), "format": _l("Format"), "announce": _l("Announcement"),
    "pause": _l("Who may pause"),
    "questions": _l("Questions"), "questions.name": _l("Short name"), "questions.prompt": _l("Prompts"),
    "questions.best": _l("Best answer"), "intro": _l("Introduction"), "invalid": _l("After a wrong key"),
    "thanks": _l("Thanks"), "timeout_s": _l("Waits for a key"), "retries": _l("Asked again"),
    "no_thanks": _l("Key that ends it"),
    "greeting": _l("Greeting"), "full": _l("When it is full"), "most_s": _l("Longest message"),
    "least_s": _l("Shortest message"), "silence_s": _l("Ends after silence of"),
    "end_key": _l("Key at the end"),
    "most": _l("Messages at most"), "tell": _l("Agents who are told"),
    "limit_s": _l("For at most"), "then": _l("Then"), "may": _l("May"),
    "surveys.queues": _l("After talks of these queues"), "surveys.percent": _l("Percent of these talks"),
    "voicemail.queue": _l("Queue that calls back"), "people.name": _l("Signs in as"),
    "people.agent": _l("Is agent"), "people.groups": _l("For these groups"),
    "targets.service_level.within_s": _l("Service level: within"),
    "targets.service_level.percent": _l("Service level"),
    "targets.short_abandon_s": _l("Gave up at once: within"),
    "targets.repeat_days": _l("Calls again: within"),
    "targets.answered_percent": _l("Answered"), "targets.abandonment_percent": _l("Given up, at most"),
    "targets.asa_s": _l("Average wait, at most"), "targets.aht_s": _l("Handling time, at most"),
    "targets.transfer_percent": _l("Transferred, at most"),
    "targets.fcr_percent": _l("Solved by the first call"),
    "targets.satisfaction_percent": _l("Satisfied callers"),
    "targets.ewt_error_percent": _l("Error of expected waits, at most"),
    "targets.occupancy_percent": _l("Occupancy of an agent, at most"),
    "order": _l("Order of service"), "grades": _l("Grades of customers"), "grades.name": _l("Grade"),
    "grades.more": _l("More priority"),
    "queues.agents": _l("Only these agents"), "queues.skills": _l("Required skills"),
    "queues.record": _l("Record the talks"), "surveys.questions": _l("Questions"),
}

HELP: dict[str, LazyString] = {
    "name": _l("a to z first, then a to z, 0 to 9 and -, at most 32 in all"),
    "extension": _l("number that rings the agent's telephone; empty: said at each log-in"),
    "starts": _l("state of an agent who is new"),
    "skills": _l("e.g. sales:5 en:3, level 1 (lowest) to 10"),
    "queues.agents": _l("none: everybody with its skills"),
    "queues.skills": _l("e.g. billing:5 language:3; language, region and grade are the contact's own"),
    "preferred": _l("of several free agents those with most of them are chosen first"),
    "rings": _l("what is asked for less, and who may serve more, when a contact has waited so long"),
    "strategy": _l("who of several free agents"),
    "shares": _l("of percentage: e.g. li:60 zhang:40; 100 in all"),
    "most_rung": _l("of ring-all"),
    "priority": _l("0 to 100, of contacts that bring none of their own"),
    "ageing_s": _l("so many seconds of waiting count as much as one level of priority"),
    "service_level.within_s": _l("contacts should be answered within so many seconds"),
    "service_level.percent": _l("so many percent of them"),
    "reserve.agents": _l("until the queue is in need: one of the next two is true"),
    "overflow": _l("the first row of which all that it gives is true sends the contact away; without a queue "
                   "the flow goes on"),
    "targets.short_abandon_s": _l("who hangs up so soon was not kept waiting: the service level leaves him "
                                  "out; 0: nobody"),
    "targets.repeat_days": _l("a call of the same number within so many days: the first one did not solve "
                              "it"),
    "targets.answered_percent": _l("of those who join a queue"),
    "targets.abandonment_percent": _l("who hang up or are turned away"),
    "targets.asa_s": _l("of the answered"), "targets.aht_s": _l("talk, hold and wrap-up, on average"),
    "targets.satisfaction_percent": _l("answers to after-call surveys that are 4 or 5"),
    "targets.ewt_error_percent": _l("against the waits that came"),
    "order": _l("by time of arrival and priority; or whoever is due first, by each queue's service level and "
                "how it is kept"),
    "grades": _l("as lists of numbers and entry rules name them; 0 to 100 is added to the queue's priority"),
    "max_wait_s": _l("over all queues, then the flow goes on; 0: no limit"),
    "handling_s": _l("of a contact, ring and wrap-up included, until the queue's own figures are known"),
    "music": _l("prompt repeated while waiting"),
    "position_every_s": _l("0: only at the beginning"),
    "comfort": _l("prompts said by turns after the position"),
    "ring_s": _l("at an agent's telephone"),
    "wrap_up_s": _l("agent's time after a talk"),
    "timezone": _l("e.g. Asia/Shanghai; empty: the box's own"),
    "holidays": _l("closed on its public holidays, open on make-up working days"),
    "region": _l("state or province by ISO 3166-2, where holidays differ"),
    "on_holidays": _l("e.g. 10:00-16:00; empty: closed"),
    "days": _l("they go before holidays and the week; without hours and weekday: closed"),
    "called": _l("regular expression of the whole number"),
    "recording.percent": _l("in place of Record; always the same contacts"),
    "node": _l("of that flow"),
    "announce": _l("prompt for who waits, before the talk"),
    "keep": _l("from then on, or from the talk's beginning"),
    "greeting": _l("a beep follows"),
    "silence_s": _l("0: it does not"),
    "limit_s": _l("empty: as long as it takes"),
    "people.name": _l("name of a person of these pages"),
    "people.agent": _l("empty: the agent of the same name"),
    "people.groups": _l("none: all agents"),
    "questions.best": _l("keys 1 (worst) to this one"),
}

# Of choices: what the document writes -> what people read.
CHOICES: dict[str, LazyString] = {
    "ready": _l("ready"), "logged-out": _l("logged out"), "not-ready": _l("not ready"), "pause": _l("paused"),
    "longest-idle": _l("longest idle"), "fewest-calls": _l("fewest calls"),
    "least-occupied": _l("least occupied"), "round-robin": _l("round robin"), "best-skill": _l("best skill"),
    "ring-all": _l("all at once"), "last-agent-first": _l("last agent first"),
    "percentage": _l("by shares"), "always": _l("every talk"), "never": _l("no talk"),
    "on-demand": _l("on demand"), "in": _l("incoming"), "out": _l("outgoing"), "internal": _l("internal"),
    "asked": _l("from then on"), "whole": _l("the whole talk"), "small": _l("small (Opus)"),
    "original": _l("original (WAV)"), "agent": _l("the agent"), "system": _l("a program"),
    "tell": _l("mark on the board"), "log-out": _l("end the shift"),
    "mon": _l("Monday"), "tue": _l("Tuesday"), "wed": _l("Wednesday"), "thu": _l("Thursday"),
    "fri": _l("Friday"), "sat": _l("Saturday"), "sun": _l("Sunday"),
    "first-come": _l("first come, first served"), "service-level": _l("who is due first"),
    "score": _l("score"), "see": _l("see"), "coach": _l("coach"), "decide": _l("decide appeals"),
    "calibrate": _l("calibrate"), "publish": _l("publish forms"),
    "cn": _l("China"), "hk": _l("Hong Kong"), "mo": _l("Macao"), "tw": _l("Taiwan"),
}

UNITS: dict[str, LazyString] = {"_s": _l("s"), "percent": _l("%"), "_days": _l("days")}

SHEET: dict[str, LazyString] = {                  # why a file, or a row of it, is not taken
    "too large": _l("The file is larger than 1 MB."),
    "no text": _l("The file is no text in UTF-8, UTF-16 or GB18030."),
    "no table": _l("The file is no table: a quotation mark is missing, or a cell is too long."),
    "empty": _l("There is nothing in the file."),
    "columns": _l("The first line has to name the columns: name, and those of the export."),
    "too many": _l("The file has more than 5000 rows."),
    "name": _l("no name: a to z first, then a to z, 0 to 9 and -"),
    "twice": _l("is in the file before, in line"),
    "date": _l("no day, e.g. 2027-10-01"),
    "last day": _l("the last day is before the first, or a year later"),
    "overlap": _l("there twice, also on"), "like": _l("= and a weekday, mon to sun, in place of hours"),
    "hours": _l("no hours of a day"), "note": _l("what for: at most 64 characters"),
    "level": _l("no skill with a level"),
    "rows": _l("more rows than a form may have"), "number": _l("no number"),
    "grade": _l("a grade is there twice, or has no name or no number"),
    "truth": _l("neither true nor false"),
    "no agent": _l("there is no such agent"), "no group": _l("there is no such group"),
    "refused": _l("refused"),
}


def label(kind: str, key: str) -> str:
    return str(LABELS.get(f"{kind}.{key}", LABELS.get(key, key)))


def help_of(kind: str, key: str) -> str:
    return str(HELP.get(f"{kind}.{key}", HELP.get(key, "")))


def choice(value: str) -> str:
    return str(CHOICES.get(value, value))


def unit(key: str) -> str:
    return next((str(one) for end, one in UNITS.items() if key.endswith(end)), "")


def sheet(word: str) -> str:
    return str(SHEET.get(word, word))
