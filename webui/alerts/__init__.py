"""Alerts: rules that people write, what is raised by them, and who is told how."""
