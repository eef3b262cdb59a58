"""What a newcomer does at a provider, and what `headrace init` asks for its connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HOST = "https://headrace.acme.com"
_DELIVERIES = re.compile(r"/webhooks/[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Setup:
    """`steps` are to be followed at the provider; `manifest` is a file to be pasted there, in which
    `https://headrace.acme.com` stands for the address of one's own.

    `variable` is the environment variable of the token. `written` are further settings that have to stand in the file,
    with what most people write. `guide` is where all variants are told: a page of the documentation, or a URL.
    """

    steps: str = ""
    manifest: Path | None = None
    variable: str = ""
    written: tuple[tuple[str, str], ...] = ()
    guide: str = ""

    def manifest_for(self, connection: str, url: str) -> str:
        """What to paste for a connection; `url` is where the provider reaches Headrace. Empty without a manifest."""
        if self.manifest is None:
            return ""
        text = self.manifest.read_text(encoding="utf-8").replace(_HOST, url.rstrip("/"))
        return _DELIVERIES.sub(f"/webhooks/{connection}", text)
