"""Flow files as versions with drafts. What knows flows is the bench, a process of its own: orders.py."""
