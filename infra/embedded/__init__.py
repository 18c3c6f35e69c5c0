"""Servers of others, started as our own child processes."""
