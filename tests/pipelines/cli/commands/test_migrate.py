"""`headrace migrate`: what it says, and what it makes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipelines.catalog.revisions import HEAD
from pipelines.cli import main


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `headrace migrate …` in a folder of its own; returns what it prints, its error with the exit code."""
    (tmp_path / "headrace.yaml").write_text("connections: []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.logs.to_standard_error", lambda *_: None)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["headrace", "migrate", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                return f"{ended.code} {capsys.readouterr().err}"
        return capsys.readouterr().out

    return run


def test_it_makes_what_is_missing_and_says_what_it_did(migrate: Callable[..., str], tmp_path: Path) -> None:
    assert migrate() == f"the catalog was made at revision {HEAD}\n"
    assert (tmp_path / ".headrace" / "dagster" / "history" / "runs.db").exists()
    assert migrate() == f"the catalog was at revision {HEAD} already\n"
    assert json.loads(migrate("--json")) == {"catalog": {"before": HEAD, "after": HEAD}}
    assert migrate("--to", "0001") == f"the catalog went from revision {HEAD} to 0001\n"
    assert migrate("--to", "nope").startswith("2 error: revision 'nope' does not exist; there are 0001, ")


def test_the_catalog_of_a_newer_program_is_refused(migrate: Callable[..., str], tmp_path: Path) -> None:
    migrate()
    engine = create_engine(f"sqlite:///{tmp_path / '.headrace' / 'catalog.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE catalog_version SET version_num = '9999'"))
    engine.dispose()
    refused = migrate()
    assert refused.startswith("1 error: the catalog is at revision 9999")
    assert HEAD in refused
