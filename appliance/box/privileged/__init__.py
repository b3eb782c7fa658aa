"""What of the box needs root: a fixed table of verbs behind a socket that only boxd and root may use.

A connection is one act: a line of JSON in (`Order`), lines of JSON out: any `Progress`, then `Outcome`.
`asking.ask` is the client. Verbs are rows of `verbs.VERBS`, functions of their owners:

    class Install(msgspec.Struct, frozen=True, forbid_unknown_fields=True): ...     # its typed arguments
    def install(asked: Install, tell: Tell) -> dict[str, Value]: ...     # BranchlineError: why not

A verb runs as root in a process of its own, one at a time. No path comes from outside: only names of things
in folders that the verb knows.
"""
