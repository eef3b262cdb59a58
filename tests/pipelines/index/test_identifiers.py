"""Exact identifiers: which further words they are found by, and that the index finds them."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.index.contract import Filters
from pipelines.index.identifiers import LONGEST_IDENTIFIER, is_lookup, with_identifiers
from pipelines.index.lexical import document_vector, query_vector
from pipelines.index.questions import asked_words
from pipelines.index.scripts import fold
from tests.pipelines.index.conftest import Configured, changes_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ERR-4711", "ERR4711"),
        ("see INC-31, please", "INC31"),
        ("get_user_name", "getusername"),
        ("getUserName", "get User Name"),
        ("XMLHttpRequest", "XML Http Request"),
        ("src/user_store.py", "srcuserstorepy userstorepy"),
        ("C:\\logs\\app.log", "Clogsapplog applog"),
        ("UserStore::findAll()", "UserStorefindAll User Store find All"),
        ("v1.2.3", "v123"),
        ("plain words, and a sentence. Another one", ""),
        ("(plain), “words” — and **More**: `of` them…", ""),
        ("(see **getUserName**, “ERR-4711”)", "get User Name ERR4711"),
        ("kWh mRNA HbA1c", ""),
        ("__init__", ""),
        ("don't", ""),
        ("x" * LONGEST_IDENTIFIER + "-y", ""),
    ],
)
def test_words_of_identifiers(text: str, words: str) -> None:
    assert with_identifiers(text) == (f"{text}\n{words}" if words else text)


@given(st.text())
def test_any_text_keeps_its_words(text: str) -> None:
    assert with_identifiers(text).startswith(text)
    assert set(query_vector(text).indices) <= set(document_vector(asked_words(fold(text))).indices)


TEXTS = {
    "code": "The pump reports ERR-4711 when it overheats.",
    "near": "ERR codes: see list 4711 of the supplier, err on the side of caution, ERR.",
    "ticket": "Closed as a duplicate of PUMP-88 last week.",
    "number": "PUMP station 88 was closed, PUMP 12 was not; 88 pumps remain.",
    "path": "Look into services/gateway/retry_policy.py for the limits.",
    "policy": "The retry policy of the gateway services is described in py form.",
    "camel": "Calls resolveTenantId before each write.",
    "snake": "resolve the tenant, then the id: two steps",
}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("ERR-4711", "code"),
        ("ERR4711", "code"),
        ("PUMP-88", "ticket"),
        ("services/gateway/retry_policy.py", "path"),
        ("retry_policy.py", "path"),
        ("resolveTenantId", "camel"),
        ("resolve_tenant_id", "camel"),
    ],
)
def test_an_exact_identifier_comes_first(edge: Configured, question: str, first: str) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply(changes_of(TEXTS))
        store.publish()
        lexical = reader.search(mode="lexical", text=question, dense=None, filters=Filters(readers=None), limit=3)
        assert lexical[0].payload["document_id"] == first
        misled = [0.0, 0.0, 0.0, 1.0]  # as near to the meaning of every text: the dense leg's order says nothing
        hybrid = reader.search(mode="hybrid", text=question, dense=misled, filters=Filters(readers=None), limit=3)
        assert hybrid[0].payload["document_id"] == first


@pytest.mark.parametrize(
    ("question", "lookup"),
    [
        ("ERR-4711", True),
        ("E4107", True),
        ("`getUserName()`", True),
        ("retry_policy.py get_user_name", True),
        ("4711", False),
        ("follow-up", False),
        ("what does ERR-4711 mean?", True),
        ("Was ist INC-34?", True),
        ("show me getUserName and src/store.py", True),
        ("what did INC-34 cost?", False),
        ("what is it?", False),
        ("etc.", False),
        ("?!", False),
        ("", False),
    ],
)
def test_questions_that_are_identifiers(question: str, lookup: bool) -> None:
    assert is_lookup(question) is lookup
