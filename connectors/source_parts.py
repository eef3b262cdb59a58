"""The parts of what a source gives: each needs a permission of its own, and stands or falls by itself.

A source's table of parts (`registry.Source.parts`) is what its `check` probes, what its reads report about, and what
the guides print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.contract import Finding, PartState, PartStatus
from connectors.errors import REFUSALS, AccessDenied, ListingGap, SourceError, TransientError
from connectors.model import Unit
from connectors.sampling import find_one

T = TypeVar("T")

_NOTHING = "there is nothing to try it on"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a sync asks for. `name` is unique in its source, lower case.

    `permission` is what to grant for it, in the provider's words; `lost` says what is missing without it, as a whole
    clause ("discussions are not found"). `probe` names what `check` asks for, as a method or an endpoint.
    """

    name: str
    permission: str
    lost: str
    probe: str


def state_of(part: Part, error: SourceError | None = None, id_prefixes: Sequence[str] = ()) -> PartState:
    """How a part stands that was asked for, by the error that ended that, if any.

    `id_prefixes` are those of the part's documents: where it is not complete, a listing says nothing of them.
    """
    if error is None:
        return PartState(part.name, "complete")
    status: PartStatus = "failing" if isinstance(error, TransientError) else "refused"
    return PartState(part.name, status, describe(part, error), tuple(id_prefixes))


def describe(part: Part, error: SourceError) -> str:
    """The error, and for a refusal what to grant."""
    return f"{error}; grant {_permission(part, error)}" if isinstance(error, REFUSALS) else str(error)


def listing_gap(part: Part, error: SourceError, covers: Callable[[Unit], bool] = lambda unit: True) -> ListingGap:
    """What is missing from a list of units without a part."""
    return ListingGap(describe(part, error), covers, is_refused=not isinstance(error, TransientError))


def probe_part(part: Part, ask: Callable[[], object], *, raises: tuple[type[SourceError], ...] = ()) -> Finding:
    """What `ask` shows of a part: it returns a detail for people where it returns a text, and raises SourceError.

    Raises AuthenticationFailed, which concerns the credentials as a whole, and of passing trouble what is named in
    `raises`; the rest of that is the part's own.
    """
    try:
        found = ask()
    except raises:
        raise
    except REFUSALS as error:
        return Finding(part.name, False, str(error), part.lost, _permission(part, error))
    except TransientError as error:
        return Finding(part.name, False, str(error), part.lost)
    return Finding(part.name, True, found if isinstance(found, str) else "ok")


def probe_on(part: Part, found: Sequence[T], title: Callable[[T], str], ask: Callable[[T], object]) -> Finding:
    """As `probe_part`, on real objects until one is given, which is named by its title."""

    def look() -> str:
        given = find_one(found, ask)
        return f"not tried: {_NOTHING}" if given is None else f"read of {title(given)!r}"

    return probe_part(part, look)


def not_tried(part: Part, why: str = _NOTHING) -> Finding:
    return Finding(part.name, True, f"not tried: {why}")


def _permission(part: Part, error: SourceError) -> str:
    """What to grant: in the source's word, where it names it."""
    return (error.permission if isinstance(error, AccessDenied) else "") or part.permission


def table_of(parts: Sequence[Part]) -> str:
    """The table of parts, in Markdown, as guides print it."""
    rows = [f"| {one.name} | {one.permission} | {one.lost} | {one.probe} |" for one in parts]
    return "\n".join(["| part | permission | lost without it | probe |", "|---|---|---|---|", *rows])
