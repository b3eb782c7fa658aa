"""What makes a new box the box of a branch: its name, network, clock and keys, from one document."""
