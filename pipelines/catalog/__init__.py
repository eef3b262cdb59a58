"""The catalog: documents, units, loads, memberships, leases and the embedding cache, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Self

from sqlalchemy import Engine

from connectors.contract import Cursor
from pipelines.audit import open_audit_log
from pipelines.catalog import loads as loads_module
from pipelines.catalog import outcomes as outcomes_module
from pipelines.catalog.accounts import Accounts
from pipelines.catalog.arrivals import Arrivals
from pipelines.catalog.assistants import Assistants
from pipelines.catalog.claims import Claims
from pipelines.catalog.compaction import Compaction
from pipelines.catalog.connections import Connections
from pipelines.catalog.contents import Contents
from pipelines.catalog.database import STATEMENT_SECONDS, close_database, migrate_database, open_database
from pipelines.catalog.documents import Documents
from pipelines.catalog.embeddings import EmbeddingCache
from pipelines.catalog.events import Events
from pipelines.catalog.failures import Failures
from pipelines.catalog.feedback import FeedbackLog
from pipelines.catalog.gates import Gates
from pipelines.catalog.grants import Grants
from pipelines.catalog.indexed_documents import IndexedDocuments
from pipelines.catalog.leases import Leases
from pipelines.catalog.loads import Load, Loads
from pipelines.catalog.memberships import Memberships
from pipelines.catalog.moved_documents import MovedDocuments
from pipelines.catalog.narrowing import RightsUpdate
from pipelines.catalog.oauth_clients import OAuthClients
from pipelines.catalog.obsolete import ObsoleteRows, Retention
from pipelines.catalog.old_events import OldEvents
from pipelines.catalog.outcomes import Outcome
from pipelines.catalog.parents import Parents
from pipelines.catalog.partition_keys import PartitionKeys
from pipelines.catalog.processes import LocalProcess
from pipelines.catalog.publications import Publications
from pipelines.catalog.purging import Purging
from pipelines.catalog.pushed_documents import PushedDocuments
from pipelines.catalog.replays import Replays
from pipelines.catalog.restoring import Restoring
from pipelines.catalog.retries import Retries
from pipelines.catalog.revisions import HEAD, Migration
from pipelines.catalog.revocations import Revocations
from pipelines.catalog.rights import Rights, RightsRead
from pipelines.catalog.source_answers import SourceAnswers
from pipelines.catalog.spending import SpendingLedger
from pipelines.catalog.totals import Totals
from pipelines.catalog.unfinished_events import UnfinishedEvents
from pipelines.catalog.unit_names import UnitNames
from pipelines.catalog.unit_parts import Parts
from pipelines.catalog.units import Units, move_cursor, move_rights_cursor
from pipelines.catalog.verification_windows import VerificationWindows
from pipelines.catalog.withdrawals import Withdrawals
from pipelines.catalog.workload import Workload
from pipelines.errors import SettingsError
from pipelines.private_files import keep_private
from pipelines.settings import Settings

__all__ = [
    "Catalog",
    "Load",
    "Migration",
    "Outcome",
    "Retention",
    "RightsRead",
    "RightsUpdate",
    "migrate_catalog",
    "open_catalog",
]


class Catalog:
    """Where every object is, and why. What several tables must agree on is written in one transaction."""

    def __init__(self, engine: Engine, memberships_max_age: timedelta, process: LocalProcess) -> None:
        self._engine = engine
        self.connections = Connections(engine)
        self.units = Units(engine)
        self.unit_names = UnitNames(engine)
        self.partition_keys = PartitionKeys(engine)
        self.documents = Documents(engine)
        self.contents = Contents(engine)
        self.retries = Retries(engine)
        self.indexed_documents = IndexedDocuments(engine)
        self.loads = Loads(engine)
        self.obsolete = ObsoleteRows(engine)
        self.compaction = Compaction(engine)
        self.embeddings = EmbeddingCache(engine)
        self.accounts = Accounts(engine)
        self.memberships = Memberships(engine, memberships_max_age)
        self.rights = Rights(engine)
        self.revocations = Revocations(engine)
        self.withdrawals = Withdrawals(engine)
        self.moved_documents = MovedDocuments(engine)
        self.parents = Parents(engine)
        self.purging = Purging(engine)
        self.restoring = Restoring(engine)
        self.leases = Leases(engine, process)
        self.claims = Claims(engine, process)
        self.arrivals = Arrivals(engine)
        self.events = Events(engine, self.arrivals)
        self.replays = Replays(engine)
        self.pushed_documents = PushedDocuments(engine, self.arrivals)
        self.old_events = OldEvents(engine)
        self.unfinished_events = UnfinishedEvents(engine)
        self.failures = Failures(engine)
        self.parts = Parts(engine)
        self.gates = Gates(engine)
        self.publications = Publications(engine)
        self.totals = Totals(engine)
        self.spending = SpendingLedger(engine)
        self.workload = Workload(engine)
        self.verification_windows = VerificationWindows(engine)
        self.assistants = Assistants(engine)
        self.feedback = FeedbackLog(engine)
        self.grants = Grants(engine)
        self.oauth_clients = OAuthClients(engine)

    def answers(self, connection: str) -> SourceAnswers:
        """What the connector keeps of its source's answers."""
        return SourceAnswers(self._engine, connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.leases.close()
        close_database(self._engine)

    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to."""
        return self.memberships.groups_of(email)

    def commit_read(
        self,
        connection: str,
        unit: str,
        outcomes: Sequence[Outcome],
        *,
        documents_path: str | None,
        unchanged: Sequence[str],
        fingerprints: Mapping[str, str],
        listing: str | None,
        cursor: Cursor | None,
        content_keys: Mapping[str, str] = MappingProxyType({}),
        rights: RightsRead | None = None,
    ) -> int | None:
        """Record a load: its rows in the landing, the outcome of each object, and where the next read continues.
        Returns the load's id; None where nothing was landed.

        `unchanged` documents get their new fingerprints and content keys, those that have one. `cursor` is None where
        the load does not end at a checkpoint. A right that `rights` shows to be taken away counts from this moment.
        """
        landed = sum(outcome.landed for outcome in outcomes)
        with self._engine.begin() as transaction:
            load = (
                loads_module.add_load(transaction, connection, unit, documents_path, landed) if documents_path else None
            )
            outcomes_module.record(transaction, connection, unit, outcomes, load=load, listing=listing)
            if rights:
                rights.write(transaction, connection, unit)
            if listing:
                outcomes_module.mark_listed(transaction, unchanged, listing)
            of_others = rights.of_other_contents if rights else ()
            outcomes_module.update_fingerprints(
                transaction, {one: found for one, found in fingerprints.items() if one not in of_others}
            )
            outcomes_module.update_content_keys(transaction, content_keys)
            if cursor is not None:
                move_cursor(transaction, connection, unit, cursor)
        return load

    def commit_rights(
        self, connection: str, unit: str, told: RightsUpdate, *, listing: str | None, cursor: Cursor | None
    ) -> None:
        """Record what was told of rights alone, under the listing that names it, and where the next reading of rights
        continues. `cursor` is None where what was told does not end at a checkpoint; it stays where it was, too, where
        something of it was overtaken."""
        with self._engine.begin() as transaction:
            told.write(transaction, connection, unit)
            if listing:
                outcomes_module.mark_listed(transaction, told.readers, listing)
            if cursor is not None and not told.overtaken:
                move_rights_cursor(transaction, connection, unit, cursor)

    def start_reindex(self) -> None:
        """Nothing is indexed any more; the loads with the newest version of a document are to be chunked again."""
        with self._engine.begin() as transaction:
            outcomes_module.forget_index(transaction)
            loads_module.requeue_newest(transaction)

    def commit_chunks(self, load: Load, chunks_path: str, chunks: int, problems: Sequence[Outcome]) -> None:
        """The chunks of a load are in the landing; the documents of `problems` could not be chunked."""
        with self._engine.begin() as transaction:
            loads_module.mark_chunked(transaction, load, chunks_path, chunks)
            outcomes_module.update_status(transaction, problems)

    def record_problems(self, problems: Sequence[Outcome]) -> None:
        """The documents of `problems` could not be indexed."""
        with self._engine.begin() as transaction:
            outcomes_module.update_status(transaction, problems)


def open_catalog(
    settings: Settings, statement_seconds: float = STATEMENT_SECONDS, *, may_be_away: bool = False
) -> Catalog:
    """Open the catalog that the settings name, and bring its tables up to date. Raises SettingsError.

    One that `may_be_away`, and is, is brought up to date when it is back, and raises CatalogUnavailable until then.
    A statement that PostgreSQL does not answer for `statement_seconds` is given up, as one that it refuses.

    What is kept beside it is private from here on, and what is done to rights and keys stands in the audit log.
    """
    _require_folder(settings.state_path)
    keep_private(settings.state_path)
    open_audit_log(settings.audit_file)
    url = settings.catalog.url.get_secret_value()
    engine = open_database(url, settings.directory, statement_seconds, may_be_away=may_be_away)
    return Catalog(engine, settings.memberships_max_age, LocalProcess(settings.state_path))


def _require_folder(state: Path) -> None:
    """Raises SettingsError where something else is in its place, or in that of a folder above it."""
    nearest = next(one for one in (state, *state.parents) if one.exists())
    if not nearest.is_dir():
        raise SettingsError("state_dir", f"{nearest} is no folder")


def migrate_catalog(settings: Settings, revision: str | None = None) -> Migration:
    """Bring the catalog's tables to a revision, the newest by default. Raises SettingsError, CatalogMismatch and
    UsageError."""
    keep_private(settings.state_path)
    url, directory = settings.catalog.url.get_secret_value(), settings.directory
    return migrate_database(url, directory, revision or HEAD)
