"""The maintenance log: each day as the box saw it, entries and check lists of people. It only grows."""
