"""Four kinds of failure, four types. A bad argument is ValueError, the line's is e1_driver.LineError."""


class BranchlineError(Exception):
    """Root of the errors below."""


class DecodeError(BranchlineError):
    """The peer's fault: octets that the Recommendation does not allow.

    `cause` is the Q.850 value to answer with, None to say nothing; `clause` says which rule was broken.
    """

    def __init__(self, cause: int | None, clause: str, text: str) -> None:
        super().__init__(f"{clause}: {text}")
        self.cause = cause
        self.clause = clause


class StateError(BranchlineError):
    """Our own fault or our caller's: asked for something that this state does not allow."""


class ConfigError(BranchlineError):
    """The operator's: names the file, the key and what to do. Its text is one line per mistake."""


class Unavailable(BranchlineError):
    """What a daemon needs of the machine is not there or unfit: a port, a file. One line for the operator."""
