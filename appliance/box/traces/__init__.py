"""What the D-channels said, found for people: by `branchline trace` and by the console."""
