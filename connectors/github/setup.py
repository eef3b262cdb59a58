"""What a newcomer does at GitHub to connect it. The guide has it with all variants."""

from __future__ import annotations

from pathlib import Path

from connectors.setup import Setup

SETUP = Setup(
    steps="Open https://github.com/settings/personal-access-tokens/new, choose the organisation and its "
    "repositories, and give the permissions that stand below under `default_permissions`. An app can be "
    "used in place of a token.",
    manifest=Path(__file__).with_name("manifest.json"),
    variable="GITHUB_TOKEN",
    guide="docs/sources/github.md",
)
