"""The program ``nilometer``: starts quickly, and turns every error into one line and an exit code.

Exit codes:

* 0    done
* 1    something failed: the line on standard error says what
* 2    wrong use: an unknown option, a wrong setting or URL, a line that is no metric, a missing package
* 130  interrupted from the keyboard
* 141  nobody read the output any more

This module imports nothing but the standard library, so that a bare install can say what is missing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, WRONG_USE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
DEBUG = "NILOMETER_DEBUG"
NO_CLICK = "nilometer: the command line needs the extra 'server'; type: pip install 'nilometer[server]'"


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process."""
    sys.exit(main(sys.argv[1:] if arguments is None else arguments))


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        code = _guarded(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        return PIPE_CLOSED
    return code


def _guarded(arguments: list[str]) -> int:
    """Run, and turn what went wrong into a line and an exit code; with debugging on, errors keep their traceback."""
    try:
        from nilometer.cli.program import invoke  # noqa: PLC0415 it needs click, which a bare install lacks
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print(NO_CLICK, file=sys.stderr)  # noqa: T201 without click there is no other way
        return WRONG_USE
    from nilometer.core.errors import ConfigError, NilometerError  # noqa: PLC0415 after the check for click

    try:
        return invoke(arguments)
    except NilometerError as error:
        if "--debug" in arguments or os.environ.get(DEBUG, "0") not in {"", "0"}:
            raise
        complain(str(error))
        return WRONG_USE if isinstance(error, ConfigError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def complain(message: str) -> None:
    """Write one line about what is wrong to standard error."""
    sys.stderr.write(f"nilometer: {message}\n")


def _forget_output() -> None:
    """Point standard output nowhere, so that Python does not fail again when it flushes at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
