"""The rules of designated care. Pure: no clock, no I/O."""
