"""Runs vecstore and its peers on the same data in one run, each in its own process, and compares them."""
