"""What a newcomer does to push documents. The guide has it with examples."""

from __future__ import annotations

from connectors.setup import Setup

SETUP = Setup(
    steps="For what has no connector: your program sends each document with PUT /v1/documents/{id}. Make a key for it "
    "(openssl rand -hex 32), which the program sends as bearer token.",
    variable="PUSH_KEY",
    guide="docs/sources/push.md",
)
