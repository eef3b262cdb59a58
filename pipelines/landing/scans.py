"""What an API has read on pages that are pictures: kept, since it is paid for, as long as the document is.

<url>/scans/<connection>/<hash of the document's id>/<name>.json
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from connectors.model import Document
from pipelines.landing.files import LandingFiles


class ScanCache:
    def __init__(self, files: LandingFiles) -> None:
        self._files = files

    def read(self, document: Document, name: str) -> str | None:
        """What was kept under a name; None if nothing was."""
        path = f"{_folder(document.connection, document.id)}/{name}.json"
        return self._files.read(path).decode() if self._files.exists(path) else None

    def write(self, document: Document, name: str, text: str) -> None:
        with self._files.atomic(f"{_folder(document.connection, document.id)}/{name}.json") as file:
            file.write(text.encode())

    def remove(self, connection: str, documents: Collection[str]) -> None:
        """Remove all that is kept of these documents."""
        if not self._files.exists(f"scans/{connection}"):
            return
        for document_id in documents:
            for path in list(self._files.list(_folder(connection, document_id))):
                self._files.remove(path)


def _folder(connection: str, document_id: str) -> str:
    return f"scans/{connection}/{hashlib.sha256(document_id.encode()).hexdigest()[:32]}"
