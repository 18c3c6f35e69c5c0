"""The bank of demo and tests: another house's system, with a process and a store of its own."""
