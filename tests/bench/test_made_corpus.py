"""The benchmark's corpus is the same everywhere, so that its figures can be compared."""

from __future__ import annotations

from pathlib import Path

from tests.bench.made_corpus import write_corpus

KINDS = {"md": 3, "html": 2, "txt": 1}


def contents(folder: Path) -> dict[str, bytes]:
    write_corpus(folder, KINDS)
    return {file.name: file.read_bytes() for file in folder.rglob("*.*")}


def test_the_same_documents_are_made_again(tmp_path: Path) -> None:
    made = contents(tmp_path / "one")
    assert made == contents(tmp_path / "two")
    assert sorted(made) == ["html0000.html", "html0001.html", "md0000.md", "md0001.md", "md0002.md", "txt0000.txt"]


def test_documents_have_structure_and_differ(tmp_path: Path) -> None:
    made = contents(tmp_path)
    assert len(set(made.values())) == len(made)
    assert made["md0000.md"].startswith(b"# ")
    assert b"<h2>" in made["html0000.html"]
