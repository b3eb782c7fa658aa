"""The bench of boxd's flows: `branchline flow bench` draws, edits and tries one text after the other."""
