"""A child process that does not outlive its parent, however the parent ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def die_with_parent(
    parent: int, number: signal.Signals = signal.SIGTERM
) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends the signal to the child when its parent's thread ends.

    Only Linux has it; elsewhere None, and an orderly stop must do.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def tie() -> None:
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, number)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return tie
