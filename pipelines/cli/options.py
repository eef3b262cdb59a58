"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line")]

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
"""Forms of a time, in UTC."""
