"""Passages as HTML, of which nothing can run: their Markdown is rendered, and HTML in them stays text.

`js-default` is markdown-it's preset for text of others (https://markdown-it-py.readthedocs.io/en/latest/security.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

_MOST_BRACKETS = 2_000
"""In all passages of a request: each that is left open is looked at as many times as there may be levels."""
_LONGEST_RENDERED = 10_000
"""Characters of a passage: emphasis takes time by the square of them."""
_MOST_LEVELS = 20


def render_passages(texts: Iterable[str]) -> Iterator[str]:
    """HTML of each passage. Pictures are their descriptions: the page loads nothing from elsewhere. What would take
    seconds is shown as it is written."""
    left = _MOST_BRACKETS
    for text in texts:
        brackets = text.count("[")
        if brackets > left or len(text) > _LONGEST_RENDERED:
            yield f'<p class="plain">{escape(text)}</p>'
            continue
        left -= brackets
        yield str(_renderer().render(text))


@cache
def _renderer() -> MarkdownIt:
    made = MarkdownIt("js-default", {"html": False, "breaks": True, "maxNesting": _MOST_LEVELS})
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
