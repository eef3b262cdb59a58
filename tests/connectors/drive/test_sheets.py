"""Spreadsheets over the export limit of 10 MB."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Failed, Skipped
from connectors.drive import sheets
from connectors.drive.account import DriveConnector
from connectors.drive.settings import DriveConnection
from connectors.media import CSV, XLSX
from connectors.model import MARKDOWN, Document, Unit
from pipelines.chunking import chunk_document
from tests.connectors.drive.test_documents import only
from tests.emulators.drive import GoogleDrive, error

TOO_LARGE = b"PK" + b"0" * 10_000_000
ONLY_FIRST = "Only the first sheet of this spreadsheet is here: it has more than the 10 MB that Google exports."


def a_large_spreadsheet(drive: GoogleDrive, first: bytes = b"Item,Price\r\ngarnet,1\r\n") -> str:
    return drive.exported("Ledger", "spreadsheet", {XLSX: TOO_LARGE, CSV: first})


def content(connector: DriveConnector) -> str:
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.content_type, item.kind) == (MARKDOWN, "spreadsheet")
    return str(item.content)


def test_all_sheets_are_read_as_people_see_their_values(
    drive: GoogleDrive, connector: DriveConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "CELLS_AT_ONCE", 23 * 3)  # three rows
    parts = [["Part", "Share"], ["wheel", "12.5 %"], [], ["axle", "", "a|b"], ["bolt\nM8", "<!-- 00042 -->"]]
    drive.sheets[a_large_spreadsheet(drive)] = {"Q1's parts": parts, "Chart": [], "Staff": [["Ada"]]}
    assert content(connector) == (
        "## Q1's parts\n\n| Part | Share |  |\n| --- | --- | --- |\n| wheel | 12.5 % |  |\n| axle |  | a\\|b |\n"
        "| bolt M8 | <\\!-- 00042 --> |  |\n\n## Chart\n\n\n\n## Staff\n\n| Ada |\n| --- |\n"
    )


def test_a_cell_stands_below_its_header_and_sheet(drive: GoogleDrive, connector: DriveConnector) -> None:
    rows = [["Part", "Price"], *([f"part {number}", f"€{number}.00"] for number in range(2_000))]
    drive.sheets[a_large_spreadsheet(drive)] = {"Parts": rows}
    item = only(connector)
    assert isinstance(item, Document)
    (found,) = (chunk for chunk in chunk_document(item) if "| part 1999 |" in chunk.text)
    assert "| part 1999 | €1999.00 |" in found.text
    assert "| Part | Price |" in found.text
    assert found.headings == ("Parts",)


def test_a_spreadsheet_of_too_much_text_is_cut_and_says_so(
    drive: GoogleDrive, connector: DriveConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MAX_BYTES", 100)
    drive.sheets[a_large_spreadsheet(drive)] = {"One": [["x" * 30]] * 50, "Two": [["beyond"]]}
    text = content(connector)
    assert text.startswith("Only the beginning of this spreadsheet is here")
    assert text.count("x" * 30) == 4
    assert "beyond" not in text


@pytest.mark.parametrize(
    "answer",
    [error(404, "notFound"), error(403, "accessNotConfigured", "Sheets API has not been used"), error(501, "no")],
)
def test_without_the_sheets_api_the_first_sheet_says_that_it_is_alone(
    drive: GoogleDrive, connector: DriveConnector, answer: Any
) -> None:
    a_large_spreadsheet(drive, b'\xef\xbb\xbfItem,Note\r\ngarnet,"red,\nround"\r\n')
    drive.interrupt = lambda path, query: answer if path.startswith("spreadsheets/") else None
    assert content(connector) == (f"{ONLY_FIRST}\n\n| Item | Note |\n| --- | --- |\n| garnet | red, round |\n")


def test_sheets_that_cannot_be_read_now_are_tried_again(drive: GoogleDrive, connector: DriveConnector) -> None:
    a_large_spreadsheet(drive)
    drive.interrupt = lambda path, query: error(503, "backendError") if path.startswith("spreadsheets/") else None
    item = only(connector)
    assert isinstance(item, Document)
    assert str(item.content).startswith(ONLY_FIRST)
    assert isinstance(next(iter(connector.fetch(Unit("root", "My Drive"), [item.id]))), Failed)


def test_a_first_sheet_over_the_limit_is_skipped(drive: GoogleDrive, connector: DriveConnector) -> None:
    a_large_spreadsheet(drive, TOO_LARGE)
    item = only(connector)
    assert isinstance(item, Skipped)
    assert item.reason == "too large: Google exports at most 10 MB"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "https://sheets.googleapis.com/v4"),
        ({"base_url": "https://www.googleapis.com/drive/v3/"}, "https://sheets.googleapis.com/v4"),
        ({"base_url": "https://proxy.acme.test/google"}, "https://proxy.acme.test/google"),
        (
            {"base_url": "https://proxy.acme.test/drive", "sheets_url": "https://proxy.acme.test/sheets"},
            "https://proxy.acme.test/sheets",
        ),
    ],
)
def test_credentials_go_to_no_host_that_is_not_configured(given: dict[str, str], expected: str) -> None:
    asked = DriveConnection.model_validate({"id": "acme", "source": "drive", "token": SecretStr("t"), **given})
    assert asked.sheets_base == expected
