"""The branch rehearsed: the box's own engine in virtual time, fed from a scenario. Pure, but for load.py."""
