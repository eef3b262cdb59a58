"""The HTTP service: `headrace serve`."""

from __future__ import annotations

from pipelines.service.run import serve

__all__ = ["serve"]
