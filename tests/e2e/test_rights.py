"""Rights that are taken away, on the installed server and worker: what the bench measures happens at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.rights import FEW, rows, running


@pytest.mark.slow
def test_what_is_taken_away_is_found_no_more(tmp_path: Path) -> None:
    with running(tmp_path, FEW) as parts:
        assert {measured.what for measured in rows(*parts)} == {
            "file unshared",
            "permission of a file expired",
            "file unshared, permissions answer 500",
            "file unshared, connection paused",
            "shared drive lost",
            "page moved out of reach",
            "page at the top deleted",
            "page at the top and all below unshared",
            "repository made private",
            "issue deleted, embedding API down",
            "message of a day deleted, embedding API down",
            "collaborator removed",
            "channel made private, its history fails",
            "collaborator removed, connection paused",
            "issue deleted, connection paused",
            "repository made private, gate shut",
            "repository deleted",
            "repository made private, source at 1 request a second",
        }
