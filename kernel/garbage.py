"""How often memory is searched for cycles: seldom, and never through what stays for good.

A program of ours loads packs and generated code once, and then makes many small objects that die
by themselves. With Python's own thresholds, made for programs of the nineties, an import of
contributions spent half of its processor time looking for cycles that are not there.
"""

import gc

EVERY = 50_000  # new objects between two searches: some milliseconds each
OLDER_EVERY = 5  # of these before those that outlived one are searched as well


def settle() -> None:
    """Called once, when all that stays is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(EVERY, OLDER_EVERY, OLDER_EVERY)
