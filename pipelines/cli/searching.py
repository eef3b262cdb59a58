"""Searching without a server: the same search function on the same index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pipelines.retrieval import search
from pipelines.retrieval.model import SearchRequest, SearchResponse
from pipelines.settings import Settings
from pipelines.workspace import Workspace
