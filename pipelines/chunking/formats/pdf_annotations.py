"""What was filled into the fields of a PDF form, and typed onto its pages.

Fields and annotations are asked for by PDFium's C interface, of which pypdfium2 has no other:
https://pdfium.googlesource.com/pdfium/+/refs/heads/main/public/fpdf_annot.h
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_MOST = 5_000
"""Of a page."""
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = 1 << 1
_PASSWORD = 1 << 13
"""Flags of annotations and of text fields: tables 165 and 228 of ISO 32000-1."""
_CHECKED = {"", "on", "yes", "true", "1"}
"""What forms call a box that is checked, where it says no more than that."""


def annotation_texts(page: PdfPage) -> list[str]:
    """Lines: `label: value` for each field that is filled in, and the text of each annotation."""
    import pypdfium2.raw as pdfium

    count = min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST)
    lines: dict[str, None] = {}  # a field may have several places on a page
    for number in range(count):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        try:
            lines.update(dict.fromkeys(_texts(page, annotation)))
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    return list(lines)


def _texts(page: PdfPage, annotation: Any) -> Iterator[str]:
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind in (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP) or pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
        return
    if kind == pdfium.FPDF_ANNOT_WIDGET:
        if page.formenv and (value := _field_value(page.formenv.raw, annotation)):
            yield f"{_label(page, annotation)}: {value}"
        return
    text = _string(annotation, b"Contents") or _TAG.sub(" ", _string(annotation, b"RC"))
    author = "" if kind == pdfium.FPDF_ANNOT_FREETEXT else _string(annotation, b"T")
    if text := " ".join(text.split()):
        yield f"{author}: {text}" if author else text


def _field_value(form: Any, annotation: Any) -> str:
    """What a field holds as people see it; empty for one that is not filled in, or that is no text."""
    import pypdfium2.raw as pdfium

    match pdfium.FPDFAnnot_GetFormFieldType(form, annotation):
        case pdfium.FPDF_FORMFIELD_CHECKBOX | pdfium.FPDF_FORMFIELD_RADIOBUTTON:
            if not pdfium.FPDFAnnot_IsChecked(form, annotation):
                return ""
            value = _read(pdfium.FPDFAnnot_GetFormFieldExportValue, form, annotation)
            return "yes" if value.casefold() in _CHECKED else value
        case pdfium.FPDF_FORMFIELD_COMBOBOX | pdfium.FPDF_FORMFIELD_LISTBOX:
            chosen = ", ".join(_chosen_options(form, annotation))
            return chosen or _read(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
        case pdfium.FPDF_FORMFIELD_TEXTFIELD:
            is_secret = pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD
            return "" if is_secret else _read(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    return ""


def _chosen_options(form: Any, annotation: Any) -> Iterator[str]:
    """Labels of the options that are selected: the value of a field may be an abbreviation."""
    import pypdfium2.raw as pdfium

    for number in range(min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), _MOST)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, number):
            yield _read(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number)


def _label(page: PdfPage, annotation: Any) -> str:
    """What the form calls a field to people, or else what stands left of it, or else its name."""
    import pypdfium2.raw as pdfium

    form = page.formenv.raw
    return (
        _read(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
        or _text_left_of(page, annotation)
        or _read(pdfium.FPDFAnnot_GetFormFieldName, form, annotation)
    ).rstrip(": ")


def _text_left_of(page: PdfPage, annotation: Any) -> str:
    import pypdfium2.raw as pdfium

    place = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(annotation, place):
        return ""
    text_page = page.get_textpage()
    try:
        found = text_page.get_text_bounded(left=0, bottom=place.bottom, right=place.left, top=place.top)
    finally:
        text_page.close()
    return " ".join(found.split())


def _string(annotation: Any, key: bytes) -> str:
    import pypdfium2.raw as pdfium

    return _read(pdfium.FPDFAnnot_GetStringValue, annotation, key)


def _read(function: Callable[..., int], *arguments: Any) -> str:
    """A string that PDFium writes into a buffer, as UTF-16, when it has said how many bytes that takes."""
    size = function(*arguments, None, 0)
    if size <= 2:  # the end mark alone
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", errors="replace").replace("\r", "\n").strip()
