"""What a connector yields fits the contract, or is refused with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.admission import Refused, admit, admit_change, admit_rights
from connectors.contract import Deleted, DocumentReaders, Failed, ObjectItem, RightsItem, SameContent, Skipped
from connectors.model import Parent, Unit
from connectors.settings import Connection
from tests.pipelines.documents import document

CONNECTION = Connection(id="acme", source="github", token=SecretStr("unused"), base_url="http://github.test")
UNIT = Unit("unit", "Unit")
OWN = "github:acme/acme/api/issues/1"


@pytest.mark.parametrize(
    "item",
    [
        document(),
        document(created_at=None, updated_at=None),
        document(updated_at=datetime(2026, 1, 3, tzinfo=timezone(timedelta(hours=2)))),
        document(content=b"\x00", tags=(), parents=()),
        document(readers=("public",), readers_until=(("public", datetime(2026, 1, 3, tzinfo=UTC)),)),
        document(id="github:acme/acme/api/blob/minutes of\u202fMay\u3000.md"),
        Skipped(OWN, "Title", "too large"),
        Failed(OWN, "Title", "HTTP 500"),
        Failed(OWN, "Title", "HTTP 500", readers=("public",)),
        Deleted(OWN),
    ],
)
def test_what_fits_is_admitted_as_it_is(item: ObjectItem) -> None:
    assert admit(item, CONNECTION, UNIT) is item


HALF = "half \ud83d of a character"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        *((document(**{name: HALF}), name) for name in ("title", "url", "author", "kind")),
        (document(tags=("a", HALF)), "tags"),
        (document(parents=(Parent("github:acme/api", HALF),)), "parents"),
        (Skipped(OWN, HALF, "too large"), "title"),
        (Failed(OWN, "Title", HALF), "error"),
    ],
)
def test_half_a_character_is_mended(item: ObjectItem, field: str) -> None:
    """JSON can spell one, and no encoding can hold it: it would stop the load of a whole unit."""
    admitted = admit(item, CONNECTION, UNIT)
    assert type(admitted) is type(item)
    assert "half ? of a character" in repr(getattr(admitted, field))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"parents": (Parent(None, None),)}, "in parents, id is of type NoneType, and must be of type str"),  # type: ignore[arg-type]
        ({"readers": (HALF,)}, "readers must be texts that UTF-8 can hold"),
    ],
)
def test_what_later_stages_cannot_take_is_refused(changes: dict[str, Any], reason: str) -> None:
    refused = admit(document(**changes), CONNECTION, UNIT)
    assert isinstance(refused, Failed)
    assert reason in refused.error


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": "slack"}, "source is 'slack', and must be 'github'"),
        ({"connection": "other"}, "connection is 'other', and must be 'acme'"),
        ({"unit": "other"}, "unit is 'other', and must be 'unit'"),
        ({"source": "slack", "unit": ""}, "source is 'slack', and must be 'github'; unit is '', and must be 'unit'"),
        ({"created_at": datetime(2026, 1, 2)}, "created_at is 2026-01-02T00:00:00, and must have a time zone"),
        ({"updated_at": datetime(2026, 1, 2)}, "updated_at is 2026-01-02T00:00:00, and must have a time zone"),
        ({"updated_at": "2026-01-02T00:00:00Z"}, "updated_at is of type str, and must be of type datetime | None"),
        ({"updated_at": date(2026, 1, 2)}, "updated_at is of type date, and must be of type datetime | None"),
        ({"content": None}, "content is of type NoneType, and must be of type str | bytes"),
        ({"title": None}, "title is of type NoneType, and must be of type str"),
        ({"url": 1}, "url is of type int, and must be of type str"),
        ({"fingerprint": 1}, "fingerprint is of type int, and must be of type str"),
        ({"readers": "public"}, "readers is of type str, and must be of type tuple[str, ...]"),
        (
            {"readers_until": (("public", 1),)},
            "readers_until is of type tuple[tuple], and must be of type tuple[tuple[str, datetime], ...]",
        ),
        ({"tags": ("bug", 1, 2)}, "tags is of type tuple[str, int], and must be of type tuple[str, ...]"),
        ({"parents": (("id", "title"),)}, "parents is of type tuple[tuple], and must be of type tuple[Parent, ...]"),
        (
            {"parents": [Parent("github:acme/acme", "acme")]},
            "parents is of type list, and must be of type tuple[Parent, ...]",
        ),
    ],
)
def test_a_document_that_does_not_fit_fails_under_its_own_id(changes: dict[str, Any], reason: str) -> None:
    wrong = document(**changes)
    found = admit(wrong, CONNECTION, UNIT)
    assert isinstance(found, Failed)
    assert found.document_id == OWN
    assert found.error == f"not admitted: {reason}"
    assert found.title == (wrong.title or "")


@pytest.mark.parametrize("item", [Skipped(OWN, "Title", None), Failed(OWN, None, "HTTP 500")])  # type: ignore[arg-type]
def test_words_are_text(item: ObjectItem) -> None:
    found = admit(item, CONNECTION, UNIT)
    assert isinstance(found, Failed)
    assert found.document_id == OWN
    assert "must be of type str" in found.error


@pytest.mark.parametrize("item", [None, {"id": OWN}, OWN, Deleted("issues/1"), Deleted(None)])  # type: ignore[arg-type]
def test_what_names_no_object_of_the_connection_is_refused(item: Any) -> None:
    assert isinstance(admit(item, CONNECTION, UNIT), Refused)


@pytest.mark.parametrize(("length", "shown"), [(3, "xxx"), (200, "x" * 200), (10_000, f"{'x' * 200}…")])
def test_a_reason_shows_a_long_id_cut_short(length: int, shown: str) -> None:
    refused = admit(Deleted("x" * length), CONNECTION, UNIT)
    assert isinstance(refused, Refused)
    assert f"the id '{shown}' must begin" in refused.reason


@pytest.mark.parametrize(
    ("item", "title"), [(Skipped("issues/1", "Title", "too large"), "Title"), (Deleted("issues/1"), "")]
)
def test_what_is_refused_is_named(item: ObjectItem, title: str) -> None:
    reason = "not admitted: the id 'issues/1' must begin with 'github:acme/'"
    assert admit(item, CONNECTION, UNIT) == Refused("issues/1", title, reason)


@pytest.mark.parametrize(
    "item",
    [
        DocumentReaders(OWN, ()),
        DocumentReaders(OWN, ("public", "user:ada"), (("public", datetime(2026, 1, 3, tzinfo=UTC)),)),
        Skipped(OWN, "Title", "too large"),
        Failed(OWN, "Title", "HTTP 500"),
        Deleted(OWN),
    ],
)
def test_readers_that_fit_are_admitted_as_they_are(item: RightsItem) -> None:
    assert admit_rights(item, CONNECTION, UNIT) is item


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"readers": (HALF,)}, "readers must be texts that UTF-8 can hold"),
        ({"readers": "public"}, "readers is of type str, and must be of type tuple[str, ...]"),
        (
            {"readers_until": (("public", 1),)},
            "readers_until is of type tuple[tuple], and must be of type tuple[tuple[str, datetime], ...]",
        ),
    ],
)
def test_readers_that_do_not_fit_are_nobody(changes: dict[str, Any], reason: str) -> None:
    found = admit_rights(DocumentReaders(**{"document_id": OWN, "readers": (), **changes}), CONNECTION, UNIT)
    assert found == Failed(OWN, "", f"not admitted: {reason}", hides=True)


def test_what_is_told_without_its_content_is_admitted_where_that_may_be() -> None:
    told = SameContent(OWN, "k1", ("public",), parents=("github:acme/acme/api",), fingerprint="f1")
    assert admit_change(told, CONNECTION, UNIT) is told
    assert isinstance(admit(told, CONNECTION, UNIT), Refused)
    assert isinstance(admit_rights(told, CONNECTION, UNIT), Refused)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"readers": (HALF,)}, "readers must be texts that UTF-8 can hold"),
        ({"readers": "public"}, "readers is of type str, and must be of type tuple[str, ...]"),
        ({"content_key": None}, "content_key is of type NoneType, and must be of type str"),
        ({"content_key": HALF}, "content_key and fingerprint must be texts that UTF-8 can hold"),
        ({"fingerprint": HALF}, "content_key and fingerprint must be texts that UTF-8 can hold"),
    ],
)
def test_what_is_told_without_its_content_and_does_not_fit_is_nobodys(changes: dict[str, Any], reason: str) -> None:
    told = SameContent(**{"document_id": OWN, "content_key": "k1", "readers": (), **changes})
    assert admit_change(told, CONNECTION, UNIT) == Failed(OWN, "", f"not admitted: {reason}", hides=True)


def test_what_is_told_of_another_connections_document_is_refused() -> None:
    reason = "not admitted: the id 'issues/1' must begin with 'github:acme/'"
    assert admit_change(SameContent("issues/1", "k1", ()), CONNECTION, UNIT) == Refused("issues/1", "", reason)


@pytest.mark.parametrize(
    ("item", "named", "reason"),
    [
        (DocumentReaders("issues/1", ()), "issues/1", "the id 'issues/1' must begin with 'github:acme/'"),
        (DocumentReaders(7, ()), "7", "the id is of type int, and must be of type str"),  # type: ignore[arg-type]
        (document(title=""), OWN, "its content was not asked for"),
        (Deleted("issues/1"), "issues/1", "the id 'issues/1' must begin with 'github:acme/'"),
    ],
)
def test_what_tells_no_readers_of_the_connection_is_refused(item: Any, named: str, reason: str) -> None:
    assert admit_rights(item, CONNECTION, UNIT) == Refused(named, "", f"not admitted: {reason}")
