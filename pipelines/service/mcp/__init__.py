"""The Model Context Protocol at `/mcp`: tools to search, read and look around, and documents as resources."""

from __future__ import annotations

from pipelines.service.mcp.endpoint import PATH, McpEndpoint

__all__ = ["PATH", "McpEndpoint"]
