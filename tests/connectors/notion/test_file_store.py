from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import Response

from connectors.contract import Deleted, Failed, Skipped
from connectors.model import Document, Unit
from connectors.notion.file_store import LARGEST, NOTION_FILES, NotionFile, content_type, files_url
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.connectors.notion.conftest import without_parts
from tests.emulators.notion import FILES, ORIGIN, Notion

HOME = Unit("home", "Title home")


def kept(name: str, at: str = "", origin: str = ORIGIN, signature: int = 1) -> dict[str, Any]:
    """A file that Notion keeps, as it tells of it."""
    url = f"{origin}{FILES}/{at or name}/{name}?X-Amz-Signature={signature}"
    return {"type": "file", "name": name, "file": {"url": url, "expiry_time": "2026-01-01T01:00:00.000Z"}}


def file_block(kind: str, file: dict[str, Any], **more: Any) -> dict[str, Any]:
    times = {"created_time": "2026-01-01T01:00:00.000Z", "last_edited_time": "2026-01-01T02:00:00.000Z"}
    return {"id": "block-1", "type": kind, kind: {"caption": []} | file} | times | more


SAYS = b"What the file says."


@pytest.fixture(autouse=True)
def files(notion: Notion) -> None:
    for name in ("Offer.txt", "a.txt", "plan.md"):
        notion.contents[f"{FILES}/{name}/{name}"] = SAYS


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, NOTION_FILES),
        ({"base_url": "https://api.notion.com:443/"}, NOTION_FILES),
        ({"base_url": "http://localhost:8080/prefix/api"}, "http://localhost:8080"),
        ({"base_url": "http://localhost:8080/x", "files_url": "https://files.test/bucket"}, "https://files.test"),
    ],
)
def test_where_files_are(settings: dict[str, str], expected: str) -> None:
    given = {"id": "acme", "source": "notion", "token": "t", "readers": ["workspace"]} | settings
    assert files_url(NotionConnection.model_validate(given)) == expected


@pytest.mark.parametrize("kind", ["file", "pdf"])
def test_a_file_is_a_document_below_its_page(notion: Notion, connector: NotionConnector, kind: str) -> None:
    notion.add_page("home", None, file_block(kind, kept("Offer.txt")))
    page, file, _ = without_parts(connector.read(HOME))
    assert isinstance(page, Document)
    assert isinstance(file, Document)
    assert (file.id, file.kind, file.title) == ("notion:acme-notion/home/files/block-1", "file", "Offer.txt")
    assert (file.content, file.content_type) == (SAYS.decode(), "text/plain")
    assert [parent.title for parent in file.parents] == ["Title home"]
    assert (file.url, file.readers) == (f"{page.url}#block1", page.readers)
    assert "Signature" not in repr(file)
    assert notion.paths()["file"] == 1


def test_the_version_is_the_same_whatever_the_signature(notion: Notion, connector: NotionConnector) -> None:
    plan = {"id": "F", "type": "files", "files": [kept("plan.md")]}
    notion.add_page("home", None, file_block("file", kept("a.txt")), properties={"Plan": plan})
    before = [item for item in connector.read(HOME) if isinstance(item, Document)]
    notion.put("home", file_block("file", kept("a.txt", signature=2)))
    notion.objects["home"]["properties"]["Plan"] = plan | {"files": [kept("plan.md", signature=2)]}
    after = [item for item in connector.read(HOME) if isinstance(item, Document)]
    assert [item.version for item in before] == [item.version for item in after]
    assert len(after) == 3


@pytest.mark.parametrize(
    ("kind", "file", "reason"),
    [
        ("image", kept("plan.png"), "no text in images"),
        ("video", kept("talk.mp4"), "no text in videos"),
        ("audio", kept("talk.mp3"), "no text in audio files"),
        ("file", kept("wheel.png"), "no text in files of type .png"),
        ("file", kept("wheel.zip"), "no text in files of type .zip"),
        ("file", {"type": "external", "name": "a.pdf", "external": {"url": "https://a.test/a.pdf"}}, "outside Notion"),
        ("file", kept("a.txt", origin="https://elsewhere.test"), "kept at https://elsewhere.test, and not at"),
        ("file", kept("a.txt", origin="http://notion.test"), "kept at http://notion.test, and not at"),
        ("file", kept("a.txt", origin="https://notion.test:444"), "kept at https://notion.test:444, and not at"),
        ("file", {"type": "file", "name": "a.txt", "file": {}}, "no address"),
    ],
)
def test_files_that_are_passed_over_are_not_loaded(
    notion: Notion, connector: NotionConnector, kind: str, file: dict[str, Any], reason: str
) -> None:
    notion.add_page("home", None, file_block(kind, file))
    skipped = [item for item in connector.read(HOME) if isinstance(item, Skipped)]
    (found,) = [item for item in skipped if "/files/" in item.document_id]
    assert reason in found.reason
    assert "file" not in notion.log


PNG = b"\x89PNG\r\n\x1a\n..."
ELSEWHERE = {"type": "external", "name": "a.png", "external": {"url": "https://a.test/a.png"}}


@pytest.mark.parametrize(
    ("kind", "file", "found"),
    [
        ("image", kept("plan.png"), "image/png"),
        ("image", kept("plan"), "image/png"),
        ("file", kept("plan.png"), "image/png"),
        ("image", kept("plan.gif"), "no text in files of type .gif"),
        ("image", ELSEWHERE, "kept outside Notion"),
        ("image", kept("plan.png", origin="https://elsewhere.test"), "kept at https://elsewhere.test, and not at"),
        ("video", kept("plan.png"), "no text in videos"),
    ],
)
def test_pictures_where_they_are_read(
    notion: Notion, connection: NotionConnection, kind: str, file: dict[str, Any], found: str
) -> None:
    for name in ("plan.png", "plan"):
        notion.contents[f"{FILES}/{name}/{name}"] = PNG
    notion.add_page("home", None, file_block(kind, file))
    connector = connect(connection.with_pictures(), notion.transport())
    _, item, _ = without_parts(connector.read(HOME))
    assert isinstance(item, Document | Skipped)
    assert found in (item.reason if isinstance(item, Skipped) else item.content_type)
    assert isinstance(item, Skipped) or item.content == PNG


@pytest.mark.parametrize(("size", "reason"), [(0, ""), (LARGEST, ""), (LARGEST + 9, "larger than 25 MB")])
def test_the_largest_file(notion: Notion, connector: NotionConnector, size: int, reason: str) -> None:
    notion.contents[f"{FILES}/a.txt/a.txt"] = b"x" * size
    notion.add_page("home", None, file_block("file", kept("a.txt")))
    _, file, _ = without_parts(connector.read(HOME))
    assert (file.reason if isinstance(file, Skipped) else "") == reason


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_file_in_trouble_is_not_its_pages_trouble(notion: Notion, connector: NotionConnector, status: int) -> None:
    notion.answers["files"] = lambda: Response(status_code=status)
    notion.add_page("home", None, file_block("file", kept("a.txt")))
    page, file, _ = without_parts(connector.read(HOME))
    assert isinstance(page, Document)
    assert isinstance(file, Failed)
    assert "Signature" not in file.error
    del notion.answers["files"]
    (again,) = connector.fetch(HOME, [file.document_id])
    assert isinstance(again, Document)


def test_a_file_that_is_cut_short_is_asked_for_again(notion: Notion, connector: NotionConnector) -> None:
    told = {"content-range": f"bytes 0-{len(SAYS) - 1}/{len(SAYS)}"}
    notion.answers["files"] = lambda: Response(SAYS[:5], 206, told)
    notion.add_page("home", None, file_block("file", kept("a.txt")))
    _, file, _ = without_parts(connector.read(HOME))
    assert isinstance(file, Failed)
    assert f"5 of {len(SAYS)} bytes" in file.error
    del notion.answers["files"]
    (again,) = connector.fetch(HOME, [file.document_id])
    assert isinstance(again, Document)
    assert again.content == SAYS.decode()


SIGN_IN = "<!DOCTYPE html><title>Sign in</title><p>Words of a gateway."
MESSAGE = '{"ok": false, "error": "words"}'


@pytest.mark.parametrize("name", ["a.txt", "plan.md", "Offer", "a.json"])
@pytest.mark.parametrize("answered", ["text/html; charset=utf-8", "application/json"])
def test_what_another_server_says_in_place_of_a_file_is_not_the_file(
    notion: Notion, connector: NotionConnector, name: str, answered: str
) -> None:
    """A file whose name tells no type may be JSON, but was not kept as a page."""
    body = SIGN_IN if "html" in answered else MESSAGE
    notion.contents[f"{FILES}/{name}/{name}"] = SAYS
    notion.answers["files"] = lambda: Response(body, media_type=answered)
    notion.add_page("home", None, file_block("file", kept(name)))
    page, file, _ = without_parts(connector.read(HOME))
    assert isinstance(page, Document)
    if "json" in answered and name in ("Offer", "a.json"):
        assert isinstance(file, Document)
        return
    assert isinstance(file, Failed)
    assert f"{answered.partition(';')[0]} came in place of the file" in file.error
    assert notion.paths()["file"] == 1, "the same would come again at once"
    del notion.answers["files"]
    (again,) = connector.fetch(HOME, [file.document_id])
    assert isinstance(again, Document)


@pytest.mark.parametrize("name", ["a.html", "b.htm"])
def test_a_file_that_is_a_page_is_read(notion: Notion, connector: NotionConnector, name: str) -> None:
    notion.contents[f"{FILES}/{name}/{name}"] = b"<html><p>What the page says."
    notion.add_page("home", None, file_block("file", kept(name)))
    _, file, _ = without_parts(connector.read(HOME))
    assert isinstance(file, Document)
    assert file.content_type == "text/html"


def test_a_part_that_is_less_than_was_asked_for_is_not_the_file(notion: Notion, connector: NotionConnector) -> None:
    told = {"content-range": f"bytes 0-4/{len(SAYS)}"}
    notion.answers["files"] = lambda: Response(SAYS[:5], 206, told)
    notion.add_page("home", None, file_block("file", kept("a.txt")))
    _, file, _ = without_parts(connector.read(HOME))
    assert isinstance(file, Failed)
    assert f"a part of it: bytes 0-4/{len(SAYS)}" in file.error


def test_files_asked_for_alone(notion: Notion, connector: NotionConnector) -> None:
    plan = {"id": "F", "type": "files", "files": [kept("plan.md")]}
    notion.add_page("home", None, file_block("file", kept("a.txt")), properties={"Plan": plan})
    files = [item for item in connector.read(HOME) if isinstance(item, Document) and item.kind == "file"]
    assert list(connector.fetch(HOME, [file.id for file in files])) == files
    notion.blocks["block-1"]["in_trash"] = True
    notion.objects["home"]["properties"]["Plan"] = plan | {"files": []}
    assert list(connector.fetch(HOME, [file.id for file in files])) == [Deleted(file.id) for file in files]


def test_a_copy_does_not_hold_the_files_of_its_original(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", None, {"id": "original", "type": "synced_block", "synced_block": {"synced_from": None}})
    notion.put("original", file_block("file", kept("a.txt")))
    notion.blocks["original"]["has_children"] = True
    copy = {"type": "synced_block", "synced_block": {"synced_from": {"type": "block_id", "block_id": "original"}}}
    notion.add_page("other", None, copy)
    ids = [item.id for unit in connector.units() for item in connector.read(unit) if isinstance(item, Document)]
    assert sorted(one for one in ids if "/files/" in one) == ["notion:acme-notion/home/files/block-1"]


def test_types_are_told_by_names() -> None:
    def typed(kind: str, name: str, url: str = "") -> str | None:
        return content_type(NotionFile("k", kind, name, url, False, None, None))

    assert typed("file", "A.PDF") == "application/pdf"
    assert typed("pdf", "report") == "application/pdf"
    assert typed("file", "Plan", f"{ORIGIN}/x/plan%20b.csv?s") == "text/csv"
    assert typed("file", "a.zip") is None
