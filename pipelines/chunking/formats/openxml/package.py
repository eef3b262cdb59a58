"""An Office file as parts and the relations between them, read within bounds.

Parts are read one by one and leniently: what is missing or broken costs itself. A part's size is what really comes out
of the zip and not what its directory claims.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipelines.chunking.formats.openxml.xml import attribute, local_name
from pipelines.chunking.formats.openxml.xml_stream import XmlError, parse_portions, root_name, stream_elements
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

PART_BYTES = 64_000_000
"""No part may be larger than this, unpacked: the largest sheets that people keep have about 50 MB."""
FILE_BYTES = 4 * PART_BYTES
"""Nor all that is read of a file."""
_PORTION = 1 << 16
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
"""What a damaged, encrypted or oddly packed member makes zipfile raise."""


class BrokenPart(Exception):
    """A part of an Office file is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` is the last word of the relation's type; `target` a part's name, or an address if it is `external`."""

    id: str
    kind: str
    target: str
    external: bool


class Package:
    """The parts of one Office file, by their names without a slash before them.

    At most `elements` paragraphs, rows, strings and such are read of it. Raises zipfile.BadZipFile for what is no zip.
    """

    def __init__(self, content: bytes, elements: int) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        # Names are compared without regard to case, and some programs write backslashes (ECMA-376-2, 6.2.2.3).
        self._members = {_part_name(member.filename): member for member in self._zip.infolist()}
        self._unpacked = 0
        self._elements = elements
        self._streamed = 0
        self._relations: dict[str, dict[str, Relation]] = {}
        self._left_out: dict[str, None] = {}

    @property
    def left_out(self) -> list[str]:
        """The parts that were asked for and could not be read to their end."""
        return list(self._left_out)

    def leave_out(self, part: str) -> None:
        """Note that a part is not read, or not to its end."""
        self._left_out[part] = None

    def __contains__(self, part: str) -> bool:
        return _part_name(part) in self._members

    def portions(self, part: str) -> Iterator[bytes]:
        """The bytes of a part. Raises BrokenPart, and DocumentError where it is too large."""
        member = self._members.get(_part_name(part))
        if member is None:
            raise self._broken(part, "it is missing")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._broken(part, "it is packed in a way that Office files may not be")
        size = 0
        try:
            with self._zip.open(member) as stream:
                while portion := stream.read(_PORTION):
                    size += len(portion)
                    self._unpacked += len(portion)
                    self._check_size(part, size)
                    yield portion
        except _DAMAGES as error:
            raise self._broken(part, str(error)) from None

    def _broken(self, part: str, reason: str) -> BrokenPart:
        self.leave_out(part)
        return BrokenPart(f"{part}: {reason}")

    def _check_size(self, part: str, size: int) -> None:
        if size > PART_BYTES:
            raise DocumentError(f"too expensive: {part} has over {PART_BYTES // 1_000_000} MB unpacked")
        if self._unpacked > FILE_BYTES:
            raise DocumentError(f"too expensive: over {FILE_BYTES // 1_000_000} MB unpacked, last {part}")

    def read(self, part: str) -> bytes:
        """All bytes of a part. Raises as `portions` does."""
        return b"".join(self.portions(part))

    def stream(
        self, part: str, whole: Collection[str], ends: Collection[str] = (), passed: Collection[str] = ()
    ) -> Iterator[_Element]:
        """The elements of a part, as `stream_elements` tells them.

        Raises BrokenPart where the XML ends or breaks, DocumentError where there are too many elements.
        """
        try:
            for element in stream_elements(self.portions(part), whole, ends, passed):
                self.count_element(part)
                yield element
        except XmlError as error:
            raise self._broken(part, str(error)) from None

    def count_element(self, part: str) -> None:
        """Count one more element that is read. Raises DocumentError where there are too many."""
        self._streamed += 1
        if self._streamed > self._elements:
            raise DocumentError(f"too expensive: over {self._elements:,} paragraphs, rows or texts, last in {part}")

    def parse(self, part: str) -> _Element:
        """The root of a part. Raises BrokenPart."""
        try:
            return parse_portions(self.portions(part), is_lenient=part.lower().endswith(".vml"))
        except XmlError as error:
            raise self._broken(part, str(error)) from None

    def find(self, part: str) -> _Element | None:
        """The root of a part, None where it is missing or broken."""
        try:
            return self.parse(part) if part in self else None
        except BrokenPart:
            return None

    def relations(self, part: str) -> dict[str, Relation]:
        """The relations of a part by their ids, "" for those of the file; none where they cannot be read."""
        if part not in self._relations:
            folder, name = posixpath.split(part)
            root = self.find(posixpath.join(folder, "_rels", f"{name}.rels"))
            self._relations[part] = {} if root is None else {one.id: one for one in _relations(root, folder)}
        return self._relations[part]

    def related(self, part: str, *kinds: str) -> Iterator[str]:
        """The parts that a part has relations of some kinds to, in their order."""
        for relation in self.relations(part).values():
            if relation.kind in kinds and not relation.external and relation.target in self:
                yield relation.target

    def target(self, part: str, relation_id: str) -> str | None:
        """The part that a relation of `part` leads to, if there is one."""
        relation = self.relations(part).get(relation_id)
        return relation.target if relation and not relation.external and relation.target in self else None

    def main_part(self, root: str, usual: str) -> str:
        """The part that all others hang on, whose root has the name `root`. Raises BrokenPart."""
        reason = BrokenPart(f"there is no {root} in it")
        for part in (*self.related("", "officeDocument"), usual):
            try:
                if root_name(self.portions(part)) == root:
                    return part
            except BrokenPart as broken:
                reason = broken
            except XmlError as error:
                reason = BrokenPart(f"{part}: {error}")
        raise reason

    @cached_property
    def media_types(self) -> dict[str, str]:
        """Media types by the names of parts, and by their endings, without a dot before them."""
        root = self.find("[Content_Types].xml")
        types = {}
        for element in () if root is None else root:
            name = attribute(element, "PartName") or attribute(element, "Extension")
            types[_part_name(name)] = attribute(element, "ContentType")
        return types

    def media_type(self, part: str) -> str:
        """The media type of a part, "" if it is not declared."""
        ending = posixpath.splitext(part)[1].lstrip(".").lower()
        return self.media_types.get(_part_name(part)) or self.media_types.get(ending, "")


def _relations(root: _Element, folder: str) -> Iterator[Relation]:
    for element in root:
        if local_name(element) != "Relationship":
            continue
        target = attribute(element, "Target")
        external = attribute(element, "TargetMode") == "External"
        if not external:
            target = posixpath.normpath(posixpath.join("/", folder, target.replace("\\", "/"))).lstrip("/")
        kind = attribute(element, "Type").rpartition("/")[2]
        yield Relation(attribute(element, "Id"), kind, target, external)


def _part_name(name: str) -> str:
    return unquote(name).replace("\\", "/").lstrip("/").lower()
