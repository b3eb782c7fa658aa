"""Tables and paragraphs for a terminal of any width."""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

CANNOT_TELL = "cannot tell"
_PIECES = re.compile(r"[⺀-\uffef][，。：；、）]?\s*|[^\s⺀-\uffef]+\s*")
BARS = "▁▂▃▄▅▆▇█"


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = (), width: int = 80) -> list[str]:
    """Rows as columns, two spaces between; those of `right` end flush, lines are cut at `width`."""
    flush = set(right)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.rjust(size) if at in flush else cell.ljust(size)
                       for at, (cell, size) in enumerate(zip(row, widths, strict=True))) for row in rows)
    return [cut(line.rstrip(), width) for line in lines]


def cut(text: str, width: int) -> str:
    """`text`, with an ellipsis at its end when it was longer than `width`."""
    return text if len(text) <= width else text[:width - 1] + "…"


def paragraph(head: str, text: str, width: int, indent: int = 12) -> list[str]:
    """`text` wrapped behind `head`, its later lines indented. Between Chinese characters it may break too."""
    lines, line = [], head.ljust(indent)
    for word in _PIECES.findall(text):
        if printed(line + word.rstrip()) > width and line.strip() not in ("", head.strip()):
            lines.append(line.rstrip())
            line = " " * indent
        line += word
    return [*lines, line.rstrip()]


def printed(text: str) -> int:
    """Columns that `text` takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def bar(figure: float, full: float) -> str:
    """One character: _ for zero, else a bar as high as the figure's logarithm is of `full`'s."""
    if not figure:
        return "_"
    return BARS[min(len(BARS) - 1, int(math.log1p(figure) / math.log1p(full) * len(BARS)))]


def spoken_s(seconds: float) -> str:
    """Seconds as people write them: 0.5 s, 42 s, 12 min 5 s, 3 h 20 min."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest_s} s" if rest_s else f"{minutes} min"
