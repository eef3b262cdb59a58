"""Passages as HTML, of which nothing can run: their Markdown is rendered, and HTML in them stays text.

`js-default` is markdown-it's preset for text of others (https://markdown-it-py.readthedocs.io/en/latest/security.html).
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict


def render_passage(text: str) -> str:
    """HTML of a passage. Pictures are their descriptions: the page loads nothing from elsewhere."""
    return str(_renderer().render(text))


@cache
def _renderer() -> MarkdownIt:
    made = MarkdownIt("js-default", {"html": False, "breaks": True})
    made.validateLink = lambda url: url.lower().startswith(("https://", "http://", "mailto:"))  # type: ignore[method-assign]
    made.add_render_rule("image", _description)
    return made


def _description(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    environment: MutableMapping[str, Any],
) -> str:
    return renderer.renderInlineAsText(tokens[index].children, options, environment)
