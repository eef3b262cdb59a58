"""Alerts and dashboard ask for what server and worker really tell, and each alert has its entry in the runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from pipelines.catalog import open_catalog
from pipelines.events.metrics import WorkerMetrics
from pipelines.events.spool import Spool
from pipelines.metrics import watch_catalog
from pipelines.service.metrics import Metrics
from pipelines.settings import Settings
from tests.exposition import complaints, parse
from tests.paths import ROOT

INFRA = ROOT / "infra"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((INFRA / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((INFRA / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()

_CLAUSES = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]'  # texts, matchers and ranges
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"  # labels
)
_OPERATORS = re.compile(r"\b(?:and|or|unless)\b")
_FUNCTIONS = re.compile(r"\b[a-z_]+\s*(?=\()")


def asked_for(expression: str) -> set[str]:
    """Names of the series in an expression of PromQL."""
    rest = _OPERATORS.sub(",", _CLAUSES.sub(" ", expression))
    rest = _FUNCTIONS.sub(" ", rest)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", rest))


@pytest.fixture(scope="module")
def exposed(module_folder: Callable[[str], Path]) -> Iterator[dict[str, str]]:
    """What server and worker tell of an empty catalog."""
    settings = Settings(directory=module_folder("monitored"))
    with open_catalog(settings) as catalog:
        server = Metrics()
        server.watch_spool(Spool(settings.state_path).count)
        registries = {"server": server.registry, "worker": WorkerMetrics().registry}
        for registry in registries.values():
            watch_catalog(registry, catalog, settings)
        yield {name: generate_latest(registry).decode() for name, registry in registries.items()}


@pytest.fixture(scope="module")
def series(exposed: dict[str, str]) -> set[str]:
    """Names of series; those of counters and histograms with their suffixes."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    families = [family for text in exposed.values() for family in parse(text).values()]
    return {f"{family.name}{suffix}" for family in families for suffix in suffixes[family.type]}


def test_names_are_found_in_expressions() -> None:
    expression = 'max by (kind) (rate(a_total{b=~"c"}[5m])) > 2 * 3600 and on (d) e_bytes unless absent(f)'
    assert asked_for(expression) == {"a_total", "e_bytes", "f"}


@pytest.mark.parametrize("name", ["server", "worker"])
def test_figures_keep_to_the_rules_before_anything_has_happened(exposed: dict[str, str], name: str) -> None:
    assert complaints(exposed[name]) == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_is_told_and_says_what_to_do(alert: dict[str, Any], series: set[str]) -> None:
    names = asked_for(alert["expr"])
    assert names
    assert names <= series
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert alert["annotations"]["summary"]
    entry = RUNBOOK.partition(f"\n### {alert['alert']}\n")[2].partition("\n#")[0]
    assert "What to do: " in entry


def test_every_entry_of_the_runbook_is_an_alert() -> None:
    entries = re.findall(r"^### (Headrace\w+)$", RUNBOOK, re.MULTILINE)
    assert entries == [alert["alert"] for alert in ALERTS]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_is_told(panel: dict[str, Any], series: set[str]) -> None:
    for target in panel["targets"]:
        names = asked_for(target["expr"])
        assert names
        assert names <= series


def test_panels_do_not_overlap() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_workers_are_added_by_what_is_told(series: set[str]) -> None:
    values = yaml.safe_load((INFRA / "helm" / "headrace" / "values.yaml").read_text())
    assert values["worker"]["autoscaling"]["metric"] in series
