"""What happens to the documents of a benchmark: the same each time."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

EDITS = 20
SHARE_DELETED = 0.01


def edit_files(corpus: Path) -> None:
    """Change one word in a paragraph of each of some files, always the same ones."""
    chance = random.Random(20)
    for file in chance.sample(sorted(corpus.rglob("*.md")), EDITS):
        lines = file.read_text(errors="replace").split("\n")
        prose = [number for number, line in enumerate(lines) if len(line.split()) > 8 and line[0].isalpha()]
        number = chance.choice(prose or [0])
        lines[number] = f"{lines[number]} Edited once."
        file.write_text("\n".join(lines))


def delete_files(corpus: Path) -> int:
    """Delete some files, always the same ones; returns how many."""
    files = sorted(corpus.rglob("*.*"))
    chosen = random.Random(1).sample(files, int(len(files) * SHARE_DELETED))
    for file in chosen:
        file.unlink()
    return len(chosen)


def unpack(archive: Path, folder: Path) -> None:
    """The files of an archive."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
