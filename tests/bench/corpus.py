"""The documents of the engine benchmark: a folder of Markdown, HTML and text files as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import Checkpoint, Cursor, Deleted, Finding, Item, ListingEntry, Membership, Window
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT, Document, Unit

CONTENT_TYPES = {".md": MARKDOWN, ".html": HTML, ".txt": PLAIN_TEXT}
CHECKPOINT_EVERY = 100
UNIT = Unit("corpus", "corpus")


@dataclass
class FolderSource:
    """All files below `folder`, `copies` times; every read is a full one, as the engine sees it."""

    folder: Path
    copies: int = 1
    requests: int = 0

    def check(self) -> list[Finding]:
        return []

    def units(self) -> Iterator[Unit]:
        yield UNIT

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        for done, document in enumerate(self._documents(), start=1):
            yield document
            if done % CHECKPOINT_EVERY == 0:
                yield Checkpoint({})
        yield Checkpoint({}, complete=True)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        return (ListingEntry(document.id, document.title) for document in self._documents())

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        for key in document_ids:
            file, copy = self._place(key)
            yield self._document(file, copy) if file.exists() else Deleted(key)

    def unit_of(self, document_id: str) -> str | None:
        return UNIT.id if self._place(document_id)[0].exists() else None

    def memberships(self) -> Iterator[Membership]:
        return iter(())

    def close(self) -> None:
        pass

    def _documents(self) -> Iterator[Document]:
        files = sorted(file for file in self.folder.rglob("*") if file.suffix in CONTENT_TYPES)
        return (self._document(file, copy) for copy in range(self.copies) for file in files)

    def _place(self, document_id: str) -> tuple[Path, int]:
        """The file that a document is made of, and which of its copies it is."""
        path, _, copy = document_id.partition("/")[2].rpartition("#")
        return self.folder / path, int(copy)

    def _document(self, file: Path, copy: int) -> Document:
        name = file.relative_to(self.folder).as_posix()
        content = file.read_bytes().decode(errors="replace")
        return Document(
            id=f"github:bench/{name}#{copy}",
            source="github",
            connection="bench",
            unit=UNIT.id,
            kind="file",
            title=file.stem,
            url=f"https://example.com/{name}",
            content=f"{content}\n\nCopy {copy}." if copy else content,
            content_type=CONTENT_TYPES[file.suffix],
            readers=("public",),
        )
