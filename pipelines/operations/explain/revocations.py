"""What is taken away of a document at this moment, whatever is published of it: since when, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pipelines.catalog import Catalog
from pipelines.catalog.revocations import EVERYBODY
from pipelines.catalog.rights import PERMISSION_ENDED, SETTINGS_CHANGED
from pipelines.catalog.units import EXCLUDED, NOT_LISTED
from pipelines.index.contract import Hit
from pipelines.operations.explain.visibility import Reader
from pipelines.retrieval.revocations import RevocationFilter
from pipelines.services import Services
from pipelines.settings import Settings

UNKNOWN_CONNECTION = "the settings do not name its connection"


@dataclass(frozen=True, slots=True)
class RevocationInForce:
    """`everybody` has lost the right to see it, or else these `readers`. The settings and a listing know no `since`."""

    scope: Literal["document", "unit", "connection"]
    since: datetime | None
    reason: str
    everybody: bool
    readers: tuple[Reader, ...] = ()

    def concerns(self, tokens: Collection[str]) -> bool:
        """Whether somebody with these reader tokens has lost one by this."""
        return self.everybody or any(one.token in tokens for one in self.readers)


def revocations(
    services: Services, row: Mapping[str, Any], label: Callable[[str], Reader], in_force: RevocationFilter
) -> tuple[RevocationInForce, ...]:
    """All that is `in_force` of the document with this row of the catalog, the widest first."""
    written = [
        RevocationInForce(
            "document" if one["document"] else "unit",
            one["since"],
            one["reason"],
            one["token"] == EVERYBODY,
            () if one["token"] == EVERYBODY else (label(one["token"]),),
        )
        for one in services.catalog.revocations.of_document(row["connection"], row["unit"], row["id"])
    ]
    hiding = {one.scope for one in written if one.everybody}
    found = [*_by_settings(row, label, in_force), *written, *_ended(row, label)]
    found += [one for one in _out_of_reach(services, row) if one.scope not in hiding]
    return tuple(sorted(found, key=lambda one: ("connection", "unit", "document").index(one.scope)))


def left_out(settings: Settings, catalog: Catalog, row: Mapping[str, Any]) -> str | None:
    """Why the settings leave a document out, whether or not the index has followed; None where they do not."""
    connection = next((one for one in settings.connections if one.id == row["connection"]), None)
    if connection is None:
        return UNKNOWN_CONNECTION
    state = catalog.units.get(row["connection"], row["unit"])
    listed = state is not None and not state.gone  # by whichever name the settings asked for it
    included = connection.includes(row["unit"], state.unit.name if state else row["unit"])
    return None if listed or included else EXCLUDED


def hides_from(in_force: RevocationFilter, hits: Sequence[Hit], tokens: Sequence[str]) -> bool:
    """Whether queries leave these points out for somebody with these reader tokens, although the index finds them."""
    now, asker = datetime.now(UTC), frozenset(tokens)
    return not any(in_force.permits(hit, asker, now) for hit in hits)


def _by_settings(
    row: Mapping[str, Any], label: Callable[[str], Reader], in_force: RevocationFilter
) -> Iterator[RevocationInForce]:
    if row["connection"] not in in_force.connections:
        yield RevocationInForce("connection", None, UNKNOWN_CONNECTION, True)
        return
    if (row["connection"], row["unit"]) in in_force.excluded:
        yield RevocationInForce("unit", None, EXCLUDED, True)
    readers = set(row["readers"] or ())
    if lost := readers - in_force.certain.get(row["connection"], readers):
        yield RevocationInForce("connection", None, SETTINGS_CHANGED, False, tuple(map(label, sorted(lost))))


def _out_of_reach(services: Services, row: Mapping[str, Any]) -> Iterator[RevocationInForce]:
    """What the index has followed already; the document is kept, and nobody sees it."""
    state = services.catalog.units.get(row["connection"], row["unit"])
    if row["hidden"]:
        yield RevocationInForce("document", None, row["hidden"], True)
    if state and state.gone and row["status"] != "deleted":
        reason = left_out(services.settings, services.catalog, row) or NOT_LISTED
        yield RevocationInForce("unit", None, reason, True)


def _ended(row: Mapping[str, Any], label: Callable[[str], Reader]) -> Iterator[RevocationInForce]:
    for token, end in (row["readers_until"] or {}).items():
        if end <= datetime.now(UTC).timestamp():
            ended = datetime.fromtimestamp(end, UTC)
            yield RevocationInForce("document", ended, PERMISSION_ENDED, False, (label(token),))
