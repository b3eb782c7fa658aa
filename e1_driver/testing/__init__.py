"""Tests that an installer runs: patterns, bit errors, loops, the guided verdict and its PDF."""
