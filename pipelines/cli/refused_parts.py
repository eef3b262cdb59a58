"""Parts of units that are refused or fail, told once for all units of which the same is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NAMED = 3
"""Units that a line names."""
_URL = re.compile(r"https?://\S+?(?=:? |:?$)")
"""An address differs with the unit, and what is wrong there need not."""


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A part of `unit`, by its name, which is empty for what is of the whole connection."""

    status: str
    part: str
    unit: str
    reason: str
    since: str = ""


def refused_lines(parts: Iterable[RefusedPart]) -> Iterator[str]:
    """A line for all units in which a part is refused for the same reason: `refused  releases of api and 2 more …`."""
    alike: dict[tuple[str, str, str], list[RefusedPart]] = {}
    for one in parts:
        alike.setdefault((one.status, one.part, _URL.sub("", one.reason)), []).append(one)
    for found in alike.values():
        first = found[0]
        units = _name_some([one.unit for one in found if one.unit])
        since = min(one.since for one in found)
        yield (
            f"{first.status}  {first.part}{f' of {units}' if units else ''}{f', since {since}' if since else ''}: "
            f"{first.reason}"
        )


def _name_some(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} more units"
