"""Log lines as JSON: one for each error, whatever it holds and wherever it comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

HOSTILE = "\x1b[2J \n \x9b \u202e"
PREPARE = """
import logging, threading, warnings
from pipelines.logs import to_standard_error
to_standard_error(logging.INFO, "json")
def fail():
    raise ValueError("\\x1b[2J \\n \\x9b \\u202e")
"""


def logged(what: str) -> list[dict[str, Any]]:
    """The lines that a process writes to standard error."""
    ran = subprocess.run([sys.executable, "-c", PREPARE + what], capture_output=True, text=True)
    assert ran.stdout == ""
    assert all(character.isprintable() or character == "\n" for character in ran.stderr), ran.stderr
    return [json.loads(line) for line in ran.stderr.splitlines()]


@pytest.mark.parametrize(
    ("what", "level"),
    [
        ("try: fail()\nexcept ValueError: logging.getLogger('pipelines').exception('failed')", "ERROR"),
        ("fail()", "CRITICAL"),
        ("one = threading.Thread(target=fail)\none.start()\none.join()", "CRITICAL"),
    ],
)
def test_an_error_is_one_line_with_its_traceback_inside(what: str, level: str) -> None:
    (line,) = logged(what)
    assert line["level"] == level
    assert line["traceback"].startswith("Traceback")
    assert line["traceback"].endswith(f"ValueError: {HOSTILE}")


def test_warnings_and_messages_are_lines() -> None:
    warned, said = logged("warnings.warn('old')\nlogging.getLogger('connectors.http').info('%s', '\\x1b[2J')")
    assert (warned["level"], said["message"], said["log"]) == ("WARNING", "\x1b[2J", "connectors.http")
