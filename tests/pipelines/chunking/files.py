"""Files made for tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeAlias

import docx
import openpyxl
import pptx

from connectors.model import Document

MakeDocument: TypeAlias = Callable[..., Document]
"""The fixture `document`: a document of a content, a media type, and any other field."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OFFICE}.wordprocessingml.document"
PPTX = f"{_OFFICE}.presentationml.presentation"
XLSX = f"{_OFFICE}.spreadsheetml.sheet"
PDF = "application/pdf"
MAIL = "message/rfc822"


def pdf(*pages: str, encrypted: bool = False) -> bytes:
    """A PDF with a line of text for each line of a page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    for page in pages:
        lines = " ".join(f"({line}) Tj 0 -14 Td" for line in page.split("\n") if line)
        content = f"BT /F1 11 Tf 50 700 Td {lines} ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 << /Type /Font "
            f"/Subtype /Type1 /BaseFont /Helvetica >> >> >> /Contents {len(objects) + 2} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    password = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >> /ID [<00> <00>]"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R {password if encrypted else ''} >>"
    references = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return f"{body}{references}trailer\n{trailer}\nstartxref\n{len(body)}\n%%EOF".encode()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Plan", 1)
    document.add_paragraph("A short line")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    document.add_heading("Costs", 2)
    cells = document.add_table(2, 2)
    for row, texts in zip(cells.rows, (["Item", "EUR"], ["Desk", "200"]), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return _saved(document)


def slides() -> bytes:
    presentation = pptx.Presentation()
    for number in (1, 2):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text_frame.text = f"Point {number}"
        slide.notes_slide.notes_text_frame.text = f"Say this on {number}."
    presentation.slides.add_slide(presentation.slide_layouts[6])
    return _saved(presentation)


def workbook(rows: int) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Costs"
    sheet.append(["Item", "EUR"])
    for number in range(rows):
        sheet.append([f"Item {number}", number / 2])
    book.create_sheet("Empty")
    book.create_sheet("Notes")["B2"] = "one cell"
    return _saved(book)


def _saved(file: Any) -> bytes:
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()
