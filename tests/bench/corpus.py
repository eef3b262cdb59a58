"""The documents of the engine benchmark: a folder of Markdown, HTML and text files as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import Checkpoint, Cursor, Deleted, Finding, Item, Membership, Window
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
        files = sorted(file for file in self.folder.rglob("*") if file.suffix in CONTENT_TYPES)
        done = 0
        for copy in range(self.copies):
            for file in files:
                yield self._document(file, copy)
                done += 1
                if done % CHECKPOINT_EVERY == 0:
                    yield Checkpoint({})
        yield Checkpoint({}, complete=True)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        for key in document_ids:
            path, _, copy = key.partition("/")[2].rpartition("#")
            file = self.folder / path
            yield self._document(file, int(copy)) if file.exists() else Deleted(key)

    def memberships(self) -> Iterator[Membership]:
        return iter(())

    def close(self) -> None:
        pass

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
