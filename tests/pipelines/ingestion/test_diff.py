"""What an object changes, by what the source says and what the catalog knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Deleted, Failed, SameContent, Skipped
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import Outcome, Readers
from pipelines.catalog.revocations import EVERYBODY
from pipelines.ingestion.diff import UNFOUND, DocumentDiff, diff_item
from tests.pipelines.documents import document

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENT = document(fingerprint="f1")
KEY = DOCUMENT.id
READERS = Readers(("public",))
INDEXED = DocumentState(
    id=KEY,
    unit=DOCUMENT.unit,
    title="Known title",
    url="https://example.com/known",
    status="indexed",
    version=DOCUMENT.version,
    load=1,
    indexed_version=DOCUMENT.version,
    attempts=0,
    next_attempt=None,
    updated_at=None,
    fingerprint="f1",
    content_key=None,
    readers=DOCUMENT.readers,
    readers_until=None,
    indexed_readers=DOCUMENT.readers,
    hidden=None,
    reason=None,
)
WAITING = replace(INDEXED, status="failed", attempts=2, next_attempt=NOW + timedelta(hours=1))
DUE = replace(WAITING, next_attempt=NOW)
NEVER_TRIED = replace(WAITING, next_attempt=None)
DELETED = replace(INDEXED, status="deleted", version=None, load=None, indexed_version=None)
DELETED_UNINDEXED_YET = replace(INDEXED, status="deleted")
NEVER_LANDED = replace(INDEXED, status="failed", version=None, load=None, indexed_version=None, indexed_readers=None)
LANDED = replace(INDEXED, status="pending", indexed_version=None)
INDEXED_BEFORE = replace(INDEXED, status="failed", load=None)
REINDEXED = replace(INDEXED_BEFORE, version=None, indexed_version=None)

PENDING = Outcome(
    id=KEY,
    status="pending",
    title=DOCUMENT.title,
    url=DOCUMENT.url,
    version=DOCUMENT.version,
    landed=True,
    attempts=0,
    updated_at=DOCUMENT.updated_at,
    fingerprint="f1",
)
NEW = DocumentDiff("new", PENDING, DOCUMENT, readers=READERS)
CHANGED = DocumentDiff("changed", PENDING, DOCUMENT, readers=READERS)
TRIED_AGAIN = DocumentDiff("changed", replace(PENDING, attempts=2), DOCUMENT, readers=READERS)
UNCHANGED = DocumentDiff("unchanged", readers=READERS)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(None, NEW, id="unknown"),
        pytest.param(DELETED, NEW, id="deleted before"),
        pytest.param(
            DELETED_UNINDEXED_YET,
            NEW,
            id="deleted, of this version",
        ),
        pytest.param(INDEXED, UNCHANGED, id="as it was"),
        pytest.param(LANDED, UNCHANGED, id="on its way"),
        pytest.param(WAITING, UNCHANGED, id="failed, not due"),
        pytest.param(
            DUE,
            TRIED_AGAIN,
            id="failed, due at this moment",
        ),
        pytest.param(
            NEVER_TRIED,
            TRIED_AGAIN,
            id="failed, with no time set",
        ),
        pytest.param(
            replace(INDEXED, version="other"),
            CHANGED,
            id="another version",
        ),
        pytest.param(
            replace(INDEXED, next_attempt=NOW),
            UNCHANGED,
            id="only failures are retried",
        ),
    ],
)
def test_a_document(state: DocumentState | None, expected: DocumentDiff) -> None:
    assert diff_item(DOCUMENT, state, NOW) == expected


@pytest.mark.parametrize("state", [None, INDEXED, LANDED, WAITING, DUE, replace(INDEXED, version="other")])
def test_content_that_was_not_read_lands_nothing(state: DocumentState | None) -> None:
    told = SameContent(KEY, "k1", ("user:ada@example.com",), fingerprint="f2")
    found = diff_item(told, state, NOW)
    assert (found.outcome, found.row, found.fingerprint, found.content_key) == (None, None, "f2", "k1")
    assert (found.kind, found.revoked) == (("changed", ("public",)) if state else ("unchanged", ()))
    assert found.readers == Readers(("user:ada@example.com",))


def test_what_is_told_again_changes_nothing() -> None:
    known = replace(INDEXED, content_key="k1")
    assert diff_item(SameContent(KEY, "k1", ("public",), fingerprint="f1"), known, NOW) == UNCHANGED
    assert diff_item(replace(DOCUMENT, content_key="k1"), known, NOW) == UNCHANGED
    assert diff_item(DOCUMENT, known, NOW) == replace(UNCHANGED, content_key="")


def test_a_key_is_landed_with_its_content() -> None:
    found = diff_item(replace(DOCUMENT, content_key="k1"), None, NOW).outcome
    assert found is not None
    assert found.content_key == "k1"


@pytest.mark.parametrize("changes", [{"title": "Other"}, {"unit": "elsewhere"}, {"content": "Other"}])
def test_what_a_reader_sees_is_a_change(changes: dict[str, object]) -> None:
    diff = diff_item(replace(DOCUMENT, **changes), INDEXED, NOW)  # type: ignore[arg-type]
    assert (diff.kind, diff.outcome is not None) == ("changed", True)


@pytest.mark.parametrize(
    ("readers", "revoked"),
    [((), ("public",)), (("user:ada@example.com",), ("public",)), (("public", "user:ada@example.com"), ())],
)
def test_other_readers_are_a_change_without_content(readers: tuple[str, ...], revoked: tuple[str, ...]) -> None:
    diff = diff_item(replace(DOCUMENT, readers=readers), INDEXED, NOW)
    assert diff == DocumentDiff("changed", readers=Readers(readers), revoked=revoked)


def test_a_permission_with_another_end_is_a_change_without_content() -> None:
    diff = diff_item(replace(DOCUMENT, readers_until=(("public", NOW),)), INDEXED, NOW)
    assert diff == DocumentDiff("changed", readers=Readers(("public",), {"public": NOW.timestamp()}))


def test_a_document_that_lost_a_reader_with_its_content_has_lost_it_too() -> None:
    diff = diff_item(replace(DOCUMENT, content="Other", readers=()), INDEXED, NOW)
    assert (diff.row is not None, diff.readers, diff.revoked) == (True, Readers(()), ("public",))


@pytest.mark.parametrize(
    ("readers", "revoked"),
    [(None, ()), (("public",), ("group:x",)), (("group:x", "user:new@b.c"), ("public",)), ((), ("group:x", "public"))],
)
def test_a_failure_that_tells_readers_takes_the_others_away(
    readers: tuple[str, ...] | None, revoked: tuple[str, ...]
) -> None:
    state = replace(INDEXED, readers=("group:x", "public"))
    diff = diff_item(Failed(KEY, "Title", "no content", readers=readers), state, NOW)
    assert (diff.kind, diff.readers, diff.revoked) == ("failed", None, revoked)
    assert diff.outcome is not None
    assert diff.outcome.hidden is None


def test_a_failure_that_hides_leaves_the_document_to_nobody() -> None:
    diff = diff_item(Failed(KEY, "Title", "no permissions", hides=True), INDEXED, NOW)
    assert diff.revoked == (EVERYBODY,)
    assert diff.outcome is not None
    assert diff.outcome.hidden == "no permissions"


def test_a_later_failure_does_not_show_what_is_hidden() -> None:
    outcome = diff_item(Failed(KEY, "Title", "boom"), replace(INDEXED, hidden="no permissions"), NOW).outcome
    assert outcome is not None
    assert outcome.hidden == "no permissions"


@pytest.mark.parametrize(
    ("fingerprint", "known", "expected"),
    [("f1", "f1", None), ("f2", "f1", "f2"), ("f1", None, "f1"), ("", "f1", ""), ("", None, None)],
)
def test_an_unchanged_document_may_have_another_fingerprint(
    fingerprint: str, known: str | None, expected: str | None
) -> None:
    item = replace(DOCUMENT, fingerprint=fingerprint)
    diff = diff_item(item, replace(INDEXED, version=item.version, fingerprint=known), NOW)
    assert diff == DocumentDiff("unchanged", fingerprint=expected, readers=READERS)


def test_a_document_without_a_fingerprint_stores_none() -> None:
    outcome = diff_item(replace(DOCUMENT, fingerprint=""), None, NOW).outcome
    assert outcome is not None
    assert outcome.fingerprint is None


@pytest.mark.parametrize(
    ("state", "lands"),
    [(None, False), (NEVER_LANDED, False), (INDEXED, True), (LANDED, True), (INDEXED_BEFORE, True)],
    ids=["unknown", "never landed", "indexed", "being indexed", "indexed before it failed"],
)
def test_a_skipped_object_leaves_the_index(state: DocumentState | None, lands: bool) -> None:
    item = Skipped(KEY, "Title", "empty", "https://example.com/1")
    outcome = Outcome(
        id=KEY, status="skipped", title="Title", url="https://example.com/1", reason="empty", landed=lands
    )
    row, revoked = (Deleted(KEY), (EVERYBODY,)) if lands else (None, ())
    assert diff_item(item, state, NOW) == DocumentDiff("skipped", outcome, row, revoked=revoked)


@pytest.mark.parametrize(
    ("item", "state", "expected"),
    [
        (Failed(KEY, "Title", "boom", "https://example.com/1"), None, ("Title", "https://example.com/1", 1)),
        (Failed(KEY, "Title", "boom", "https://example.com/1"), WAITING, ("Title", "https://example.com/1", 3)),
        (Failed(KEY, "", "boom"), WAITING, ("Known title", "https://example.com/known", 3)),
        (Failed(KEY, "", "boom"), None, ("", "", 1)),
    ],
)
def test_a_failure_counts_attempts_and_leaves_the_index_as_it_is(
    item: Failed, state: DocumentState | None, expected: tuple[str, str, int]
) -> None:
    title, url, attempts = expected
    load = state.load if state else None
    outcome = Outcome(id=KEY, status="failed", title=title, url=url, reason="boom", attempts=attempts, load=load)
    assert diff_item(item, state, NOW) == DocumentDiff("failed", outcome)


@pytest.mark.parametrize(
    ("state", "lands"),
    [(INDEXED, True), (LANDED, True), (INDEXED_BEFORE, True), (REINDEXED, True), (NEVER_LANDED, False)],
    ids=["indexed", "being indexed", "indexed before it failed", "failed before a reindex", "never landed"],
)
def test_a_deleted_object_gets_a_tombstone_where_it_may_have_points(state: DocumentState, lands: bool) -> None:
    outcome = Outcome(id=KEY, status="deleted", title="Known title", url="https://example.com/known", landed=lands)
    row, revoked = (Deleted(KEY), (EVERYBODY,)) if lands else (None, ())
    assert diff_item(Deleted(KEY), state, NOW) == DocumentDiff("deleted", outcome, row, revoked=revoked)


@pytest.mark.parametrize("state", [None, DELETED, DELETED_UNINDEXED_YET])
def test_what_is_gone_and_not_known_is_absent(state: DocumentState | None) -> None:
    assert diff_item(Deleted(KEY), state, NOW) == DocumentDiff("absent")


def test_a_document_that_is_back_has_lost_what_its_published_points_may_still_name() -> None:
    diff = diff_item(replace(DOCUMENT, readers=("user:ada@example.com",)), DELETED, NOW)
    assert (diff.kind, diff.revoked) == ("new", ("public",))


def test_what_is_not_found_is_removed_and_looked_for_again() -> None:
    diff = diff_item(Deleted(KEY, is_unfound=True), INDEXED, NOW)
    assert diff.outcome
    assert (diff.kind, diff.row, diff.revoked) == ("deleted", Deleted(KEY), (EVERYBODY,))
    assert (diff.outcome.attempts, diff.outcome.next_attempt(NOW)) == (1, NOW + timedelta(minutes=5))


def test_what_has_failed_and_is_not_found_is_kept_for_nobody() -> None:
    diff = diff_item(Deleted(KEY, is_unfound=True), WAITING, NOW)
    expected = Outcome(
        id=KEY,
        status="failed",
        title="Known title",
        url="https://example.com/known",
        reason=UNFOUND,
        attempts=3,
        hidden=UNFOUND,
        load=1,
    )
    assert diff == DocumentDiff("failed", expected, revoked=(EVERYBODY,))


@pytest.mark.parametrize(
    ("attempts", "is_unfound", "is_awaited"), [(1, True, True), (2, True, True), (3, True, False), (1, False, False)]
)
def test_what_was_not_found_is_looked_for_a_few_times(attempts: int, is_unfound: bool, is_awaited: bool) -> None:
    state = replace(DELETED, load=7, attempts=attempts, next_attempt=NOW)
    expected = Outcome(
        id=KEY,
        status="deleted",
        title="Known title",
        url="https://example.com/known",
        load=7,
        attempts=attempts + 1,
        may_be_there=is_awaited,
    )
    assert diff_item(Deleted(KEY, is_unfound=is_unfound), state, NOW) == DocumentDiff("absent", expected)
    assert (expected.next_attempt(NOW) is not None) == is_awaited


def test_attempts_to_find_a_document_are_none_to_read_it() -> None:
    assert diff_item(DOCUMENT, replace(DELETED, attempts=2, next_attempt=NOW), NOW) == NEW
