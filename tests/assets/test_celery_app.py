"""A task that a broker delivers once more, although its step is done."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._serdes import deserialize_value

from assets.celery_app import find_done
from assets.instance import dagster_instance
from pipelines.settings import Settings


@dg.op(out=dg.DynamicOut(int))
def numbers() -> list[dg.DynamicOutput[int]]:
    return [dg.DynamicOutput(number, mapping_key=str(number)) for number in range(2)]


_attempts: list[int] = []


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def try_twice(number: int) -> None:
    _attempts.append(number)
    if len(_attempts) == 1:
        raise RuntimeError("not yet")


@dg.op
def fail() -> None:
    raise dg.Failure("for good", allow_retries=False)


@dg.job(executor_def=dg.in_process_executor)
def counting() -> None:
    numbers().map(try_twice)
    fail()


def test_a_step_that_is_done_tells_once_more_what_it_did(settings: Settings) -> None:
    with dagster_instance(settings) as instance:
        run = instance.create_run_for_job(counting)
        assert find_done(instance, run.run_id, "numbers") == []
        execute_run(InMemoryJob(counting), run, instance)
        assert types(find_done(instance, run.run_id, "numbers")) == [
            "STEP_START",
            *["STEP_OUTPUT", "HANDLED_OUTPUT"] * 2,
            "STEP_SUCCESS",
        ]
        assert types(find_done(instance, run.run_id, "fail")) == ["STEP_START", "STEP_FAILURE"]
        assert find_done(instance, run.run_id, "numbers[2]") == []
        found = types(find_done(instance, run.run_id, "try_twice[0]"))
        assert (found[0], found[-1]) == ("STEP_RESTARTED", "STEP_SUCCESS")
        assert "STEP_UP_FOR_RETRY" not in found


def types(events: list[str]) -> list[str]:
    return [deserialize_value(event, dg.DagsterEvent).event_type_value for event in events]
