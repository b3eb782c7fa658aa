"""The box's disk: what takes how much of it, how worn it is, when it is full."""
