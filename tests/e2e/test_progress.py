"""The progress bar of a sync on a terminal: it is taken back, also where Dagster keeps what a run prints."""

from __future__ import annotations

import os
import pty
import subprocess
import threading

import pytest
import yaml

from tests.e2e.conftest import Folder, own_environment
from tests.emulators.github import TOKEN, GitHub, serving

ERASED, CURSOR_BACK = "\x1b[2K", "\x1b[?25h"
KEPT = {
    "compute_logs": {
        "module": "dagster.core.storage.local_compute_log_manager",
        "class": "LocalComputeLogManager",
        "config": {"base_dir": ".headrace/dagster/logs"},
    }
}


@pytest.mark.slow
def test_a_bar_leaves_nothing_behind_where_dagster_keeps_the_output(folder: Folder) -> None:
    (folder.path / "dagster.yaml").write_text(yaml.safe_dump(KEPT))
    github = GitHub()
    github.issue(github.repository("acme/api"), "The pump", "It is stuck.")
    with serving(github) as url:
        folder.settings(connections=[{"id": "acme", "source": "github", "token": TOKEN, "base_url": url}])
        code, shown = on_a_terminal(folder, "sync")
    assert code == 0, shown
    assert ERASED in shown
    assert CURSOR_BACK in shown
    (line,) = [line for line in shown.splitlines() if "acme/api: " in line]
    assert "━" not in line.rpartition(ERASED)[2], "what was on the line before is erased"


def on_a_terminal(folder: Folder, *arguments: str) -> tuple[int, str]:
    """A command's exit code, and all that it writes to a terminal."""
    ours, terminal = pty.openpty()
    told = bytearray()

    def read() -> None:
        while True:
            try:
                told.extend(os.read(ours, 4_096))
            except OSError:  # all that wrote to it have ended
                return

    reader = threading.Thread(target=read)
    reader.start()
    environment = own_environment() | {"TERM": "xterm", "COLUMNS": "200"}
    done = subprocess.run(
        folder.command(*arguments), cwd=folder.path, env=environment, stdout=terminal, stderr=terminal, check=False
    )
    os.close(terminal)
    reader.join(30)
    os.close(ours)
    return done.returncode, told.decode(errors="replace")
