"""`python -m docs.site` builds the site into `build/site`, with `reference` after it writes the reference pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.site.cli_reference import cli_page
from docs.site.http_reference import http_page
from docs.site.mcp_reference import mcp_page
from docs.site.settings_reference import settings_page
from docs.site.staging import ROOT, stage

BUILD = ROOT / "build"
REFERENCE: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "http-api.md": http_page,
    "command-line.md": cli_page,
    "mcp-tools.md": mcp_page,
}
"""The pages of `docs/reference/` that are made from the code."""


def write_reference() -> None:
    for name, page in REFERENCE.items():
        (ROOT / "docs" / "reference" / name).write_text(page(), encoding="utf-8")


def build(folder: Path = BUILD) -> int:
    """Build the site into `site` of a folder. Returns the generator's exit code: a warning is an error."""
    stage(folder / "docs")
    config = shutil.copy(ROOT / "docs" / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["reference"]:
        write_reference()
    else:
        sys.exit(build())
