"""A promise of the contract as something that can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import stamina

from connectors.http import ATTEMPTS
from connectors.testing.observation import Observation


@dataclass(frozen=True, slots=True)
class Promise:
    """`name` is the promise as a sentence; `violations` says, one by one, where it is not kept."""

    name: str
    violations: Callable[[Observation], Iterator[str]]

    def broken(self, observation: Observation) -> list[str]:
        """Where it is not kept. Requests are tried as often as in production, without waiting in between."""
        with stamina.set_testing(True, attempts=ATTEMPTS):
            return list(self.violations(observation))


def promise(name: str) -> Callable[[Callable[[Observation], Iterator[str]]], Promise]:
    """Makes a promise of the function that yields where it is not kept."""
    return lambda violations: Promise(name, violations)
