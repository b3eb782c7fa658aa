"""What is kept of a line: failures, seconds, bins, history, clock source, D-channel frames, sound."""
