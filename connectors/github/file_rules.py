"""Which files of a repository are read, and their bytes as text. Pure."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from connectors.github.trees import GitFile
from connectors.media import BY_EXTENSION, by_name
from connectors.model import MARKDOWN, PLAIN_TEXT

MAX_FILE_BYTES = 2_000_000
"""Larger text files are data or generated, and would bury a repository's prose."""

_MARKDOWN = frozenset(f".{extension}" for extension, media_type in BY_EXTENSION.items() if media_type == MARKDOWN)
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
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_LFS_POINTER = "version https://git-lfs.github.com/spec/"


def media_type(path: str) -> str:
    """Media type of a text file by its name: source code, HTML's too, is read as the text that it is."""
    return MARKDOWN if by_name(path) == MARKDOWN else PLAIN_TEXT


@dataclass(frozen=True, slots=True)
class FileRules:
    """Which files are read: those that match one of `patterns`; without any, those whose name is one of text.

    In a pattern, `*` and `?` stand for anything inside a folder or file name, `**` for any folders between
    two slashes, and a pattern that ends in `/**` takes in all that is below.
    """

    patterns: tuple[str, ...] = ()

    def reason_to_skip(self, file: GitFile) -> str | None:
        """Why a file is passed over without reading it, None if it is to be read."""
        if self.patterns and not any(_expression(pattern).fullmatch(file.path) for pattern in self.patterns):
            return "not among the connection's `files`"
        if not self.patterns and not _is_named_like_text(file.path):
            return "not a text file by its name"
        if file.mode == _SYMBOLIC_LINK:
            return "symbolic link"
        if file.size > MAX_FILE_BYTES:
            return f"larger than {MAX_FILE_BYTES / 1e6:g} MB ({file.size / 1e6:.1f} MB)"
        return None


def reason_unusable(content: bytes) -> str | None:
    """Why a file that was read is passed over, None if it is text."""
    if not content.strip():
        return "empty"
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "binary content"
    if content.startswith(_LFS_POINTER.encode()):
        return "kept in Git LFS"
    return None


def decode_text(content: bytes) -> str:
    """Text of a file: UTF-8, UTF-16 where it says so, and Windows-1252 for what is neither."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _is_named_like_text(path: str) -> bool:
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    named = not suffix and name.name.lower() in _NAMES
    return suffix in _MARKDOWN | _TEXT | _CODE or named or name.name.lower().startswith("license-")


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.lstrip("/"))
    return re.compile("".join(_WILDCARDS.get(token, re.escape(token)) for token in tokens))
