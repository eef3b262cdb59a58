"""The most memory that a container may use, as control groups tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.metrics.process import memory_limit


@pytest.mark.parametrize(
    ("told", "limit"), [("2147483648\n", 2_147_483_648), ("max\n", None), ("9223372036854771712\n", None)]
)
def test_the_limit_is_what_the_first_file_says(tmp_path: Path, told: str, limit: int | None) -> None:
    (tmp_path / "limit").write_text(told)
    assert memory_limit((tmp_path / "none", tmp_path / "limit")) == limit


def test_without_control_groups_there_is_none(tmp_path: Path) -> None:
    assert memory_limit((tmp_path / "none",)) is None
