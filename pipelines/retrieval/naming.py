"""Names for what documents tell by ids: their unit, and an author of whom only a login stands in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pipelines.catalog import Catalog
from pipelines.retrieval.schema import DocumentMetadata

SECONDS = 10.0
"""For how long a name is remembered: a renaming shows that much later, and most answers ask the catalog for none."""
_MOST_REMEMBERED = 10_000

D = TypeVar("D", bound=DocumentMetadata)
Key = tuple[str, str]
"""Connection, and the id of a unit or what documents say of their author."""
LookUp = Callable[[Iterable[Key]], Mapping[Key, str]]


class Naming:
    """Safe to call from several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._units = _Remembered(catalog.unit_names.of)
        self._authors = _Remembered(catalog.accounts.names)

    def named(self, documents: Sequence[D]) -> list[D]:
        """The same documents with their authors' own names, and their units' of now where none is given."""
        units = self._units.get({(one.connection, one.unit) for one in documents})
        authors = self._authors.get({(one.connection, one.author) for one in documents if one.author})
        return [
            one.model_copy(
                update={
                    "unit_name": one.unit_name or units.get((one.connection, one.unit)) or one.unit,
                    "author": authors.get((one.connection, one.author)) or one.author,
                }
            )
            for one in documents
        ]


class _Remembered:
    """What was looked up lately; that there is no name, too."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._known: dict[Key, tuple[float, str]] = {}

    def get(self, keys: Iterable[Key]) -> dict[Key, str]:
        now = time.monotonic()
        fresh = {key: known for key in keys if (known := self._known.get(key)) and known[0] > now}
        if missing := [key for key in keys if key not in fresh]:
            found = self._look_up(missing)
            fresh |= {key: (now + SECONDS, found.get(key, "")) for key in missing}
            self._remember(fresh)
        return {key: name for key, (_, name) in fresh.items()}

    def _remember(self, names: Mapping[Key, tuple[float, str]]) -> None:
        if len(self._known) > _MOST_REMEMBERED:
            self._known = {}
        self._known.update(names)
