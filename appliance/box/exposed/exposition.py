"""Measures -> the text that Prometheus reads. Pure.

Ref: Prometheus text-based format, version 0.0.4.
"""

from collections.abc import Iterable
from math import isfinite, isnan

from appliance.box.telemetry.measure import Measure
from appliance.box.telemetry.seen import Seen


def exposition(measures: Iterable[Measure], seen: Seen) -> str:
    """One that has nothing to tell is not there at all."""
    lines: list[str] = []
    for measure in measures:
        samples = [f"{measure.name}{_labels(measure.labels, values)} {_figure(figure)}"
                   for values, figure in measure.read(seen)]
        if samples:
            lines += [f"# HELP {measure.name} {_help(measure.en)}", f"# TYPE {measure.name} {measure.kind}",
                      *samples]
    return "".join(line + "\n" for line in lines)


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Without one that is empty: to Prometheus it is the same."""
    told = [f'{name}="{_quoted(value)}"' for name, value in zip(names, values, strict=True) if value]
    return f"{{{','.join(told)}}}" if told else ""


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _figure(figure: float) -> str:
    if not isfinite(figure):
        return "NaN" if isnan(figure) else "+Inf" if figure > 0 else "-Inf"
    return str(int(figure)) if figure == int(figure) else repr(float(figure))
