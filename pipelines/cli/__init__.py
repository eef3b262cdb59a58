"""The command line: `headrace …`."""

from __future__ import annotations

import logging
import signal
import sys

from connectors.errors import SourceError
from pipelines.errors import HeadraceError, SettingsError, UsageError
from pipelines.printable import printable_lines

logger = logging.getLogger(__name__)


def main() -> None:
    """Entry point: exit 0 ok, 1 failed, 2 wrong use. Errors are one line on standard error."""
    from pipelines.cli.app import app
    from pipelines.logs import to_standard_error

    # A script's `&` makes its child ignore SIGINT, and Dagster gives SIGTERM the same handler: nothing would end it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    to_standard_error()
    try:
        app()
    except (SettingsError, UsageError) as error:
        _print_error(error)
        sys.exit(2)
    except (HeadraceError, SourceError) as error:
        _print_error(error)
        sys.exit(1)


def _print_error(error: Exception) -> None:
    from pipelines.logs import has_json_lines

    if has_json_lines():
        logger.error("%s", error)
    else:
        print(f"error: {printable_lines(error)}", file=sys.stderr)
