"""The first run: from a new box to its first call, step by step, and a page to be printed at its end."""
