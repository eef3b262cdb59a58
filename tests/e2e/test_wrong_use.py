"""What the command line does not take is said in one line, as every other error is, also on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from tests.e2e.conftest import Folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serch", "x"), "No such command 'serch'. Did you mean 'search', 'serve'? (headrace --help)"),
        (
            ("search", "x", "--tpo-k", "3"),
            "No such option: --tpo-k (Possible options: --top-k) (headrace search --help)",
        ),
        (("search", "x", "--top-k", "0"), "Invalid value for '--top-k': "),
        (("search",), "Missing argument 'query'. (headrace search --help)"),
        (("events", "show", "x"), "Invalid value for 'ID': "),
        (("events", "replay", "--since", "2026-13-01"), "Invalid value for '--since': '2026-13-01' does not match"),
        (("explain", "\udcff"), "argument 2 is not UTF-8: '\\udcff'"),
    ],
)
def test_what_is_not_taken_is_said_in_a_line(folder: Folder, arguments: tuple[str, ...], said: str) -> None:
    ran = folder.headrace(*arguments)
    assert (ran.code, ran.output, ran.errors.count("\n")) == (2, "", 1), ran.errors
    assert ran.errors.startswith(f"error: {said}")


def test_a_terminal_is_told_the_same(folder: Folder) -> None:
    shown, terminal = pty.openpty()
    done = subprocess.run(
        folder.command("search", "x", "--top-k", "0"), cwd=folder.path, stderr=terminal, stdout=terminal, check=False
    )
    os.close(terminal)
    told = os.read(shown, 65_536).decode()
    assert (done.returncode, told.count("\n"), told.startswith("error: Invalid value")) == (2, 1, True), told


@pytest.mark.parametrize("arguments", [(), ("events",)])
def test_who_asks_for_nothing_is_shown_what_there_is(folder: Folder, arguments: tuple[str, ...]) -> None:
    ran = folder.headrace(*arguments)
    assert (ran.code, ran.errors, "Usage: headrace" in ran.output) == (2, "", True)
