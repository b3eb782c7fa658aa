"""Updates in two slots: the new version is tried out, shows itself, and stays or goes."""
