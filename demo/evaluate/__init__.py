"""Compares three ways to search Python's language reference on questions written by hand."""
