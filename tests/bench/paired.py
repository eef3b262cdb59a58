"""Whether two runs over the same questions differ by more than chance: a paired randomization test. Pure but for files.

Smucker, Allan and Carterette, "A comparison of statistical significance tests for information retrieval evaluation",
CIKM 2007 (https://doi.org/10.1145/1321440.1321528): the signs of the differences are drawn by lot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

Figures: TypeAlias = Mapping[str, Sequence[float]]
"""By what was measured, a figure of each question, in their order."""

DRAWS = 20_000


def p_value(before: Sequence[float], after: Sequence[float]) -> float:
    """How often a difference of the means as large as this one comes by chance."""
    differences = np.asarray(after) - np.asarray(before)
    differences = differences[differences != 0]
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (DRAWS, len(differences)))
    return float(np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12))


def save(figures: Figures, file: Path) -> None:
    """Keep a run's figures, for a later one to be held against."""
    file.write_text(json.dumps({name: list(values) for name, values in figures.items()}))


def show_against(figures: Figures, file: Path) -> None:
    """Print what has changed since the run that `file` keeps."""
    before: Figures = json.loads(file.read_text())
    for name in (one for one in figures if one in before):
        was, now = float(np.mean(before[name])), float(np.mean(figures[name]))
        print(f"{name}: {was:.4f} -> {now:.4f}, p = {p_value(before[name], figures[name]):.4f}", flush=True)
