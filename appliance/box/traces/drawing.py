"""A ladder as lines for a terminal: the box left, the far end right, the newest last."""

import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.box.commands.screen import padded, width
from appliance.box.commands.table import Language
from appliance.isdn.ladder import CAUSES, Fold, Rung, Step

ARROW_WIDTH = 29                                  # with both life lines
TIMES_WIDTH = 24
TEXT_WIDTH = 34                                   # of what is said beside the arrow; with less it goes below
LEAST_WIDTH = 60
HEADING = {"en": ("time", "seconds", "box", "far end"), "zh": ("时间", "秒", "本机", "对端")}
SIDES = {"en": ("network", "user"), "zh": ("网络侧", "用户侧")}
UPKEEP = {"en": "of upkeep", "zh": "帧链路维持"}


@dataclass(frozen=True, slots=True)
class Pen:
    """What lines are drawn with."""

    life: str = "│"
    line: str = "─"
    right: str = "▶"
    left: str = "◀"


UNICODE, ASCII = Pen(), Pen("|", "-", ">", "<")


def pen_for(encoding: str | None) -> Pen:
    """Boxes and arrows where the terminal's character set has them."""
    try:
        "".join((UNICODE.life, UNICODE.line, UNICODE.right, UNICODE.left)).encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return ASCII
    return UNICODE


class Drawing:
    """`since`: the moment that seconds are counted from; None: from the step before.

    Names of messages and elements, and what is in them, are the Recommendations' in either language.
    """

    def __init__(self, width: int, pen: Pen, since: float | None, details: bool = False,
                 language: Language = "en") -> None:
        self._width, self._pen, self._since = max(width, LEAST_WIDTH), pen, since
        self._details, self._before, self.language = details, since, language

    def heading(self, network_side: bool) -> str:
        clock, seconds, box, far = HEADING[self.language]
        here, there = SIDES[self.language][::1 if network_side else -1]
        left, right = f"{box} ({here})", f"{far} ({there})"
        return (f"{padded(clock, 14)}{padded(seconds, 8, right=True)}  {left}"
                f"{padded(right, ARROW_WIDTH - width(left), right=True)}")

    def lines(self, step: Step | Fold) -> Iterator[str]:
        """None for a single acknowledgement, which follows every message."""
        if isinstance(step, Fold) and step.count == 1:
            return
        times = f"{_clock(step.at)}  {self._after(step.at):>+8.3f}  "
        self._before = step.at if self._since is None else self._since
        if isinstance(step, Fold):
            count = f"{step.count} {UPKEEP[self.language]}"
            inside = padded(padded(count, (ARROW_WIDTH - 2 + width(count)) // 2, right=True), ARROW_WIDTH - 2)
            yield f"{times}{self._pen.life}{inside}{self._pen.life}"
            return
        said = self._said(step.rung)
        if self._width >= TIMES_WIDTH + ARROW_WIDTH + 2 + TEXT_WIDTH:
            texts = self._wrapped(said, self._width - TIMES_WIDTH - ARROW_WIDTH - 2)
            for number, text in enumerate(texts or [""]):
                arrow = self._arrow(step.rung) if number == 0 else self._life_lines()
                yield f"{times if number == 0 else ' ' * TIMES_WIDTH}{arrow}  {text}".rstrip()
        else:
            yield f"{times}{self._arrow(step.rung)}"
            yield from (" " * 4 + text for text in self._wrapped(said, self._width - 4))

    def _after(self, at: float) -> float:
        return at - (at if self._before is None else self._before)

    def _said(self, rung: Rung) -> list[str]:
        """Paragraphs."""
        said = [rung.text] if rung.text else []
        if not rung.message:
            said.insert(0, rung.link)
        elif self._details:
            said.append(f"layer 2: {rung.link}")
        if self._details:
            said += [f"{part.name}: {detail}" for part in rung.parts
                     if (detail := ", ".join(f"{what} {value}" for what, value in part.details))]
        return said

    def _wrapped(self, paragraphs: list[str], width: int) -> list[str]:
        return [line for text in paragraphs
                for line in textwrap.wrap(self._shown(text), width, subsequent_indent="  ",
                                          break_on_hyphens=False)]

    def _shown(self, text: str) -> str:
        text = printable(text)
        if self._pen is ASCII:
            text = text.replace(" ·", ";").encode("ascii", "replace").decode("ascii")
        return text

    def _arrow(self, rung: Rung) -> str:
        inside = ARROW_WIDTH - 3
        name = f" {rung.title} "[:inside]
        shaft = name.center(inside, self._pen.line)
        arrow = shaft + self._pen.right if rung.sent else self._pen.left + shaft
        return f"{self._pen.life}{arrow}{self._pen.life}"

    def _life_lines(self) -> str:
        return f"{self._pen.life}{' ' * (ARROW_WIDTH - 2)}{self._pen.life}"


def printable(text: str) -> str:
    """Nothing that a far end says may move the cursor."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _clock(at: float) -> str:
    milliseconds = round(at * 1000)
    return f"{time.strftime('%H:%M:%S', time.localtime(milliseconds // 1000))}.{milliseconds % 1000:03d}"


def as_json(step: Step | Fold) -> dict[str, object]:
    """For programs."""
    if isinstance(step, Fold):
        return {"at": step.at, "until": step.until, "upkeep": step.count}
    rung = step.rung
    return {
        "at": step.at, "sent": rung.sent, "frame": rung.kind, "link": rung.link, "again": rung.again,
        "message": rung.message, "call_ref": rung.call_ref, "ours": rung.ours, "text": rung.text,
        "elements": [{
            "name": part.name, "text": part.short, "details": dict(part.details), "at_octet": part.at,
            "cause": part.cause, "cause_text": CAUSES.get(part.cause or 0, ""), "fault": part.fault,
        } for part in rung.parts],
        "wrong": list(rung.wrong), "octets": rung.octets.hex(),
    }
