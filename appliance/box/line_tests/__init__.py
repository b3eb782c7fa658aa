"""Tests of a line that people begin on its page: run on a lent line by a process of their own, and kept."""
