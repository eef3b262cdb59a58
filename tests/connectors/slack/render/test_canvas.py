"""A canvas as people see it: names for ids, what is ticked, emoji once."""

from __future__ import annotations

import pytest

from connectors.slack.render.canvas import render_canvas
from connectors.slack.render.mrkdwn import Names
from pipelines.chunking.formats.html import html_blocks

NAMES = Names(
    {"U2": "bob", "W3": "<eve>"}.__getitem__, lambda channel: f"#name-of-{channel}", lambda group: f"group-{group}"
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>Owner: <control id='x'><a>@U2</a></control> in <control><a>#C2</a></control></p>",
            "Owner: @bob in #name-of-C2",
        ),
        ('<p><control data-x="1" ><a href="https://x">@W3</a></control></p>', "@<eve>"),
        ("<p><CONTROL><a>@S1</a></CONTROL> and <control>U2</control></p>", "@group-S1 and @bob"),
        ("<p>the part @U9 is <control><a>no id here</a></control></p>", "the part @U9 is no id here"),
        ("<p>Done <control><img src='' alt='tada' data-is-slack>:tada:</img></control>!</p>", "Done :tada:!"),
        ("<p><img alt='wave' data-is-slack='1'/> hello</p>", ":wave: hello"),
        ("<p><img src='a.png' alt='A chart'></p>", "A chart"),
        (
            "<div data-section-style='7'><ul><li class='checked'><b>Freeze</b></li><li class=''>Move</li></ul></div>",
            "- [x] Freeze\n- [ ] Move",
        ),
        (
            '<div data-section-style="7"><ul><li class="a checked">One<ul><li>Two</li></ul></li></ul></div>'
            "<ul><li>Three</li></ul>",
            "- [x] One\n  - [ ] Two\n- Three",
        ),
        ("<div data-section-style='5'><ul><li class='checked'>One</li></ul></div>", "- One"),
        (
            "<table><tr><td>Step</td><td>Who</td></tr><tr><td>One</td><td><control><a>@U2</a></control></td></tr></table>",
            "| Step | Who |\n| --- | --- |\n| One | @bob |",
        ),
        ("</div></control><p>1 < 2 <> 3", "1 < 2 <> 3"),
    ],
)
def test_a_canvas_says_what_people_see(html: str, text: str) -> None:
    blocks = html_blocks(render_canvas(html, NAMES))
    assert "\n".join(block.text for block in blocks) == text
