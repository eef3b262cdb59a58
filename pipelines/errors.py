"""Errors of Headrace outside the connectors.

HeadraceError
├─ SettingsError             the settings file or environment: the user's to fix
├─ UsageError                a command or request asks for something that does not exist
├─ UnitBusy                  another process works on the unit
│  └─ LeaseLost              … since this one gave no sign of life for too long
├─ CatalogMismatch           the catalog was migrated by a newer program
├─ CatalogUnavailable        the catalog does not answer; another attempt later can succeed
│  └─ CatalogDamaged         … and will not: its file is broken
├─ LandingUnavailable        the landing cannot be written to or read from; another attempt later can succeed
├─ LandingDamaged            a file of the landing is broken; no other attempt will read it
├─ CatalogLost               the catalog lacks what landing and index hold
├─ MassDelete                a reconcile would remove more than an operator is asked about
├─ DocumentError             one document cannot be processed; the rest goes on
│  └─ ReadingAborted         … since reading it costs too much, or ends the process that does; tried a few times
├─ EmbeddingError            the embedding provider
│  ├─ EmbeddingUnavailable   … does not answer; another attempt later can succeed
│  ├─ BudgetSpent            … is not asked: the connection's budget is spent
│  └─ EmbeddingRefused       … refuses: wrong key, unknown model, wrong dimensions: the user's to fix
│     └─ TextRefused         … refuses one text, however short it is cut
├─ PartitionUnavailable      the API that reads scans does not answer, or refuses the key; it is waited for
├─ PartitionRefused          … cannot read one page or picture
└─ IndexStoreError           the index
   ├─ IndexUnavailable       … does not answer; another attempt later can succeed
   ├─ IndexBusy              … is held by another writer
   └─ IndexMismatch          … was made for another model, or with other settings
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


class HeadraceError(Exception):
    """Base of all errors that Headrace raises on purpose; its message is for people."""


class SettingsError(HeadraceError):
    """`path` is the place in the settings file: `connections[1].token`. `problems` are this and all others that were
    found with it, each a path and what is wrong there."""

    def __init__(self, path: str, reason: str, others: Sequence[tuple[str, str]] = ()) -> None:
        self.path = path
        self.problems = ((path, reason), *others)
        super().__init__("\n".join(f"{where}: {what}" for where, what in self.problems))


class UsageError(HeadraceError):
    """A command or request asks for something that does not exist or does not fit."""


class UnitBusy(HeadraceError):
    """Another process works on the unit; it can be tried again when that one has finished."""

    def __init__(self, unit: str, holder: str, since: datetime | None = None) -> None:
        self.by = f"by {holder}" + (f" since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if since else "")
        super().__init__(f"{unit}: another process works on this unit, {self.by}; try again when it has finished")


class LeaseLost(UnitBusy):
    """A lease under which this process works is another's: it gave no sign of life for too long."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit, "one that has taken it over while this one gave no sign of life")


class CatalogMismatch(HeadraceError):
    """The catalog's tables are at a revision that this program does not know."""

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(
            f"the catalog is at revision {found}, and this program knows revisions up to {newest} only: a newer "
            f"Headrace has migrated it. Run that version, or let it go back: `headrace migrate --to {newest}`"
        )


class CatalogUnavailable(HeadraceError):
    """The catalog's database does not answer, or cannot do what it is asked; another attempt later can succeed."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the catalog cannot be used: {str(reason).strip()}")


class CatalogDamaged(CatalogUnavailable):
    """The file of a catalog in SQLite is broken, or is no database."""

    def __init__(self, file: object, reason: object) -> None:
        super().__init__(
            f"{file} is damaged ({reason}). Stop everything, move it and the files beside it whose names begin alike "
            "away, then put a copy back, or run `headrace restore`, which makes it again from landing and index"
        )


class LandingUnavailable(HeadraceError):
    """The folder or bucket of the landing does not take or give a file; another attempt later can succeed."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"landing.url: {type(error).__name__}: {error}")


class LandingDamaged(HeadraceError):
    """A file of the landing is broken, or is no Parquet."""

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(
            f"{path} of the landing is damaged ({str(reason).strip()}): put a copy of it back, or run "
            "`headrace restore` and then `headrace sync`, which reads its documents again"
        )


class CatalogLost(HeadraceError):
    """The catalog knows nothing, or not everything, of what landing and index hold."""

    def __init__(self) -> None:
        super().__init__(
            "the catalog is empty or half restored, and landing or index hold documents: put a copy of the catalog "
            "back, or run `headrace restore`, which makes it again from these without paying for a text"
        )


class MassDelete(HeadraceError):
    """More of a unit would be removed than happens by itself; an operator decides."""

    def __init__(self, unit: str, gone: int, of: int) -> None:
        super().__init__(
            f"{unit}: {gone} of {of} documents are no longer listed at the source, more than a tenth; "
            "nothing was removed. If this is right, run `headrace reconcile --allow-mass-delete`"
        )


class DocumentError(HeadraceError):
    """One document cannot be processed. `reason` is recorded with the document."""

    def __init__(self, reason: str, *, skip: bool = False) -> None:
        self.reason = reason
        self.skip = skip
        super().__init__(reason)


class ReadingAborted(DocumentError):
    """Reading a document takes more time or memory than one may, or ends the process that reads it."""


class PartitionUnavailable(HeadraceError):
    """The API that reads scans does not answer, or refuses for good whoever asks; another attempt later can succeed."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"partition.url: the API at {host} cannot be used: {reason}")


class PartitionRefused(HeadraceError):
    """The API that reads scans cannot read this page or picture."""


class EmbeddingError(HeadraceError):
    """The embedding provider failed."""


class EmbeddingUnavailable(EmbeddingError):
    """The provider does not answer; another attempt later can succeed."""


class BudgetSpent(EmbeddingError):
    """A connection's budget is spent. `line` says how much that is, `continuation` when it goes on."""

    def __init__(self, connection: str, line: str, continuation: str) -> None:
        super().__init__(f"{connection}: its budget is spent ({line}); embedding {continuation}")


class EmbeddingRefused(EmbeddingError):
    """The provider refuses the request for good."""


class TextRefused(EmbeddingRefused):
    """The provider refuses a text for good, however short it is cut."""


class IndexStoreError(HeadraceError):
    """The index failed."""


class IndexUnavailable(IndexStoreError):
    """The index does not answer, or not now; another attempt later can succeed."""


class IndexBusy(IndexStoreError):
    """Another process writes the index."""


class IndexMismatch(IndexStoreError):
    """The collection was made for another model, dimensions or chunking."""
