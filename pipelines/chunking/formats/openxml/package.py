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
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

PART_BYTES = 64_000_000
"""No part may be larger than this, unpacked: the largest sheets that people keep have about 50 MB."""
FILE_BYTES = 4 * PART_BYTES
"""Nor all that is read of a file."""
_MARKUP = 1_500_000
"""Tags and attributes that may be in memory at once; the parser's tree takes about 100 bytes for each."""
_FORGET_EVERY = 256
_PORTION = 1 << 16
_DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
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

    def __contains__(self, part: str) -> bool:
        return _part_name(part) in self._members

    def portions(self, part: str) -> Iterator[bytes]:
        """The bytes of a part. Raises BrokenPart, and DocumentError where it is too large."""
        member = self._members.get(_part_name(part))
        if member is None:
            raise BrokenPart(f"{part} is missing")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BrokenPart(f"{part} is packed in a way that Office files may not be")
        size = 0
        try:
            with self._zip.open(member) as stream:
                while portion := stream.read(_PORTION):
                    size += len(portion)
                    self._unpacked += len(portion)
                    self._check_size(part, size)
                    yield portion
        except _DAMAGES as error:
            raise BrokenPart(f"{part}: {error}") from None

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
        """Each element of a name in `whole` that is in no other such, complete; it is gone when the next is asked for.

        With `ends`, also elements of these names that are in none of `whole`, without what was told of before; nothing
        in what has a name in `passed`. So the memory needed is that of one element. Raises BrokenPart where the XML
        ends or breaks, DocumentError where there are too many elements.
        """
        from lxml import etree

        parser = etree.XMLPullParser(("end",), tag=[f"{{*}}{name}" for name in (*whole, *ends)], **_PARSING)
        around = frozenset((*whole, *passed))
        known, is_inner = None, False
        markup = 0
        try:
            for portion in self._markup(part):
                markup += _count_markup(part, portion, markup)
                parser.feed(portion)
                for _, element in parser.read_events():
                    if (parent := element.getparent()) is not known:  # most have the same as the one before
                        known, is_inner = parent, _is_inside(element, around)
                    if not is_inner:
                        self.count_element(part)
                        yield element
                        _forget(element, self._streamed)
                        markup = 0
            parser.close()
        except etree.XMLSyntaxError as error:
            raise BrokenPart(f"{part}: {error}") from None

    def count_element(self, part: str) -> None:
        """Count one more element that is read. Raises DocumentError where there are too many."""
        self._streamed += 1
        if self._streamed > self._elements:
            raise DocumentError(f"too expensive: over {self._elements:,} paragraphs, rows or texts, last in {part}")

    def parse(self, part: str) -> _Element:
        """The root of a part. Raises BrokenPart."""
        from lxml import etree

        parser = etree.XMLParser(**_PARSING)
        markup = 0
        try:
            for portion in self._markup(part):
                markup += _count_markup(part, portion, markup)
                parser.feed(portion)
            return parser.close()
        except etree.XMLSyntaxError as error:
            raise BrokenPart(f"{part}: {error}") from None

    def find(self, part: str) -> _Element | None:
        """The root of a part, None where it is missing or broken."""
        try:
            return self.parse(part)
        except BrokenPart:
            return None

    def _markup(self, part: str) -> Iterator[bytes]:
        """The bytes of an XML part, which has no document type: entities are declared there (ECMA-376-2, 7.2)."""
        portions = self.portions(part)
        first = next(portions, b"")
        if any(mark in first for mark in _DOCTYPES):
            raise BrokenPart(f"{part} declares a document type, which Office files may not")
        yield first
        yield from portions

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
                if self._root_name(part) == root:
                    return part
            except BrokenPart as broken:
                reason = broken
        raise reason

    def _root_name(self, part: str) -> str:
        from lxml import etree

        parser = etree.XMLPullParser(("start",), **_PARSING)
        try:
            parser.feed(next(self._markup(part)))
            return next((local_name(element) for _, element in parser.read_events()), "")
        except etree.XMLSyntaxError as error:
            raise BrokenPart(f"{part}: {error}") from None

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


_PARSING = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "remove_comments": True,
    "remove_pis": True,
}


def _count_markup(part: str, portion: bytes, before: int) -> int:
    """Tags and attributes of a portion, about. Raises DocumentError where with those `before` there are too many."""
    count = portion.count(b"<") + portion.count(b"=")
    if before + count > _MARKUP:
        raise DocumentError(f"too expensive: {part} has over {_MARKUP:,} tags and attributes in one piece")
    return count


def _is_inside(element: _Element, names: Collection[str]) -> bool:
    """Whether an element is in one of some names. A loop: lxml's own search takes three times as long."""
    parent = element.getparent()
    while parent is not None:
        if local_name(parent) in names:
            return True
        parent = parent.getparent()
    return False


def _forget(element: _Element, count: int) -> None:
    """Free what has been read: the element's content, and now and then what is before it in all that is open."""
    element.clear()
    if count % _FORGET_EVERY:
        return
    for node in (element, *element.iterancestors()):
        parent = node.getparent()
        while parent is not None and node.getprevious() is not None:
            del parent[0]


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
