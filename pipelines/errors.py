"""Errors of Headrace outside the connectors.

HeadraceError
├─ SettingsError             the settings file or environment: the user's to fix
├─ UsageError                a command or request asks for something that does not exist
├─ DocumentError             one document cannot be processed; the rest goes on
├─ EmbeddingError            the embedding provider
│  ├─ EmbeddingUnavailable   … does not answer; another attempt later can succeed
│  └─ EmbeddingRefused       … refuses: wrong key, unknown model, wrong dimensions: the user's to fix
└─ IndexStoreError           the index
   ├─ IndexBusy              … is held by another writer
   └─ IndexMismatch          … was made for another model, or with other settings
"""

from __future__ import annotations


class HeadraceError(Exception):
    """Base of all errors that Headrace raises on purpose; its message is for people."""


class SettingsError(HeadraceError):
    """`path` is the place in the settings file: `connections[1].token`."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"{path}: {reason}")


class UsageError(HeadraceError):
    """A command or request asks for something that does not exist or does not fit."""


class DocumentError(HeadraceError):
    """One document cannot be processed. `reason` is recorded with the document."""

    def __init__(self, reason: str, *, skip: bool = False) -> None:
        self.reason = reason
        self.skip = skip
        super().__init__(reason)


class EmbeddingError(HeadraceError):
    """The embedding provider failed."""


class EmbeddingUnavailable(EmbeddingError):
    """The provider does not answer; another attempt later can succeed."""


class EmbeddingRefused(EmbeddingError):
    """The provider refuses the request for good."""


class IndexStoreError(HeadraceError):
    """The index failed."""


class IndexBusy(IndexStoreError):
    """Another process writes the index."""


class IndexMismatch(IndexStoreError):
    """The collection was made for another model, dimensions or chunking."""
