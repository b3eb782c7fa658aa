"""Work for many legs at once that one of them must not spoil for the others."""

from collections.abc import Callable, Sequence

from appliance.media.rtp.packet import Rows

Failed = list[tuple[int, Exception]]              # rows, and what their work raised


def each(rows: Rows | Sequence[int], work: Callable[[slice], object], failed: Failed) -> None:
    """`work` of a slice of `rows`: of all, and where that raises of each alone; who raises then has failed.

    The others' work may be done twice: it must do no harm.
    """
    try:
        work(slice(0, len(rows)))
    except Exception:
        for at, row in enumerate(rows):
            try:
                work(slice(at, at + 1))
            except Exception as error:
                failed.append((int(row), error))
