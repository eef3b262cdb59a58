"""Which files of a repository are read, and what their bytes are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from connectors.file_content import FileContent, SkipFile, parse_content
from connectors.github.trees import GitFile
from connectors.media import BY_EXTENSION, CALENDAR, CSV, EML, JSON, OLE, TSV, by_content, by_name
from connectors.model import MARKDOWN, PLAIN_TEXT

MAX_FILE_BYTES = 2_000_000
"""Larger text files are data or generated, and would bury a repository's prose."""

_MARKDOWN = frozenset(f".{extension}" for extension, media_type in BY_EXTENSION.items() if media_type == MARKDOWN)
_READ_AS_NAMED = frozenset({MARKDOWN, JSON, CSV, TSV, EML, CALENDAR})
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
SYMBOLIC_LINK = "120000"
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_LFS_POINTER = "version https://git-lfs.github.com/spec/"


def media_type(path: str) -> str:
    """Media type of a text file by its name: source code, HTML's too, is read as the text that it is."""
    named = by_name(path)
    return named if named and named in _READ_AS_NAMED else PLAIN_TEXT


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
        if file.mode == SYMBOLIC_LINK:
            return "symbolic link"
        if file.size > MAX_FILE_BYTES:
            return f"larger than {MAX_FILE_BYTES / 1e6:g} MB ({file.size / 1e6:.1f} MB)"
        return None


def read_file(data: bytes, path: str) -> FileContent:
    """What a file of a repository holds: text, or a file of a format that is read. Raises SkipFile."""
    if not data.strip():
        raise SkipFile("empty")
    if data.startswith(_LFS_POINTER.encode()):
        raise SkipFile("kept in Git LFS")
    found = by_content(data)
    try:
        return parse_content(data, found if found and found not in (OLE, EML) else media_type(path))
    except SkipFile as skipped:
        raise SkipFile("binary content" if b"\0" in data else skipped.reason) from None


def _is_named_like_text(path: str) -> bool:
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    named = not suffix and name.name.lower() in _NAMES
    return suffix in _MARKDOWN | _TEXT | _CODE or named or name.name.lower().startswith("license-")


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.lstrip("/"))
    return re.compile("".join(_WILDCARDS.get(token, re.escape(token)) for token in tokens))
