"""One spelling for one person, and none that another person's could pass for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import InvalidAddress, find_address, find_domain, normalize_address
from connectors.model import user_token


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.L+notes@Example.COM\r\n", "ada.l+notes@example.com"),
        ("o'neil_a-b@x", "o'neil_a-b@x"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("Ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("дима@пример.рф", "дима@xn--e1afmkfd.xn--p1ai"),
        ("josé@example.com", "josé@example.com"),
        ("さくら太郎@example.jp", "さくら太郎@example.jp"),
        ("हिन्दी@example.in", "हिन्दी@example.in"),
    ],
)
def test_an_address_has_one_spelling(text: str, expected: str) -> None:
    assert normalize_address(text) == normalize_address(expected) == expected
    assert user_token(text) == f"user:{expected}"


# fmt: off
NO_ADDRESSES = [
    "", " ", "ada", "Ada Lovelace", "ada@", "@example.com", "ada@@example.com", "ada@b@example.com", "<ada@x.com>",
    "ada@example.com,bo@example.com", "ada@.com", "ada@example.com.", "ada@-x.com", "ada@ example.com", "a da@x.com",
    "ada@ex_ample.com", "ada@[127.0.0.1]", "ada@" + "x" * 64 + ".com", "x" * 330 + "@example.com",
    # Control and format characters, and spaces of other kinds
    "ada\0@example.com", "ada\x7f@example.com", "ada\x85@example.com", "ada@example.com\u200b", "\u202eada@example.com",
    "ada\u00ad@example.com", "ada\ufeff@example.com", "\u00a0ada@example.com", "ada@example.com\u2028", "a\ud800@x.com",
    # What normalization or another case makes another letter of
    "\u212aim@example.com", "\u017fam@example.com", "\ufb01n@example.com", "ｋim@example.com", "k\u0131m@example.com",
    "\u0130da@example.com", "stra\u00dfe@example.com", "\u00c9va@example.com", "e\u0301va@example.com",
    "\u3164ada@example.com", "ada\u115f@example.com", "ada@example\u3002com", "ada@\u212aim.example",
    # Letters of several scripts
    "a\u0456da@example.com", "\u0430da@example.com", "ada@ex\u0430mple.com", "ad\u03b1@example.com", "ada\u0335@x.com",
]
# fmt: on


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_could_be_taken_for_another_address_is_none(text: str) -> None:
    with pytest.raises(InvalidAddress, match=r"^must be an e-mail address"):
        normalize_address(text)
    assert find_address(text) is None
    assert user_token(text) is None


@given(st.text(st.characters(max_codepoint=0x2FFF), min_size=1, max_size=4), st.sampled_from(["kim", "ada", "iris"]))
def test_only_the_case_of_ascii_letters_is_set_aside(noise: str, name: str) -> None:
    """Whatever stands in a spelling, either it is that person's with ASCII letters in another case, or nobody's."""
    for spelled in (noise + name[1:], name[:1] + noise + name[2:], name[:-1] + noise):
        if find_address(f"{spelled}@example.com") == f"{name}@example.com":
            assert spelled.strip(" \t\r\n").isascii()
            assert spelled.strip(" \t\r\n").lower() == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Acme.Test ", "acme.test"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("\u212aim.example", None),
        ("acme test", None),
        ("", None),
        (None, None),
    ],
)
def test_a_domain_of_a_source(text: str | None, expected: str | None) -> None:
    assert find_domain(text) == expected
