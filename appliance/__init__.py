"""Branchline's daemons. docs/rooms.md says what lives where, tests/test_imports.py who may import whom."""
