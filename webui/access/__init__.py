"""Who may do what: roles, ranges, the doors in front of every route."""
