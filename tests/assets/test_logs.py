"""What a run of Dagster writes, where the settings ask for JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulators.github import GitHub, serving
from tests.paths import ROOT

WRONG_TOKEN = "wrong-token-of-nobody-at-all"
MANAGED = {"python_logs": {"python_log_level": "INFO", "managed_python_loggers": ["pipelines", "connectors"]}}


def run_job(home: Path, url: str, job: str, instance: dict[str, Any]) -> list[dict[str, Any]]:
    """Each line that the run writes to standard error, in a process of its own as the daemon starts it."""
    connection = {"id": "refused", "source": "github", "base_url": url, "token": WRONG_TOKEN}
    settings = {"connections": [connection], "logs": {"format": "json"}}
    (home / "headrace.yaml").write_text(yaml.safe_dump(settings))
    (home / "dagster.yaml").write_text(yaml.safe_dump({"telemetry": {"enabled": False}, **instance}))
    command = ["-m", "dagster", "job", "execute", "--module-name", "assets.definitions", "--job", job]
    environment = {"DAGSTER_HOME": str(home), "HEADRACE_CONFIG": str(home / "headrace.yaml"), "PYTHONPATH": "."}
    # As in the image: without it, Dagster may end what shows the lines before the last ones are shown.
    environment |= {"DAGSTER_COMPUTE_LOG_TAIL_WAIT_AFTER_FINISH": "1"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=ROOT,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
    )
    *lines, last = ran.stderr.splitlines()
    assert last.startswith("Error: Run")  # the command's own word
    return [json.loads(line) for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("instance", [pytest.param({}, marks=pytest.mark.slow), MANAGED], ids=["plain", "managed"])
def test_lines_of_a_run_are_json_and_each_is_written_once(tmp_path: Path, instance: dict[str, Any]) -> None:
    with serving(GitHub()) as url:
        lines = run_job(tmp_path, url, "sync_refused", instance)
    messages = [line["message"] for line in lines]
    assert sum("published knowledge: 0 documents" in message for message in messages) == 1
    assert any(line["level"] == "ERROR" and "the credentials were refused" in line["message"] for line in lines)
    (failed,) = [message for message in messages if "STEP_FAILURE" in message]
    assert "Failure" in failed.splitlines()[2]  # a traceback, inside its line
    assert WRONG_TOKEN not in json.dumps(lines)
