"""The report's drawings: the chain from us to the far end with the guilty part marked, and the history."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from reportlab.lib.colors import Color, HexColor, white
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from e1_driver.testing.verdict import CHAIN, Fault, Verdict
from e1_driver.testing.verdict_texts import Language, party_name
from e1_driver.watch.bins import Bin, End

CHINESE = "STSong-Light"
RED, AMBER, GREEN, GREY, PALE = map(HexColor, ("#b3261e", "#b26a00", "#1b7f3b", "#5f6368", "#f1f3f4"))
LIGHT = HexColor("#dadce0")
QUARTERS = 96

_BARS = {"es": HexColor("#f2c14e"), "ses": HexColor("#e4572e"), "uas": HexColor("#3c4043")}


def _font(words: str, latin: str = "Helvetica") -> str:
    return latin if words.isascii() else CHINESE


class Chain(Flowable):
    """us - cable - telco - far end. Red with a cross: at fault; amber, a question mark: not ruled out."""

    def __init__(self, verdict: Verdict, language: Language, width: float) -> None:
        super().__init__()
        self.width, self.height = width, 46.0
        self._verdict, self._language = verdict, language

    def draw(self) -> None:
        canvas: Canvas = self.canv
        pitch = self.width / len(CHAIN)
        box, height = pitch * 0.78, 32.0
        for at, part in enumerate(CHAIN):
            left, (colour, sign) = at * pitch + (pitch - box) / 2, self._mark(part)
            canvas.setStrokeColor(GREY)
            canvas.setLineWidth(1.5)
            if at:
                canvas.line(left - (pitch - box), height / 2 + 6, left, height / 2 + 6)
            canvas.setStrokeColor(colour)
            canvas.setFillColor(colour if sign == "x" else PALE)
            canvas.setLineWidth(2 if sign else 1)
            canvas.roundRect(left, 6, box, height, 5, fill=1)
            canvas.setFillColor(white if sign == "x" else colour)
            name = party_name(part, self._verdict.evidence, self._language)
            canvas.setFont(_font(name, "Helvetica-Bold"), 10)
            canvas.drawCentredString(left + box / 2, 6 + height / 2 - 3.5, name)
            self._sign(canvas, sign, left + box, 6 + height, colour)

    def _mark(self, part: Fault) -> tuple[Color, str]:
        if part is self._verdict.fault:
            return RED, "x"
        if part in self._verdict.suspects:
            return AMBER, "?"
        return (GREEN, "v") if self._verdict.fault is Fault.NOTHING else (GREY, "")

    def _sign(self, canvas: Canvas, sign: str, x: float, y: float, colour: Color) -> None:
        if not sign:
            return
        canvas.setFillColor(white)
        canvas.setLineWidth(1.5)
        canvas.circle(x - 3, y - 2, 6.5, fill=1)
        if sign == "?":
            canvas.setFillColor(colour)
            canvas.setFont("Helvetica-Bold", 9)
            canvas.drawCentredString(x - 3, y - 5, "?")
        elif sign == "x":
            canvas.line(x - 5.5, y - 4.5, x - 0.5, y + 0.5)
            canvas.line(x - 5.5, y + 0.5, x - 0.5, y - 4.5)
        else:
            canvas.line(x - 6, y - 2, x - 3.5, y - 4.5)
            canvas.line(x - 3.5, y - 4.5, x, y + 0.5)


class History(Flowable):
    """Bars of the last 96 quarters of an hour, near end above, far end below; a grey band: not measured."""

    def __init__(
        self, quarters: Sequence[Bin], words: dict[str, str], width: float, zone: tzinfo | None,
    ) -> None:
        super().__init__()
        self.width, self.height = width, 132.0
        self._quarters, self._words, self._zone = quarters[-QUARTERS:], words, zone

    def draw(self) -> None:
        canvas: Canvas = self.canv
        newest = self._quarters[-1]
        first = newest.at - (QUARTERS - 1) * newest.length_s
        by_place = {(each.at - first) // newest.length_s: each for each in self._quarters}
        self._legend(canvas)
        for direction, base in (("near", 76.0), ("far", 16.0)):
            self._row(canvas, direction, base, by_place)
        canvas.setFillColor(GREY)
        canvas.setFont("Helvetica", 6.5)
        for place in range(0, QUARTERS + 1, 16):
            clock = datetime.fromtimestamp(first + place * newest.length_s, self._zone).strftime("%H:%M")
            canvas.drawCentredString(min(max(place / QUARTERS * self.width, 8), self.width - 8), 6, clock)

    def _row(self, canvas: Canvas, direction: str, base: float, by_place: dict[int, Bin]) -> None:
        height, step = 40.0, self.width / QUARTERS
        for place in range(QUARTERS):
            found = by_place.get(place)
            end: End | None = getattr(found, direction) if found else None
            if end is None or not end.measured_s:
                canvas.setFillColor(PALE)
                canvas.rect(place * step, base, step, height, stroke=0, fill=1)
                continue
            for name, colour in _BARS.items():
                if seconds := getattr(end, name):
                    bar = max(1.5, min(height, height * seconds / (found.length_s if found else 1)))
                    canvas.setFillColor(colour)
                    canvas.rect(place * step, base, step * 0.85, bar, stroke=0, fill=1)
        canvas.setStrokeColor(GREY)
        canvas.setLineWidth(0.5)
        canvas.line(0, base, self.width, base)
        canvas.setFillColor(GREY)
        canvas.setFont(_font(self._words[direction]), 7)
        canvas.drawString(0, base + height + 2, self._words[direction])

    def _legend(self, canvas: Canvas) -> None:
        left = self.width - 190
        for name, colour in (_BARS | {self._words["unmeasured"]: PALE}).items():
            canvas.setFillColor(colour)
            canvas.rect(left, self.height - 10, 7, 7, stroke=0, fill=1)
            canvas.setFillColor(GREY)
            canvas.setFont(_font(name), 7)
            canvas.drawString(left + 10, self.height - 9, name.upper() if name in _BARS else name)
            left += 40
