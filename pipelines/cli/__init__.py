"""The command line: `headrace …`."""

from __future__ import annotations

import errno
import os
import sys

from pipelines.cli.signals import StopSignals


def main() -> None:
    """Entry point: exit 0 ok, 1 failed, 2 wrong use, 130 interrupted, 143 ended by SIGTERM. Errors are one line on
    standard error."""
    # A script's `&` makes its child ignore SIGINT, and Dagster gives SIGTERM the same handler: nothing would end it.
    with StopSignals().installed():
        _run()


def _run() -> None:
    # Imported here, as all that takes time is: a signal that came before its handler would end in a traceback.
    from typer import Abort

    from connectors.errors import SourceError
    from pipelines.cli.app import app
    from pipelines.cli.wrong_use import WrongUse, describe, is_help, require_text
    from pipelines.errors import HeadraceError, SettingsError, UsageError
    from pipelines.logs import to_standard_error

    to_standard_error()
    try:
        try:
            require_text(sys.argv[1:])
            code = app(standalone_mode=False)
        finally:
            if sys.stdout:
                sys.stdout.flush()  # at exit, it would be too late to say why it failed
    except SettingsError as error:
        _end_with("\nerror: ".join(f"{path}: {reason}" for path, reason in error.problems), 2)
    except UsageError as error:
        _end_with(error, 2)
    except WrongUse as error:
        _end_with("" if is_help(error) else describe(error), 2)
    except Abort:
        _end_with("given up", 1)
    except (HeadraceError, SourceError) as error:
        _end_with(error, 1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _end_with(f"no space left on the disk of {error.filename or 'standard output'}: make room and try again", 1)
    else:
        sys.exit(code)


def _end_with(error: object, code: int) -> None:
    """End with an error on standard error; without a word where it is empty."""
    from pipelines.logs import as_line
    from pipelines.printable import printable_lines

    if error:
        print(as_line(f"error: {printable_lines(error)}"), file=sys.stderr)
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:  # what is left in its buffer would be tried once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
