"""Retrieval: the one search function that HTTP, MCP, command line and evaluation call alike."""

from __future__ import annotations

from pipelines.retrieval.search import document, search

__all__ = ["document", "search"]
