"""The board's devices as the kernel simulates them, in a guest: pins, buses, lights, clock, watchdogs."""
