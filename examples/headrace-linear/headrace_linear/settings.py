"""What a connection of Linear is told."""

from __future__ import annotations

from typing import Literal

from connectors.settings import Connection


class LinearConnection(Connection):
    source: Literal["linear"]
    base_url: str = "https://api.linear.app"
