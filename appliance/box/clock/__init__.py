"""The wall clock: what sets it, and how far it may be off. Intervals never hang on it: they are monotonic."""
