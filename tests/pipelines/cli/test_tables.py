"""Tables are whole, so that what stands in them can be copied, and control nothing."""

from __future__ import annotations

import pytest

from pipelines.cli.refused_parts import RefusedPart, refused_lines
from pipelines.cli.tables import print_table

LONG = "7f59a6a5-0e3c-4b01-889b-8b354d1ba1e4 " * 9


def test_nothing_is_cut_or_folded_and_columns_are_straight(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    rows = [
        {"unit_name": LONG, "count": 5, "paused": True, "error": None},
        {"unit_name": "\u65e5\u672c", "count": 1_234, "paused": False, "error": ""},
    ]
    print_table(("unit_name", "count", "paused", "error"), rows)
    wide = len(LONG)
    assert capsys.readouterr().out.splitlines() == [
        f"{'unit name':<{wide}}  count  paused",
        f"{LONG}      5  yes",
        f"\u65e5\u672c{' ' * (wide - 4)}   1234",
    ]


def test_an_empty_table_is_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "name"), [])
    assert capsys.readouterr().out == "id  name\n"


def test_what_is_refused_alike_is_told_once() -> None:
    def refused(part: str, unit: str, reason: str, since: str = "") -> RefusedPart:
        return RefusedPart("refused", part, unit, reason, since)

    found = refused_lines(
        [
            refused("releases", "api", "https://git.test/api/releases: not found; grant Contents", "2026-03-02"),
            refused("releases", "web", "https://git.test/web/releases: not found; grant Contents", "2026-03-01"),
            refused("releases", "ops", "https://git.test/ops/releases: SAML; grant Contents", "2026-03-01"),
            *(refused("files", f"c{number}", "missing scope") for number in range(5)),
            RefusedPart("failing", "files", "c9", "missing scope"),
            refused("list of units", "", "missing scope"),
        ]
    )
    assert list(found) == [
        "refused  releases of api, web, since 2026-03-01: https://git.test/api/releases: not found; grant Contents",
        "refused  releases of ops, since 2026-03-01: https://git.test/ops/releases: SAML; grant Contents",
        "refused  files of c0, c1 and 3 more units: missing scope",
        "failing  files of c9: missing scope",
        "refused  list of units: missing scope",
    ]
