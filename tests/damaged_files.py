"""What happens to files on disks that fail."""

from __future__ import annotations

from pathlib import Path


def cut_short(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def overwrite(file: Path) -> None:
    """Its end says that it is Parquet, and what is before that does not."""
    content = file.read_bytes()
    file.write_bytes(bytes(one ^ 0x5A for one in content[:-8]) + content[-8:])
