"""Many inputs in parts, each in a process of its own."""

import logging
import multiprocessing
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.run import run
from tests.fuzz.targets import load

Part = tuple[str, int, int, Path]                 # target, inputs, seed, folder of those that fail
Result = tuple[str, int, float, str]              # target, inputs, seconds, what was found or nothing


def run_parts(parts: list[Part], jobs: int) -> Iterator[Result]:
    """In their order."""
    if jobs == 1 or len(parts) == 1:
        yield from map(run_part, parts)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, quiet) as pool:
        yield from pool.imap(run_part, parts)


def quiet() -> None:
    """Whatever warns fails, and what is logged of bad input is not read."""
    warnings.simplefilter("error")
    logging.disable()


def run_part(part: Part) -> Result:
    name, count, seed, folder = part
    began = time.monotonic()
    failure = run(load(name), count, seed, folder)
    found = ""
    if failure is not None:
        found = "".join(traceback.format_exception(failure.error)) + (
            f"{name}: failed on {len(failure.data)} octets, kept in {failure.kept}:\n{failure.data.hex()}")
    return name, count, time.monotonic() - began, found
