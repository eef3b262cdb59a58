"""Questions that ask for several things."""

from __future__ import annotations

import pytest

from pipelines.retrieval.sub_questions import sub_questions


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Which penalty does the contract name, and from which lag on is it sev 1?",
            ["Which penalty does the contract name", "from which lag on is it sev 1?"],
        ),
        ("Who leads the pilot? When does it begin?", ["Who leads the pilot?", "When does it begin?"]),
        ("Wer leitet den Piloten und wann beginnt er?", ["Wer leitet den Piloten", "wann beginnt er?"]),
        ("why pumps fail, and what repairs cost", ["why pumps fail", "what repairs cost"]),
        ("The pump was broken and was replaced", []),
        ("pumps and valves", []),
        ("what happened to the pump and why", []),
        ("what happened? The pump stopped", []),
        ("who pays and who signs and who ships and who calls", []),
        ("what is broken and " + "what is broken " * 40, []),
    ],
)
def test_parts(question: str, parts: list[str]) -> None:
    assert sub_questions(question) == parts
