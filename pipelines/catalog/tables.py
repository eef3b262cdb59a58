"""Tables of the catalog: what is where, and why."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite alone would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        moment: datetime | None = value
        return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


class TokenSet(TypeDecorator[tuple[str, ...]]):
    """Reader tokens, as text that is equal for equal sets: PostgreSQL compares no JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(sorted(set(value)), ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else _tokens(value)


@lru_cache(maxsize=4_096)
def _tokens(text: str) -> tuple[str, ...]:
    """Most documents have the readers of others: to parse them for each takes half the time of loading revocations."""
    return tuple(json.loads(text))


metadata = MetaData()

units = Table(
    "units",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("readers", JSON(none_as_null=True), doc="Reader tokens of the unit as a whole"),
    Column("listed_since", UtcTime, doc="When the listing began that told of it last: an older one tells nothing"),
    Column("listing", Text, doc="The read from the beginning that has not come to its end, of a unit that was known"),
    Column("uncompared", JSON(none_as_null=True), doc="Parts with documents of which the last such read was not told"),
    Column("paused", Boolean, nullable=False),
    Column("gone", Boolean, nullable=False, doc="No longer listed at the source"),
    Column("last_sync", UtcTime, doc="End of the last sync that read the whole unit"),
    Column("error", Text, doc="Why the last sync of the unit failed"),
    Column("failure_cause", Text, doc="Which backend was away, or `other`"),
    Column("failing_since", UtcTime, doc="The first of the failed syncs in a row"),
    Column("failed_syncs", Integer, doc="How many failed in a row"),
    Column("partition_key", Text, doc="The key under which it is shown as a partition"),
    # Last: SQLite reads all that stands before a column, and these may be long.
    Column("rights_cursor", JSON(none_as_null=True), doc="Where it continues to read rights alone, past the cursor"),
    Column("cursor", JSON(none_as_null=True), doc="Where the connector continues"),
    PrimaryKeyConstraint("connection", "unit"),
)

unit_parts = Table(
    "unit_parts",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False, doc="Empty for the list of units itself"),
    Column("part", Text, nullable=False, doc="Its name in the source's table of parts"),
    Column("status", Text, nullable=False, doc="complete, refused, or failing"),
    Column("reason", Text, nullable=False, doc="Why it is not complete, and what to grant"),
    Column("since", UtcTime, nullable=False, doc="Since when it has this status"),
    PrimaryKeyConstraint("connection", "unit", "part"),
)

failures = Table(
    "failures",
    metadata,
    Column("activity", Text, nullable=False, doc="What was tried"),
    Column("connection", Text, nullable=False, doc="Empty where all are concerned"),
    Column("unit", Text, nullable=False, doc="Empty where the whole connection is concerned"),
    Column("cause", Text, nullable=False, doc="Which backend was away, or `other`"),
    Column("error", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, doc="That failed in a row"),
    PrimaryKeyConstraint("activity", "connection", "unit"),
)

totals = Table(
    "totals",
    metadata,
    Column("name", Text, nullable=False),
    Column("connection", Text, nullable=False, doc="Empty where it is not counted by connection"),
    Column("kind", Text, nullable=False, doc="Empty where it is not counted by kind"),
    Column("value", Double, nullable=False),
    PrimaryKeyConstraint("name", "connection", "kind"),
)

spending = Table(
    "spending",
    metadata,
    Column("day", Text, nullable=False, doc="In UTC, as 2026-11-27"),
    Column("connection", Text, nullable=False, doc="Empty for questions, which are no connection's"),
    Column("source_requests", BigInteger, nullable=False, doc="Sent to the source's API"),
    Column("embedding_requests", BigInteger, nullable=False, doc="Sent to the embedding provider"),
    Column("tokens", BigInteger, nullable=False, doc="That the provider has answered"),
    Column("unanswered_tokens", BigInteger, nullable=False, doc="Under way, or sent by a process that was killed"),
    Column("cost_usd", Double, nullable=False, doc="Of the tokens, by the price of that moment"),
    PrimaryKeyConstraint("day", "connection"),
)

publications = Table(
    "publications",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("documents", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("published_at", UtcTime, nullable=False),
)

gate_checks = Table(
    "gate_checks",
    metadata,
    Column("collection", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("collection", "name"),
)

gates = Table(
    "gates",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("since", UtcTime, nullable=False, doc="Shut since; there is no row while it is open"),
    Column("reasons", JSON, nullable=False, doc="Which checks failed, and on what"),
    Column("waiting", Text, nullable=False, doc="What would have been published"),
)

unit_names = Table(
    "unit_names",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("name", Text, nullable=False, doc="A name or URL that the unit has or had, in lower case"),
    PrimaryKeyConstraint("connection", "unit", "name"),
    Index("unit_names_by_name", "name"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Text, nullable=False, doc="pending, indexed, skipped, failed or deleted"),
    Column("reason", Text, doc="Why it was skipped or failed"),
    Column("version", Text, doc="Version landed last"),
    Column("load", Integer, doc="Load that holds that version, or the one before where it could not be read since"),
    Column("listing", Text, doc="Last full listing that named the document"),
    Column("indexed_version", Text, doc="Version whose points are in the index"),
    Column("chunks", Integer, nullable=False, doc="How many points those are"),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", UtcTime),
    Column("updated_at", UtcTime, doc="At the source"),
    Column("mark", Text, key="fingerprint", doc="Of what a listing of the source shows of the object"),
    Column("content_key", Text, doc="Of all that its version is made of, as the source tells it without the content"),
    Column("readers", TokenSet, doc="Who may read it, as far as the source has told"),
    Column("readers_until", JSON(none_as_null=True), doc="When permissions end: reader token to Unix time"),
    Column("indexed_readers", TokenSet, doc="Whom its points in the index name as readers"),
    Column("hidden", Text, doc="Why nobody may see it although it is kept: it is out of reach"),
    Column("changed_at", UtcTime, nullable=False, doc="Of this row"),
    Index("documents_by_unit", "connection", "unit", "status"),
    Index("documents_by_load", "load"),
    Index("documents_by_url", "url", postgresql_using="hash"),  # longer ones than its trees take
)

parents = Table(
    "parents",
    metadata,
    Column("connection", Text, nullable=False),
    Column("id", Text, nullable=False, doc="Of a document, or of a container of documents"),
    Column("unit", Text, nullable=False, doc="In which it was told"),
    Column("parent", Text, nullable=False, doc="The container that it is in; empty: it is at the top"),
    PrimaryKeyConstraint("connection", "id"),
    Index("parents_by_parent", "connection", "parent"),
    Index("parents_by_unit", "connection", "unit"),
)

loads = Table(
    "loads",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("documents_path", Text, nullable=False),
    Column("chunks_path", Text),
    Column("documents", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("state", Text, nullable=False, doc="landed, chunked, held until a budget has room, or indexed"),
    Column("landed_at", UtcTime, nullable=False),
    Column("bytes", BigInteger, doc="Of the file with its documents, where that was looked at"),
    Index("loads_by_unit", "connection", "unit", "state"),
)

obsolete_rows = Table(
    "obsolete_rows",
    metadata,
    Column("load", Integer, nullable=False),
    Column("document", Text, nullable=False, doc="Empty where the load is still to be looked through"),
    Column("deleted", Boolean, nullable=False, doc="The document is gone; else a newer version was read"),
    Column("since", UtcTime, nullable=False),
    PrimaryKeyConstraint("load", "document"),
    Index("obsolete_rows_by_time", "deleted", "since"),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("key", LargeBinary(16), primary_key=True, doc="Hash of model, dimensions and exact text"),
    Column("vector", LargeBinary, nullable=False, doc="Little-endian float32"),
    Column("text", LargeBinary(16), doc="Hash of the text alone; unknown where an earlier release has written it"),
    Column("model", Integer, doc="By which it was made; unknown where an earlier release has written it"),
    Index("embeddings_by_text", "text"),
    Index("embeddings_by_model", "model"),
)

embedding_models = Table(
    "embedding_models",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("used_at", UtcTime, nullable=False, doc="When somebody who is configured with it was last at work"),
    UniqueConstraint("model", "dimensions"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("connection", Text, nullable=False),
    Column("group", Text, nullable=False, doc="Reader token of the group"),
    Column("email", Text, nullable=False),
    PrimaryKeyConstraint("connection", "group", "email"),
    Index("memberships_by_email", "email"),
)

groups = Table(
    "groups",
    metadata,
    Column("connection", Text, nullable=False),
    Column("group", Text, nullable=False, doc="Reader token of the group"),
    Column("read_at", UtcTime, doc="When its members were last read; null: never"),
    Column("unreadable", Text, doc="Why its members could not be read since"),
    Column("name", Text, doc="What people call it, where its id tells them nothing"),
    PrimaryKeyConstraint("connection", "group"),
)

account_names = Table(
    "account_names",
    metadata,
    Column("connection", Text, nullable=False),
    Column("account", Text, nullable=False, doc="The source's id of it"),
    Column("alias", Text, nullable=False, doc="An id, login, name or address that it is known by, regardless of case"),
    Column("kind", Text, nullable=False, doc="name, address, or other"),
    Column("name", Text, nullable=False, doc="What people call whose account it is"),
    PrimaryKeyConstraint("connection", "account", "alias"),
    Index("account_names_by_alias", "alias"),
)

membership_cache = Table(
    "membership_cache",
    metadata,
    Column("connection", Text, nullable=False),
    Column("group", Text, nullable=False, doc="Reader token of the group"),
    Column("kept", JSON, nullable=False, doc="What its connector keeps of the last reading of its members"),
    PrimaryKeyConstraint("connection", "group"),
)

source_answers = Table(
    "source_answers",
    metadata,
    Column("connection", Text, nullable=False),
    Column("name", Text, nullable=False, doc="By which its connector knows the answer"),
    Column("kept", JSON, nullable=False, doc="What its connector keeps of it"),
    PrimaryKeyConstraint("connection", "name"),
)

revocations = Table(
    "revocations",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("document", Text, nullable=False, doc="Empty where it covers the whole unit"),
    Column("token", Text, nullable=False, doc="Reader token that was taken away; empty: all of them"),
    Column("reason", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("ends_at", UtcTime, doc="When it ends, now that what is published carries it"),
    PrimaryKeyConstraint("connection", "unit", "document", "token"),
    Index("revocations_by_document", "document"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("document", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("points", JSON, nullable=False, doc="Of its points so far, those that lack what was taken out"),
    Column("versions", JSON, nullable=False, doc="Versions that lack it: those that were read since"),
    Column("since", UtcTime, nullable=False),
    Column("ends_at", UtcTime, doc="When it ends, now that what is published carries it"),
)

moved_documents = Table(
    "moved_documents",
    metadata,
    Column("document", Text, primary_key=True),
    Column("since", UtcTime, nullable=False, doc="When it was read in another unit than its points may name"),
    Column("ends_at", UtcTime, doc="When it ends, now that what is published names the unit of now"),
)

stamps = Table(
    "stamps",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False, doc="Raised with every change of what the name stands for"),
)

leases = Table(
    "leases",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("holder", Text, nullable=False, doc="The process, as people are told of it"),
    # With defaults, because processes of the release before write rows that have none of these.
    Column("process", Text, nullable=False, server_default="", doc="Its id, which is no other's"),
    Column("machine", Text, nullable=False, server_default="", doc="The run of the operating system in which it lives"),
    Column("token", Integer, nullable=False, server_default="0", doc="Fencing token: higher with each lease"),
    Column("since", UtcTime, doc="When it was taken, by the database's clock"),
    Column("expires_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("connection", "unit"),
)

connections = Table(
    "connections",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("memberships_at", UtcTime, doc="When the memberships were last read"),
    Column("last_event", UtcTime),
    Column("channels", JSON(none_as_null=True), doc="Push channels that the provider has opened, by unit"),
    Column("unit_patterns", Text, doc="The settings' patterns under which its units were listed last"),
    Column("listed_at", UtcTime, doc="When the last listing of its units began; null where that left something out"),
    Column("listing_requests", Integer, doc="How many requests that listing took"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection", Text, nullable=False),
    Column("delivery", Text, nullable=False, doc="The provider's id of the delivery"),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("changes", JSON, key="invalidations", nullable=False, doc="Where to look again"),
    Column("state", Text, nullable=False, doc="pending, done, ignored or dead"),
    Column("reason", Text, doc="Why it is ignored, or what the last attempt failed on"),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("materializations", JSON(none_as_null=True), doc="What it led to, as asset and partition"),
    Column("signed_content", Text, doc="Hash of what the signature covers, where that is neither id nor kind"),
    Column("waiting_for", Text, doc="The backend that is away and that it waits for"),
    Column("waiting_since", UtcTime),
    Column("traceparent", Text, doc="The span in which it came (https://www.w3.org/TR/trace-context/)"),
    UniqueConstraint("connection", "delivery"),
    Index("events_by_content", "connection", "signed_content"),
    Index("events_by_state", "state", "id"),
    Index("events_by_time", "connection", "received_at"),
)

event_attempts = Table(
    "event_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("event", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False, doc="failed, or the state from which it was replayed"),
    Column("reason", Text),
    Index("event_attempts_by_event", "event"),
)

verification_windows = Table(
    "verification_windows",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("ends_at", UtcTime, nullable=False),
    Column("secret", Text, doc="The first that was offered"),
)

assistants = Table(
    "assistants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_hash", Text, nullable=False),
    Column("identity", Text, nullable=False, doc="user, service or person"),
    Column("person", Text, doc="Address of the person whose key it is"),
    Column("readers", JSON, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime),
)

feedback = Table(
    "feedback",
    metadata,
    Column("request", Text, nullable=False, doc="Id of the request whose answer had the document"),
    Column("document", Text, nullable=False),
    Column("rating", Text, nullable=False, doc="good or bad"),
    Column("query", Text, nullable=False),
    Column("assistant", Text, nullable=False),
    Column("person", Text, doc="For whom it was asked"),
    Column(
        "filters",
        Text,
        server_default="{}",
        doc="JSON; NULL where they do not say all that narrowed it",
    ),
    Column("comment", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("request", "document"),
)

pushed_documents = Table(
    "pushed_documents",
    metadata,
    Column("connection", Text, nullable=False),
    Column("name", Text, nullable=False, doc="The id that whoever pushed it gave to it"),
    Column("unit", Text, nullable=False),
    Column("number", Integer, nullable=False, doc="Of its last change in the connection, from 1"),
    Column("changed_at", UtcTime, nullable=False),
    Column("fingerprint", Text, nullable=False, doc="Empty where it was deleted, as are those behind it"),
    Column("body", Text, nullable=False, doc="The file of the landing that its content is in"),
    Column("fields", JSON, nullable=False, doc="All that was said of it beside its content"),
    PrimaryKeyConstraint("connection", "name"),
    Index("pushed_documents_by_number", "connection", "unit", "number"),
)

pushed_units = Table(
    "pushed_units",
    metadata,
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    PrimaryKeyConstraint("connection", "unit"),
)

obsolete_bodies = Table(
    "obsolete_bodies",
    metadata,
    Column("body", Text, primary_key=True, doc="A file of the landing that no document names any more"),
    Column("connection", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("deleted", Boolean, nullable=False, doc="Its document was deleted, and not replaced"),
    Column("since", UtcTime, nullable=False),
    Index("obsolete_bodies_by_age", "since"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True, doc="Hash of the handle that all tokens of the grant begin with"),
    Column("client", Text, nullable=False, doc="OAuth client id; empty for the search page"),
    Column("client_name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("stage", Text, nullable=False, doc="What `secret_hash` belongs to: code, refresh or session"),
    Column("secret_hash", Text, nullable=False, doc="Of the one code, refresh token or cookie that counts"),
    Column("access_hash", Text),
    Column("access_until", UtcTime),
    Column("request", JSON(none_as_null=True), doc="What the client asked for"),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False, doc="When a token was last given out"),
    Column("expires_at", UtcTime, nullable=False),
    Index("grants_by_person", "person"),
    Index("grants_by_end", "expires_at"),
)

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, doc="When somebody signed in through it last; null: never"),
    Index("oauth_clients_by_use", "used_at", "created_at"),
)
