"""The command line: `headrace …`."""

from __future__ import annotations

import sys

from connectors.errors import SourceError
from pipelines.cli.signals import StopSignals
from pipelines.errors import HeadraceError, SettingsError, UsageError
from pipelines.printable import printable_lines


def main() -> None:
    """Entry point: exit 0 ok, 1 failed, 2 wrong use, 130 interrupted, 143 ended by SIGTERM. Errors are one line on
    standard error."""
    signals = StopSignals()
    # A script's `&` makes its child ignore SIGINT, and Dagster gives SIGTERM the same handler: nothing would end it.
    with signals.installed():
        try:
            _run()
        finally:  # also where a worker or server has ended well: it was told to
            if signals.received:
                signals.end()


def _run() -> None:
    from pipelines.cli.app import app
    from pipelines.logs import as_line, to_standard_error

    to_standard_error()
    try:
        app()
    except (SettingsError, UsageError) as error:
        print(as_line(f"error: {printable_lines(error)}"), file=sys.stderr)
        sys.exit(2)
    except (HeadraceError, SourceError) as error:
        print(as_line(f"error: {printable_lines(error)}"), file=sys.stderr)
        sys.exit(1)
