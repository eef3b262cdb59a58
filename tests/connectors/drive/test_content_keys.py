"""What a content key stands for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.drive.content_keys import content_key
from connectors.drive.payloads import DriveFile
from connectors.model import Document, Parent

FILE = DriveFile(id="one", name="Bill.txt", mime_type="text/plain")
DOCUMENT = Document(
    id="drive:acme/one",
    source="drive",
    connection="acme",
    unit="plans",
    kind="file",
    title="Bill.txt",
    url="https://docs.test/one",
    content="",
    content_type="",
    author="Ada",
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    parents=(Parent("drive:acme/plans", "Plans"),),
)
KEY = content_key(DOCUMENT, FILE, "sum", pictures=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "other"},
        {"kind": "pdf"},
        {"title": "Bill"},
        {"url": "https://docs.test/other"},
        {"author": "Lin"},
        {"updated_at": None},
        {"parents": (Parent("drive:acme/plans", ""),)},
    ],
)
def test_another_document_has_another_key(changes: dict[str, Any]) -> None:
    assert content_key(replace(DOCUMENT, **changes), FILE, "sum", pictures=False) != KEY


@pytest.mark.parametrize("changes", [{"readers": ("public",)}, {"fingerprint": "f1"}])
def test_other_readers_have_the_same_key(changes: dict[str, Any]) -> None:
    assert content_key(replace(DOCUMENT, **changes), FILE, "sum", pictures=False) == KEY


def test_bytes_that_are_others_or_are_read_otherwise_have_another_key() -> None:
    renamed, typed = (FILE.model_copy(update=one) for one in ({"name": "Bill .txt"}, {"mime_type": "text/html"}))
    keys = {
        KEY,
        content_key(DOCUMENT, FILE, "other sum", pictures=False),
        content_key(DOCUMENT, renamed, "sum", pictures=False),
        content_key(DOCUMENT, typed, "sum", pictures=False),
        content_key(DOCUMENT, FILE, "sum", pictures=True),
    }
    assert len(keys) == 5


def test_without_a_checksum_there_is_none() -> None:
    assert content_key(DOCUMENT, FILE, "", pictures=False) == ""
