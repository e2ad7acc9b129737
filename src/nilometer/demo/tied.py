"""Become another program, which gets SIGTERM when its parent is gone: ``python -m nilometer.demo.tied PARENT PROGRAM …``.

Source: prctl(2), PR_SET_PDEATHSIG; execve(2) keeps it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Tie this process to the one whose number is given, then become the program."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() == int(parent):  # else it ended before the kernel was told
        os.execv(command[0], command)  # noqa: S606 the program that our own parent names


if __name__ == "__main__":
    main()
