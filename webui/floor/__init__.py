"""The supervisor's floor: who waits, who works, why; and what a supervisor does about it."""
