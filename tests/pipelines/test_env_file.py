"""`.env`: what is written is read alike here and by a shell, and what cannot be read is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.env_file import add_variables, read_variables
from pipelines.errors import SettingsError

ODD = ["plain", "a$b", "a${HOME}b", "a#b", "a #b", "a'b", 'a"b', "a\\b", "a\\nb", "a\\'b", "a b", "trail\\", "'q'"]
ODD += [
    '"q"',
    "a`b",
    "ü",
    "a=b",
    "%41",
    "a\tb",
    "${X:-y}",
    "$$",
    "a\\\\nb",
    'a\\"b',
    "a\nb",
    "~",
    "a!b",
    "a;b",
    "&",
    "*",
]
ONLY_HERE = ["a'$b", "a\\\\$b", "'`"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize("value", ODD + ONLY_HERE)
def test_what_is_written_is_read_as_it_was(file: Path, value: str) -> None:
    add_variables(file, {"TOKEN": value, "OTHER": "x"})
    assert read_variables(file, {}) == ({"TOKEN": value, "OTHER": "x"}, [])


@pytest.mark.parametrize("value", ODD)
def test_a_shell_reads_the_same(file: Path, value: str) -> None:
    add_variables(file, {"TOKEN": value})
    read = subprocess.run(["sh", "-c", '. ./.env; printf %s "$TOKEN"'], cwd=file.parent, capture_output=True)
    assert (read.stdout.decode(), read.stderr) == (value, b"")


def test_what_is_there_stays_as_it_stands(file: Path) -> None:
    file.write_text("# mine\n\nexport A=\nB='x' # y\nno line\nC=", encoding="utf-8")
    add_variables(file, {"A": "1", "B": "2", "C": "3", "D": "4"})
    assert file.read_text(encoding="utf-8") == "# mine\n\nexport A=1\nB='x' # y\nno line\nC=3\nD=4\n"


def test_lines_that_cannot_be_read_are_told(file: Path) -> None:
    file.write_text("\n\nA: x\nB=1\n\nC='abc\nD=2\n", encoding="utf-8")
    found, problems = read_variables(file, {})
    assert found == {"B": "1", "D": "2"}
    because = "is not NAME=value, or a quote of it is not closed"
    assert problems == [(str(file), f"line 3 {because}"), (str(file), f"line 6 {because}")]


def test_variables_in_values(file: Path) -> None:
    file.write_text("A=1\nB=\"${A}${HOME}${X:-y}\"\nC='${A}'\nD=a${E}b\n", encoding="utf-8")
    found, problems = read_variables(file, {"HOME": "/h"})
    assert found == {"A": "1", "B": "1/hy", "C": "${A}", "D": "ab"}
    assert problems == [(str(file), "D: the variable E in it is not set")]


def test_what_is_no_file_and_what_is_no_text(file: Path) -> None:
    assert read_variables(file, {}) == ({}, [])
    file.mkdir()
    assert read_variables(file, {}) == ({}, [])
    file.rmdir()
    file.write_bytes(b"NAME=h\xe9\n")
    with pytest.raises(SettingsError, match="it is not UTF-8"):
        read_variables(file, {})
