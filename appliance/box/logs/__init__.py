"""What the programs of the box wrote: found by program, level, time and words; cleaned as in a bundle."""
