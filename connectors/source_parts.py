"""The parts of what a source gives: each needs a permission of its own, and stands or falls by itself.

A source's table of parts (`registry.Source.parts`) is what its `check` probes, what its reads report about, and what
the guides print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.contract import Finding, PartState, PartStatus
from connectors.errors import AccessDenied, NotFound, RequestRejected, SourceError, TransientError

REFUSALS = (AccessDenied, NotFound, RequestRejected)
"""Answers by which a source refuses a part, whoever asks again with the same credentials."""


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
    if not isinstance(error, REFUSALS):
        return str(error)
    named = error.permission if isinstance(error, AccessDenied) else ""
    return f"{error}; grant {named or part.permission}"


def probe_part(part: Part, ask: Callable[[], object]) -> Finding:
    """What `ask` shows of a part: it returns a detail for people where it returns a text, and raises SourceError.

    Raises what concerns the credentials as a whole or the source, and not this part: AuthenticationFailed and
    TransientError.
    """
    try:
        found = ask()
    except REFUSALS as error:
        named = error.permission if isinstance(error, AccessDenied) else ""
        return Finding(part.name, False, str(error), part.lost, named or part.permission)
    return Finding(part.name, True, found if isinstance(found, str) else "ok")


def table_of(parts: Sequence[Part]) -> str:
    """The table of parts, in Markdown, as guides print it."""
    rows = [f"| {one.name} | {one.permission} | {one.lost} | {one.probe} |" for one in parts]
    return "\n".join(["| part | permission | lost without it | probe |", "|---|---|---|---|", *rows])
