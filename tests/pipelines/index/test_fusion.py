"""Fusion of two legs: the first places are the same however many are asked for."""

from __future__ import annotations

import random

from pipelines.index.fusion import WEIGHTS, candidates, fuse


def legs(depth: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The best points of each of two legs that agree in little."""
    chance = random.Random(7)
    dense = sorted(((f"p{number}", chance.uniform(0.2, 0.9)) for number in range(1_000)), key=lambda one: -one[1])
    lexical = sorted(((f"p{number}", chance.uniform(1, 30)) for number in range(700)), key=lambda one: -one[1])
    return dense[:depth], lexical[:depth]


def test_the_first_places_do_not_hang_on_how_many_are_wanted() -> None:
    few, many = (fuse(*legs(candidates(limit)), WEIGHTS, limit) for limit in (10, 400))
    assert [(hit.id, hit.score) for hit in many[:10]] == [(hit.id, hit.score) for hit in few]
    assert len({hit.id for hit in many}) == 400


def test_scores_fall_with_places_beyond_those_that_decide() -> None:
    dense, _ = legs(400)
    found = fuse(dense, [], WEIGHTS, 400)
    assert [hit.id for hit in found] == [id for id, _ in dense]
    assert len({hit.score for hit in found}) == 400
