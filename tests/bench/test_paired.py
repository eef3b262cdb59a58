"""The paired test of `make bench-quality`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.paired import p_value, save, show_against


@pytest.mark.parametrize(
    ("before", "after", "p"),
    [
        ([0.5] * 20, [0.5] * 20, 1.0),
        ([0.5, 0.2], [0.2, 0.5], 1.0),
        ([0.0] * 3, [1.0] * 3, 0.25),
        ([0.0] * 20, [1.0] * 20, 0.0),
    ],
)
def test_chance(before: list[float], after: list[float], p: float) -> None:
    assert p_value(before, after) == pytest.approx(p, abs=0.02)


def test_a_run_is_held_against_an_earlier_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save({"nDCG": [0.0] * 20, "gone": [1.0]}, tmp_path / "before.json")
    show_against({"nDCG": [0.5] * 20, "new": [1.0]}, tmp_path / "before.json")
    assert capsys.readouterr().out == "nDCG: 0.0000 -> 0.5000, p = 0.0000\n"
