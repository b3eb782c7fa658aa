"""Notices to people on the pages: to whom, how urgent, from when until when, who has read them."""
