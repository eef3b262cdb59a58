"""The content of documents that were pushed: a file for each state of each, written once and never changed.

<url>/pushed/<connection>-bodies/<two digits>/<id>
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from pipelines.errors import LandingUnavailable
from pipelines.landing.files import LandingFiles

_FOLDER = "pushed"


class PushedBodies:
    """Raises LandingUnavailable where the landing cannot be used now."""

    def __init__(self, files: LandingFiles) -> None:
        self._files = files

    def write(self, connection: str, content: bytes) -> str:
        """Keep a content, durably when this returns, under the path that it returns."""
        name = uuid4().hex
        path = f"{_folder(connection)}/{name[:2]}/{name}"
        with _naming_trouble(), self._files.atomic(path) as file:
            file.write(content)
            if not self._files.in_s3:
                file.flush()
                os.fsync(file.fileno())
        return path

    def read(self, path: str) -> bytes:
        """Raises FileNotFoundError where there is none any more."""
        with _naming_trouble():
            return self._files.read(path)

    def remove(self, path: str) -> bool:
        """False where there is none."""
        with _naming_trouble():
            return self._files.remove(path)

    def list(self, connection: str | None = None, older_than: timedelta = timedelta()) -> Iterator[str]:
        """Paths of one connection, or of all, that were written that long ago."""
        with _naming_trouble():
            yield from self._files.list(_folder(connection) if connection else _FOLDER, older_than)


def _folder(connection: str) -> str:
    # No path of a connection's is one of its loads, or those of another.
    return f"{_FOLDER}/{connection}-bodies"


@contextmanager
def _naming_trouble() -> Iterator[None]:
    """Object stores have errors of many kinds, not all of which are an OSError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise LandingUnavailable(error) from error
