"""What is to be read on a page, and which of it nobody has translated into Chinese."""

import re
from collections.abc import Iterator

# All that is seen, and what is said to who does not see; not what is in another language, or is code. Ladders
# name messages and elements as Q.921 and Q.931 do, the log of what people did has arguments of addresses.
READ = """() => {
    const found = [];
    const other =
        "script, style, noscript, code, pre, kbd, textarea, [lang]:not([lang^=zh]), .ladder table, .what";
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const on = texts.currentNode.parentElement;
        if (on.closest(other)) continue;
        if (on.tagName === "OPTION" || on.checkVisibility({visibilityProperty: true}))
            found.push(texts.currentNode.data);
    }
    for (const name of ["title", "placeholder", "aria-label", "alt"])
        for (const on of document.querySelectorAll(`[${name}]`))
            if (!on.closest(other)) found.push(on.getAttribute(name));
    return [document.title, ...found];
}"""

_WORD = re.compile(r"[A-Za-z][\w'’./@:+=-]*", re.ASCII)
# Identifiers, abbreviations, units, daemons.
_NAMED = re.compile(r".*[\d_./@:=].*|[A-Z][A-Z-]*|.{1,2}|(?:acd|box|phone|record|span|trunk)d")

# What is called so in Chinese, too, and what is written so: days of a calendar, skills of a call, keys.
TERMS = frozenset({
    "AsyncAPI", "Branchline", "Ctrl+S", "Ctrl+Y", "Ctrl+Z", "Debian", "English", "EuroISDN", "Linux", "MiB",
    "Ogg", "OpenAPI", "Opus", "QSIG", "WebM", "Webhook", "Werkzeug", "Wireshark", "apt", "dBm0", "eMMC",
    "elsewhere", "fri", "grade", "language",
    "localhost", "mon", "opus", "region", "slips", "sun", "webui"})

# Names that the branch of these tests gave: people, queues, groups, lines, flows, prompts, tags, reasons.
NAMES = frozenset({
    "Anna", "admin", "anna", "bert", "billing", "boss", "branchline-pc", "chen", "closed",
    "dora", "east", "emil", "end", "fang", "few", "greeting", "greeting-spring", "hello", "holiday",
    "invoice", "kernel", "legal", "lunch", "main", "mei", "menu", "monthly", "music", "night", "office",
    "old-one", "opening", "pbx", "position", "position-end", "sales", "service", "shanghai",
    "stock-taking", "telco", "training", "vip", "wang", "welcome", "west", "zhang", "zhao"})

# Whole texts: the other names, of which a word might be one of ours, and what is typed as it stands.
TEXTS = frozenset({
    "National Day", "=cmd", "queue", "centre.inbound[0].flow", "Compute module carrier B", "a wrong import",
    "Service", "Service · 1", "校准 1 · Service", "Service · li", "Service · li · Branchline",
    "Greets as agreed", "Listens", "Matter", "Opening", "Solves it", "Verifies who calls",
    "auto / off / 2001:db8::10/64", "dhcp / off / 192.0.2.10/24", "https://…/branchline.raucb",
    "本机上的文件（*.backup）", "签名升级包（*.raucb）的位置"})


def not_translated(texts: list[str]) -> Iterator[str]:
    """Runs of words that are neither terms nor names."""
    for text in map(str.strip, texts):
        words = [one.strip("'’./@:+=-") for one in _WORD.findall(text)]
        ours = [one for one in words if not (_NAMED.fullmatch(one) or one in TERMS or one in NAMES)]
        if ours and " ".join(text.split()) not in TEXTS:
            yield " ".join(text.split())
