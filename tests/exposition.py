"""What `/metrics` answers, read by the official parser and held to Prometheus' rules for names."""

from __future__ import annotations

import re

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NO_BASE_UNIT = {"ms", "milliseconds", "minutes", "hours", "days", "kb", "kilobytes", "mb", "megabytes", "percent"}


def parse(text: str) -> dict[str, Metric]:
    """Families by name: a counter's without `_total`."""
    found: dict[str, Metric] = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in found, f"{family.name} is told twice"
        found[family.name] = family
    return found


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """Of the one sample of this name that has these labels."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    (found,) = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    return found


def complaints(text: str) -> list[str]:
    """What `promtool check metrics` would say (https://prometheus.io/docs/practices/naming/)."""
    found = []
    for name, family in parse(text).items():
        words = name.split("_")
        if not _NAME.fullmatch(name):
            found.append(f"{name}: characters")
        if not family.documentation:
            found.append(f"{name}: no help")
        if family.type in ("unknown", "untyped"):
            found.append(f"{name}: no type")
        if _NO_BASE_UNIT & set(words):
            found.append(f"{name}: no base unit")
        if family.type == "counter" and f"{name}_total " not in text and f"# TYPE {name}_total counter" not in text:
            found.append(f"{name}: a counter without _total")
        if family.type == "gauge" and words[-1] in ("total", "count", "sum", "bucket"):
            found.append(f"{name}: a gauge with the suffix of something else")
    return found
