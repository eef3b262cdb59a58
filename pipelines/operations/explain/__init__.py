"""Explaining: where a document is, and why it is or is not found or visible."""

from __future__ import annotations

from pipelines.operations.explain.document import Explanation, explain

__all__ = ["Explanation", "explain"]
