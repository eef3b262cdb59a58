"""PDF files made for tests, object by object: https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

_GLYPHS = "/hyphentwo /afii10066 /afii10067 /afii57664 /afii57665 /afii57666"
"""U+2010, two small letters of Cyrillic and three of Hebrew, for which there is no place otherwise."""
_ENCODING = f"/Encoding << /BaseEncoding /WinAnsiEncoding /Differences [1 {_GLYPHS}] >>"
_FONT = f"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica {_ENCODING} >> >> >>"
_PIXEL = "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"


@dataclass(slots=True)
class Pdf:
    """Puts a file together. `widgets` and `entries` are objects of fields and of the outline."""

    objects: list[str] = field(default_factory=lambda: ["", ""])
    pages: list[int] = field(default_factory=list)
    fields: list[int] = field(default_factory=list)
    titles: list[tuple[str, int]] = field(default_factory=list)

    def add(self, content: str) -> int:
        """The number of a new object."""
        self.objects.append(content)
        return len(self.objects)

    def stream(self, content: str, described: str = "") -> int:
        data = content.encode("latin-1").hex()
        head = f"<< {described} /Length {len(data) + 1} /Filter /ASCIIHexDecode >>"
        return self.add(f"{head}\nstream\n{data}>\nendstream")

    def page(self, *lines: str, annotations: Sequence[str] = (), image: float = 0.0, title: str = "") -> Pdf:
        """A page of 600 by 800, with lines of text, annotations, a picture of this share of its width and height, and a
        title of the outline that leads to it."""
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
        content = f"BT /F1 11 Tf 50 700 Td {shown} ET" if lines else ""
        resources = _FONT
        if image:
            picture = self.stream("\x80", _PIXEL)
            content += f" q {600 * image} 0 0 {800 * image} 0 0 cm /Im Do Q"
            resources = f"/Resources << /XObject << /Im {picture} 0 R >> {_FONT.removeprefix('/Resources << ')}"
        notes = [self.add(f"<< /Type /Annot /Rect [200 690 400 710] {one} >>") for one in annotations]
        self.fields += [number for number, one in zip(notes, annotations, strict=True) if "/Widget" in one]
        shown_notes = f"/Annots [{' '.join(f'{number} 0 R' for number in notes)}]" if notes else ""
        body = f"/MediaBox [0 0 600 800] {resources} /Contents {self.stream(content)} 0 R {shown_notes}"
        self.pages.append(self.add(f"<< /Type /Page /Parent 2 0 R {body} >>"))
        if title:
            self.titles.append((title, self.pages[-1]))
        return self

    def pages_alike(self, count: int, content: str) -> Pdf:
        """Many pages with the same content."""
        shared = self.stream(content)
        for _ in range(count):
            self.pages.append(
                self.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] {_FONT} /Contents {shared} 0 R >>")
            )
        return self

    def data(self) -> bytes:
        fields = f"/AcroForm << /Fields [{self._references(self.fields)}] >>" if self.fields else ""
        self.objects[0] = f"<< /Type /Catalog /Pages 2 0 R {fields} {self._outline()} >>"
        self.objects[1] = f"<< /Type /Pages /Kids [{self._references(self.pages)}] /Count {len(self.pages)} >>"
        body, offsets = bytearray(b"%PDF-1.7\n"), []
        for number, content in enumerate(self.objects, start=1):
            offsets.append(len(body))
            body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
        table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
        size = len(self.objects) + 1
        end = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
        return bytes(body) + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()

    def _outline(self) -> str:
        if not self.titles:
            return ""
        root = len(self.objects) + 1
        first = root + 1
        self.add(f"<< /Type /Outlines /First {first} 0 R /Last {root + len(self.titles)} 0 R >>")
        for place, (title, page) in enumerate(self.titles):
            following = f"/Next {first + place + 1} 0 R" if place + 1 < len(self.titles) else ""
            self.add(f"<< /Title ({title}) /Parent {root} 0 R {following} /Dest [{page} 0 R /Fit] >>")
        return f"/Outlines {root} 0 R"

    @staticmethod
    def _references(numbers: Sequence[int]) -> str:
        return " ".join(f"{number} 0 R" for number in numbers)


def text_field(name: str, value: str, more: str = "") -> str:
    return f"/Subtype /Widget /FT /Tx /T ({name}) /V ({value}) {more}"


def packed_pages(count: int, line: str, lines: int) -> bytes:
    """A small file of which much text comes: all pages show one compressed content."""
    content = zlib.compress(f"BT /F1 1 Tf 5 790 Td {f'({line}) Tj 0 -1.3 Td ' * lines} ET".encode(), 9)
    pdf = Pdf()
    described = f"<< /Length {len(content)} /Filter /FlateDecode >>"
    shared = pdf.add(f"{described}\nstream\n{content.decode('latin-1')}\nendstream")
    for _ in range(count):
        pdf.pages.append(
            pdf.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] {_FONT} /Contents {shared} 0 R >>")
        )
    return pdf.data()
