"""The configuration as versions: what is in force, its history, a candidate, commit, confirm, ways back."""
