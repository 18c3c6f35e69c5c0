"""A pool's month of care, made up to the last position, with fraud planted and written down.

Independent of the services: it knows how carers work and how cheats cheat, and nothing of the
rules that find them. Everything follows from the seed: the same seed gives the same bytes, and
any day can be made without the days before it. Nobody in it exists.
"""
