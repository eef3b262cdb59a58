"""What nobody reads is taken out, and no word with it."""

from __future__ import annotations

import base64
import random
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cleaning import clean_text

PICTURE = base64.b64encode(random.Random(1).randbytes(6_000)).decode()
WRAPPED = "\n".join(textwrap.wrap(PICTURE, 76))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Paste data:image/png;base64,iVBORw0KGgoAAAANSUhEUg== into it\n\nThen wait", "Paste  into it\n\nThen wait"),
        ("url(data:image/gif;base64,R0lGODlhAQ) goes on", "url() goes on"),
        (f"Intro ![pic](data:image/png;base64,{PICTURE}) end", "Intro ![pic]() end"),
        (f"![][a]\n\nWords.\n\n[a]: <data:image/png;base64,{PICTURE}>\n", "![][a]\n\nWords.\n\n"),
        (f'<img src="data:image/png;base64,{PICTURE}" alt="chart">', '<img src="" alt="chart">'),
        (f"[open](data:application/pdf;base64,{PICTURE}) it", "[open]() it"),
        ("data:image/svg+xml,%3Csvg%20a%3E end", " end"),
        (f"before {PICTURE} after", "before  after"),
        (f"KEY\n{WRAPPED}\nEnd of it", "KEY\n\nEnd of it"),
        ('{"icon": "' + PICTURE + '", "name": "mill"}', '{"icon": "", "name": "mill"}'),
        ("soft\u00adhyphen zero\u200bwidth \u202eturned\u202c \ufeffmark", "softhyphen zerowidth turned mark"),
        ("hidden\U000e0068\U000e0069 tags", "hidden tags"),
    ],
)
def test_bytes_and_what_nobody_sees_go(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the data:2026,7 and data: a, b",
        "data:text/plain,hello%20world",
        "[note]: data:2026 was better than the year before",
        "/usr/local/" * 40,
        "getUserNameByIdAndThenSome" * 20,
        "ACGT" * 100,
        "deadbeef01" * 40,
        "a" * 300,
        "sha512-" + base64.b64encode(bytes(range(64))).decode(),
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".x",
        "می\u200cخواهم 👩\u200d🔬",
    ],
)
def test_words_and_names_stay(text: str) -> None:
    assert clean_text(text) == text


@given(st.text("ab#|\n *.;", max_size=80), st.binary(min_size=30, max_size=60))
def test_only_the_picture_goes(text: str, picture: bytes) -> None:
    image = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    assert clean_text(f"words {text}\n\n![]({image})\n\nmore") == f"words {text}\n\n![]()\n\nmore"
