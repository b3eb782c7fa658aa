"""Figures: what counts (counting), what each is (definitions), those of a time (report). Pure."""
