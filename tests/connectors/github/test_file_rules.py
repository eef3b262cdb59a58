from __future__ import annotations

import pytest

from connectors.contract import Checkpoint, PartState, Skipped
from connectors.github.file_rules import FileRules, media_type
from connectors.github.settings import GitHubConnection
from connectors.github.source import connect
from connectors.github.trees import GitFile
from connectors.model import MARKDOWN, PLAIN_TEXT, Document, Unit
from tests.connectors.github.conftest import OneRepository


@pytest.mark.parametrize(
    ("path", "is_read"),
    [
        ("README.md", True),
        ("docs/Guide.MDX", True),
        ("notes.txt", True),
        ("a/b/main.py", True),
        ("Makefile", False),
        ("LICENSE", True),
        ("LICENSE-MIT", True),
        ("CODEOWNERS", True),
        ("logo.png", False),
        ("package-lock.json", False),
    ],
)
def test_without_patterns_names_decide(path: str, is_read: bool) -> None:
    assert (FileRules().reason_to_skip(GitFile(path, "0" * 40, "100644", 1)) is None) == is_read


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**/*.md", "README.md", True),
        ("**/*.md", "a/b/c.md", True),
        ("**/*.md", "a/b/c.mdx", False),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/a/b.md", False),
        ("src/**", "src/a/b/main.cob", True),
        ("src/**", "src", False),
        ("/src/**", "src/a", True),
        ("**", "any/thing", True),
        ("a/**/z.txt", "a/z.txt", True),
        ("a/**/z.txt", "a/b/c/z.txt", True),
        ("?.txt", "a.txt", True),
        ("?.txt", "ab.txt", False),
        ("a+(b)[1].txt", "a+(b)[1].txt", True),
        ("*.md", "READMExmd", False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert (FileRules((pattern,)).reason_to_skip(GitFile(path, "0" * 40, "100644", 1)) is None) == matches


def test_media_types() -> None:
    assert (media_type("a.md"), media_type("main.cob"), media_type("Makefile")) == (MARKDOWN, PLAIN_TEXT, PLAIN_TEXT)


def test_other_patterns_read_the_files_anew(github: OneRepository, connection: GitHubConnection) -> None:
    unit = Unit("77", "acme/api")
    github.api.files = {"README.md": b"# Api", "src/main.cob": b"STOP RUN.", "src/logo.png": b"\x89PNG\0"}
    github.add_issue(1)
    *_, last = connect(connection, github.transport()).read(unit)
    assert isinstance(last, Checkpoint)
    narrowed = connect(connection.model_copy(update={"files": ("src/**",)}), github.transport())
    items = list(narrowed.read(unit, last.cursor))
    assert [item.title for item in items if isinstance(item, Document)] == ["src/main.cob"]
    assert {item.title: item.reason for item in items if isinstance(item, Skipped)} == {
        "README.md": "not among the connection's `files`",
        "src/logo.png": "binary content",
    }
    assert isinstance(items[-1], Checkpoint)
    assert all(isinstance(item, Checkpoint | PartState) for item in narrowed.read(unit, items[-1].cursor))
