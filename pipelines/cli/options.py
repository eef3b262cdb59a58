"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from connectors.addresses import InvalidAddress, normalize_address
from pipelines.errors import UsageError

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line")]

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
"""Forms of a time, in UTC."""


def examples(*lines: str) -> str:
    """What stands below a command's options: how it is called."""
    return "\n\n".join(["Examples:" if len(lines) > 1 else "Example:", *lines])


def parse_address(text: str, option: str) -> str:
    """An e-mail address as it is compared. Raises UsageError naming the option for what is none."""
    try:
        return normalize_address(text)
    except InvalidAddress as error:
        raise UsageError(f"{option}: {error}") from None
