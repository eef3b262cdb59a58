"""The most memory that a container may use, as control groups tell it, and what child processes use of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pipelines.metrics.process import memory_limit, watch_process

HOLDING = "held = bytes(1) * 50_000_000; print('held', flush=True); input()"


@pytest.mark.parametrize(
    ("told", "limit"), [("2147483648\n", 2_147_483_648), ("max\n", None), ("9223372036854771712\n", None)]
)
def test_the_limit_is_what_the_first_file_says(tmp_path: Path, told: str, limit: int | None) -> None:
    (tmp_path / "limit").write_text(told)
    assert memory_limit((tmp_path / "none", tmp_path / "limit")) == limit


def test_without_control_groups_there_is_none(tmp_path: Path) -> None:
    assert memory_limit((tmp_path / "none",)) is None


def test_memory_of_child_processes_is_told_while_they_live() -> None:
    registry = CollectorRegistry()
    watch_process(registry)
    before = registry.get_sample_value("headrace_children_memory_bytes") or 0.0
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        while_it_lives = registry.get_sample_value("headrace_children_memory_bytes") or 0.0
        child.kill()
    assert while_it_lives - before > 40_000_000
    assert (registry.get_sample_value("headrace_children_memory_bytes") or 0.0) - before < 40_000_000
