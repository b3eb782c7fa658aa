"""Pages of flows: their list and history, the editor's picture, trials, traffic."""
