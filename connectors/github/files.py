"""Which files of a repository are read, and their bytes as text. Pure."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath

from connectors.github.client import Blob
from connectors.model import MARKDOWN, PLAIN_TEXT

MAX_FILE_BYTES = 2_000_000
"""Larger text files are data or generated, and would bury a repository's prose."""

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx"})
_TEXT = frozenset({".rst", ".txt", ".text", ".adoc", ".asciidoc", ".org", ".textile"})
_CODE = frozenset(
    {".bash", ".c", ".cc", ".cfg", ".clj", ".cpp", ".cs", ".ex", ".exs", ".go", ".graphql", ".h", ".hpp", ".hs"}
    | {".ini", ".java", ".jl", ".js", ".jsx", ".kt", ".lua", ".ml", ".php", ".pl", ".proto", ".py", ".r", ".rb"}
    | {".rs", ".scala", ".sh", ".sql", ".svelte", ".swift", ".tf", ".toml", ".ts", ".tsx", ".vue", ".yaml", ".yml"}
)
_NAMES = frozenset(
    {"authors", "changelog", "changes", "code_of_conduct", "codeowners", "contributing", "contributors", "copying"}
    | {"copyright", "governance", "history", "install", "licence", "license", "maintainers", "news", "notice"}
    | {"patents", "readme", "security", "support", "thanks", "todo"}
)
_SYMBOLIC_LINK = "120000"
_LFS_POINTER = "version https://git-lfs.github.com/spec/"


def media_type(path: str) -> str | None:
    """Media type of a text file by its name, None for any other file."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if suffix in _MARKDOWN:
        return MARKDOWN
    named = not suffix and name.name.lower() in _NAMES
    if suffix in _TEXT | _CODE or named or name.name.lower().startswith("license-"):
        return PLAIN_TEXT
    return None


def unread(blob: Blob) -> str | None:
    """Why a file is passed over without reading it, None if it is to be read."""
    if media_type(blob.path) is None:
        return "not a text file by its name"
    if blob.mode == _SYMBOLIC_LINK:
        return "symbolic link"
    if blob.size > MAX_FILE_BYTES:
        return f"larger than {MAX_FILE_BYTES / 1e6:g} MB ({blob.size / 1e6:.1f} MB)"
    return None


def unusable(content: bytes) -> str | None:
    """Why a file that was read is passed over, None if it is text."""
    if not content.strip():
        return "empty"
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "binary content"
    if content.startswith(_LFS_POINTER.encode()):
        return "kept in Git LFS"
    return None


def decoded(content: bytes) -> str:
    """Text of a file: UTF-8, UTF-16 where it says so, and Windows-1252 for what is neither."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
