"""What if: days played again by a child process that never gets in the way of calls."""
