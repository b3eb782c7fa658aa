"""Asking root for a verb: the client's side, for boxd and for commands of root."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.box.privileged.verb import MOST_OCTETS, SOCKET, Order, Outcome, Progress, Value, VerbError

NOT_HERE = "this machine does not let Branchline do that: it is no installed box"

_Answer = msgspec.json.Decoder(Progress | Outcome)


async def ask(run_dir: Path, verb: str, arguments: msgspec.Struct | None = None,
              hear: Callable[[str, float], None] = lambda text, share: None) -> dict[str, Value]:
    """What the verb gives, however long it takes. VerbError: it was refused, or failed; why.

    It goes on when who asked goes away.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(run_dir / SOCKET, limit=MOST_OCTETS)
    except FileNotFoundError:
        raise VerbError(NOT_HERE) from None
    except OSError as error:
        raise VerbError(f"{run_dir / SOCKET}: {error.strerror}") from None
    try:
        order = Order(verb, msgspec.Raw(msgspec.json.encode(arguments or {})))
        writer.write(msgspec.json.encode(order) + b"\n")
        while line := await reader.readline():
            match _Answer.decode(line):
                case Progress(text, share):
                    hear(text, share)
                case Outcome(refused="", result=result):
                    return result
                case Outcome(refused=why):
                    raise VerbError(why)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise VerbError(f"{verb}: the answer cannot be read ({error})") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    raise VerbError(f"{verb}: ended without an answer: its log is in journalctl -t branchline-root")
