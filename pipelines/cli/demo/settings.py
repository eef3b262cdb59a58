"""Settings of the demo, written as a file, so that every command can be tried on it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import yaml

from pipelines.cli.demo.sources import TOKEN
from pipelines.settings import DEMO_KEY, Settings, load_settings

DIRECTORY = Path(".headrace/demo")


def write_settings(url: str, directory: Path = DIRECTORY) -> Path:
    """Write `headrace.yaml` for the emulated sources at `url`; returns the file's path."""
    connections: dict[str, dict[str, Any]] = {
        "notion": {"base_url": f"{url}/notion", "readers": ["workspace"]},
        "drive": {"base_url": f"{url}/drive/v3"},
        "github": {"base_url": f"{url}/github"},
        "slack": {"base_url": f"{url}/slack/api"},
    }
    values = {
        "state_dir": ".",
        "landing": {"url": "file://landing"},
        "catalog": {"url": "sqlite:///catalog.db"},
        "connections": [
            {"id": f"millbrook-{source}", "source": source, "token": TOKEN, **own}
            for source, own in connections.items()
        ],
        "assistants": [{"id": "demo", "api_key": DEMO_KEY, "identity": "user"}],
        "operator_key": secrets.token_urlsafe(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "headrace.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def demo_settings(url: str) -> Settings:
    return load_settings(write_settings(url), environment={})
