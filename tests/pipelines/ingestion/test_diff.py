from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Deleted, Failed, Skipped
from pipelines.catalog.documents import DocumentState
from pipelines.ingestion.diff import diff_item
from tests.pipelines.documents import document

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENT = document()
INDEXED = DocumentState(
    id=DOCUMENT.id,
    title="Issue 1",
    url="https://example.com/1",
    status="indexed",
    version=DOCUMENT.version,
    load=1,
    indexed_version=DOCUMENT.version,
    attempts=0,
    next_attempt=None,
    updated_at=None,
    fingerprint=None,
)
WAITING = replace(INDEXED, status="failed", attempts=2, next_attempt=NOW + timedelta(hours=1))
DUE = replace(WAITING, next_attempt=NOW - timedelta(hours=1))
DELETED = replace(INDEXED, status="deleted", version=None, load=None, indexed_version=None)
NEVER_LANDED = replace(INDEXED, status="failed", version=None, load=None, indexed_version=None)


@pytest.mark.parametrize(
    ("item", "state", "kind", "lands"),
    [
        (DOCUMENT, None, "new", True),
        (DOCUMENT, INDEXED, "unchanged", False),
        (replace(DOCUMENT, title="Other"), INDEXED, "changed", True),
        (replace(DOCUMENT, readers=()), INDEXED, "changed", True),
        (replace(DOCUMENT, unit="elsewhere"), INDEXED, "changed", True),
        (DOCUMENT, WAITING, "unchanged", False),
        (DOCUMENT, DUE, "changed", True),
        (DOCUMENT, DELETED, "new", True),
        (Skipped(DOCUMENT.id, "t", "empty"), None, "skipped", False),
        (Skipped(DOCUMENT.id, "t", "empty"), INDEXED, "skipped", True),
        (Failed(DOCUMENT.id, "t", "boom"), None, "failed", False),
        (Failed(DOCUMENT.id, "t", "boom"), INDEXED, "failed", False),
        (Deleted(DOCUMENT.id), INDEXED, "deleted", True),
        (Deleted(DOCUMENT.id), NEVER_LANDED, "deleted", False),
        (Deleted(DOCUMENT.id), DELETED, "absent", False),
        (Deleted(DOCUMENT.id), None, "absent", False),
    ],
)
def test_what_an_object_changes(item, state, kind, lands):
    found = diff_item(item, state, NOW)
    assert found.kind == kind
    assert (found.row is not None) is lands
    assert found.outcome is None or found.outcome.landed is lands


def test_a_failure_counts_attempts_and_keeps_what_is_known():
    outcome = diff_item(Failed(DOCUMENT.id, "", "boom"), WAITING, NOW).outcome
    assert (outcome.attempts, outcome.reason, outcome.title) == (3, "boom", "Issue 1")


def test_a_document_being_indexed_when_it_is_deleted_gets_a_tombstone():
    landed = replace(INDEXED, status="pending", indexed_version=None)
    assert diff_item(Deleted(DOCUMENT.id), landed, NOW).row == Deleted(DOCUMENT.id)
