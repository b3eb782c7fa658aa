"""Prompts: what callers hear, in each language; new ones from files, texts and telephones."""
