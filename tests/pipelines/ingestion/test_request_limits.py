"""How many inputs are under way at an embedding provider: what a kill may let be paid twice."""

from __future__ import annotations

import pytest

from pipelines.ingestion.embedding import request_limits


@pytest.mark.parametrize(
    ("total", "inputs", "at_once"),
    [
        (0, 64, 1),
        (1_400, 64, 1),
        (9_472, 189, 1),
        (30_000, 190, 1),
        (94_720, 236, 2),
        (400_000, 250, 8),
        (10**7, 256, 8),
    ],
)
def test_few_inputs_are_under_way_and_enough_to_keep_a_provider_busy(total: int, inputs: int, at_once: int) -> None:
    limits = request_limits(total)
    assert (limits.inputs_per_request, limits.requests_at_once) == (inputs, at_once)


@pytest.mark.parametrize(("total", "share"), [(9_472, 0.02), (94_720, 0.005), (10**6, 0.005)])
def test_what_a_kill_can_cost_is_a_small_share_of_many(total: int, share: float) -> None:
    limits = request_limits(total)
    assert limits.inputs_per_request * limits.requests_at_once <= share * total
