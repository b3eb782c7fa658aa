"""Who has no key at hand signs in with a password and the code of an app, both at once.

Ref: RFC 9106 (Argon2id), RFC 6238 (TOTP: six digits, 30 seconds, SHA-1).
"""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.config.console import ConsolePersonConfig

STEP_S = 30
DRIFT_STEPS = 1                                   # a telephone's clock may be so far off, either way
MOST_SIGNS = 256                                  # of a password

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)      # 19 MiB for a moment


class Passwords:
    """`started_at`: Unix seconds; a code of before then may have been used before boxd began anew."""

    def __init__(self, started_at: float) -> None:
        self._first = int(started_at // STEP_S)   # codes of this step and before may be used up
        self._used: dict[str, int] = {}           # person -> step of the last code
        # A hash takes memory: one after the other, also where who wanted it has gone away meanwhile.
        self._one = ThreadPoolExecutor(1, "console-password")
        self._nobodys = pyotp.random_base32()

    async def right(self, person: ConsolePersonConfig | None, somebodys: str, password: str, code: str,
                    now: float) -> bool:
        """True once for each code. `person` None: nobody has that name; `somebodys` hash is then looked at
        for nothing, so that a name does not show by the time that it takes, nor does a right password."""
        kept = None
        if person is not None and person.password is not None and person.totp is not None:
            kept = person.password, person.totp
        hashed, secret = kept or (somebodys, self._nobodys)
        good = await asyncio.get_running_loop().run_in_executor(self._one, _verify, hashed, password)
        step = _step(secret, code, now)
        if person is None or kept is None or not good or step is None:
            return False
        if step <= max(self._used.get(person.name, 0), self._first):
            return False
        self._used[person.name] = step
        return True


def _verify(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password[:MOST_SIGNS]) and len(password) <= MOST_SIGNS
    except (VerificationError, InvalidHashError):
        return False


def _step(secret: str, code: str, now: float) -> int | None:
    """The step that `code` belongs to, of those around `now`."""
    digits = code.replace(" ", "")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    app, here = pyotp.TOTP(secret), int(now // STEP_S)
    fitting = [step for step in range(max(0, here - DRIFT_STEPS), here + DRIFT_STEPS + 1)
               if hmac.compare_digest(app.generate_otp(step), digits)]
    return max(fitting, default=None)
