"""Pages of the service's own, which may run nothing but what they were written with."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse

from connectors.registry import Source, sources

_FILES = re.compile(r"/\* (?P<names>[\w.]+(?: [\w.]+)*) \*/\n")
"""Where a page's style or script is put together of files."""
_SOURCES = "/*sources*/{}"
"""Where a page's script is given the sources: name, label and icon."""


class StaticPage:
    """A page in one answer, its script and style included. Of what stands between comments `<!--name-->` and
    `<!--/name-->`, the parts `drop` are left out."""

    def __init__(self, name: str, drop: Collection[str] = ()) -> None:
        html = _FILES.sub(_files, _read(name))
        for part in drop:
            html = re.sub(rf"<!--{part}-->.*?<!--/{part}-->\n", "", html, flags=re.DOTALL)
        self._html = html.replace(_SOURCES, _as_script(sources().values()))
        script, style = (hashes(self._html, tag) for tag in ("script", "style"))
        policy = f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
        self._headers = {
            "Content-Security-Policy": policy + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def response(self) -> HTMLResponse:
        return HTMLResponse(self._html, headers=self._headers)


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _files(found: re.Match[str]) -> str:
    return "".join(map(_read, found["names"].split()))


def _as_script(sources: Iterable[Source[Any]]) -> str:
    """JSON that is a literal in a script too: nothing in it ends the script."""
    known = {one.name: {"label": one.label, "icon": one.icon} for one in sources}
    return json.dumps(known).replace("<", "\\u003c")


def hashes(html: str, tag: str) -> str:
    """Sources of a Content-Security-Policy for the bodies of all these tags."""
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
