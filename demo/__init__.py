"""Answers questions about Python from the language reference that every CPython carries."""
