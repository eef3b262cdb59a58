"""The text of Word's paragraphs as it stands after all tracked changes are accepted (ECMA-376-1, 17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.chunking.formats.openxml.equations import equation_text
from pipelines.chunking.formats.openxml.symbols import symbol
from pipelines.chunking.formats.openxml.xml import attribute, child, child_value, chosen, local_name, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

DELETED = frozenset({"del", "moveFrom"})
_UNREAD = DELETED | {
    *("pPr", "rPr", "sdtPr", "sdtEndPr", "customXmlPr", "smartTagPr", "instrText", "delText", "delInstrText"),
    *("rt", "annotationRef", "footnoteRef", "endnoteRef"),
}
"""Formatting, what was deleted, instructions of fields, readings of ruby."""
_DRAWINGS = frozenset({"drawing", "pict", "object"})
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_REFERENCES = frozenset({"footnoteReference", "endnoteReference", "commentReference"})


@dataclass
class Paragraph:
    """`notes` are the references that stand in it: their kind (`footnoteReference`) and the note's id."""

    properties: _Element | None = None
    text: str = ""
    drawings: list[_Element] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    goes_on: bool = False
    """Its end was deleted: the next paragraph goes on in it."""


def read_paragraph(element: _Element) -> Paragraph:
    """What is in a paragraph."""
    reader = _RunReader()
    if len(element):
        first = element[0]
        if local_name(first) == "pPr":  # always the first (ECMA-376-1, 17.3.1.22)
            reader.paragraph.properties = first
            mark = child(first, "rPr")
            reader.paragraph.goes_on = mark is not None and any(local_name(one) in DELETED for one in mark)
        reader.read(element)
        reader.paragraph.text = "".join(reader.texts)
    return reader.paragraph


class _RunReader:
    def __init__(self) -> None:
        self.paragraph = Paragraph()
        self.texts: list[str] = []
        self._fields: list[bool] = []  # of each field that is open, whether its result has begun

    def read(self, element: _Element) -> None:
        for part in element:
            name = local_name(part)
            if name == "t":
                self._add(part.text or "")
            elif name in _CHARACTERS:
                self._add(_CHARACTERS[name])
            elif name not in _UNREAD:
                self._read_other(part, name)

    def _add(self, text: str) -> None:
        if all(self._fields):
            self.texts.append(text)

    def _read_other(self, element: _Element, name: str) -> None:
        match name:
            case "fldChar":
                self._read_field(element)
            case "oMath" | "oMathPara":
                self._add(equation_text(element))
            case "sym":
                self._add(symbol(attribute(element, "char"), attribute(element, "font")))
            case "AlternateContent":
                if (choice := chosen(element)) is not None:
                    self.read(choice)
            case _ if name in _DRAWINGS:
                self.paragraph.drawings.append(element)
            case _ if name in _REFERENCES:
                self.paragraph.notes.append((name, attribute(element, "id")))
            case _:
                self.read(element)

    def _read_field(self, element: _Element) -> None:
        """A field: its instruction, from `separate` on its result, which is what people see."""
        match attribute(element, "fldCharType"):
            case "begin":
                self._add(_form_field(element))
                self._fields.append(False)
            case "separate" if self._fields:
                self._fields[-1] = True
            case "end" if self._fields:
                self._fields.pop()


def _form_field(element: _Element) -> str:
    """What a field of a form shows that has no text: the entry chosen from a list, a box that is checked or not."""
    choices = child(element, "ffData", "ddList")
    if choices is not None:
        entries = [attribute(entry, "val") for entry in choices.iterfind("{*}listEntry")]
        entry = whole_number(child_value(choices, "result") or child_value(choices, "default"))
        return entries[entry] if entry < len(entries) else ""
    box = child(element, "ffData", "checkBox")
    if box is None:
        return ""
    mark = child(box, "checked")
    mark = child(box, "default") if mark is None else mark
    return "☐" if mark is None or attribute(mark, "val", "1") in ("0", "false", "off") else "☒"
