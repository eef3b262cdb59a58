"""The demo: a sample company on four emulated source APIs, through the whole path, with no key and no account."""

from __future__ import annotations

from pipelines.cli.demo.show import run_demo

__all__ = ["run_demo"]
