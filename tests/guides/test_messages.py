"""The messages that the guide to troubles quotes are printed so: each part of them stands in the code."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.guides.fences import page
from tests.paths import ROOT

SHORTEST = 5
"""Characters of a part that says something."""
FIRST_CELL = re.compile(r"^\| (.+?) \|", re.MULTILINE)
QUOTED = re.compile(r"`([^`]*…[^`]*|[^`]+[a-z] [^`]+)`")
"""With a gap, or of several words: settings, commands and statuses are quoted too."""


@cache
def texts() -> str:
    """Every text of the code, with what is filled in left out, and the words of its multi-line ones on one line."""
    found = []
    for package in ("connectors", "pipelines", "assets"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(" ".join(node.value.split()))
    return "\n".join(found)


def quoted() -> list[str]:
    text = page("docs/troubleshooting.md").read_text(encoding="utf-8")
    rows = [cell for cell in FIRST_CELL.findall(text) if cell not in ("---", "what is said")]
    return [message for cell in rows for message in QUOTED.findall(cell)]


@pytest.mark.parametrize("message", quoted())
def test_a_quoted_message_stands_in_the_code(message: str) -> None:
    parts = [part.strip(" ;:,.") for part in message.split("…")]
    assert any(len(part) >= SHORTEST for part in parts)
    assert [part for part in parts if len(part) >= SHORTEST and part not in texts()] == []


def test_the_guide_quotes_many() -> None:
    assert len(quoted()) > 45
