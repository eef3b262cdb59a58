"""What chunking makes of a document."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from uuid import UUID, uuid5

_NAMESPACE = UUID("6d2b2a52-7a0b-5b67-9d34-6a2f0f5b8e11")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document.

    `text` is what a reader sees; `header` (title, breadcrumb, source, date, author) and the headings above are
    put before it for embedding and lexical search only. `occurrence` counts equal texts in one document from 0.
    """

    document_id: str
    position: int
    headings: tuple[str, ...]
    text: str
    header: str
    occurrence: int = 0

    @property
    def id(self) -> str:
        """Point id: the same document and text give the same id, whatever is around it."""
        text_hash = hashlib.sha256(self.text.encode()).hexdigest()
        return str(uuid5(_NAMESPACE, f"{self.document_id}\0{text_hash}\0{self.occurrence}"))

    @property
    def embedded_text(self) -> str:
        """The exact text that is embedded and indexed for lexical search.

        In NFC (Unicode Standard Annex 15), in which models know letters with accents; other sources hand out NFD.
        """
        above = "\n".join(part for part in (self.header, " > ".join(self.headings)) if part)
        return unicodedata.normalize("NFC", f"{above}\n\n{self.text}" if above else self.text)
