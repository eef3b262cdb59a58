"""The conformance kit notices what is wrong in the sources' own code: mutants of their files turn it red."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

import connectors
from connectors.testing import Observation
from connectors.testing.conformance import PROMISES
from tests.connectors.cases import CASES


class NoCheckpoints(ast.NodeTransformer):
    """Drops what yields checkpoints on the way; the last one of a read says whether it is complete."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        value = node.value.value if isinstance(node.value, ast.Yield) else None
        if not (isinstance(value, ast.Call) and _name(value.func).lower() == "checkpoint"):
            return self.generic_visit(node)
        if any(keyword.arg == "complete" for keyword in value.keywords):
            return node
        return ast.copy_location(ast.Pass(), node)


class SwappedUnits(ast.NodeTransformer):
    """Documents say that they are in another unit."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        for keyword in node.keywords if _name(node.func) == "Document" else ():
            if keyword.arg == "unit":
                keyword.value = ast.copy_location(ast.Constant("another"), keyword.value)
        return self.generic_visit(node)


class ShiftedTimes(ast.NodeTransformer):
    """Documents say that they were updated an hour later."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        for keyword in node.keywords if _name(node.func) == "Document" else ():
            if keyword.arg == "updated_at":
                late = "__import__('datetime').timedelta(hours=1)"
                wrapped = ast.parse(f"(lambda moment: moment and moment + {late})(0)", mode="eval").body
                assert isinstance(wrapped, ast.Call)
                wrapped.args = [keyword.value]
                keyword.value = ast.copy_location(wrapped, keyword.value)
        return self.generic_visit(node)


MUTATIONS: dict[str, tuple[type[ast.NodeTransformer], str]] = {
    "no checkpoints on the way": (NoCheckpoints, "checkpoints come as often"),
    "units are swapped": (SwappedUnits, "documents name their"),
    "times are shifted": (ShiftedTimes, "what the server is known to hold is read, with"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("source", sorted(CASES))
def test_a_mutant_of_a_source_turns_the_kit_red(source: str, name: str) -> None:
    mutation, beginning = MUTATIONS[name]
    (promise,) = (promise for promise in PROMISES if promise.name.startswith(beginning))
    with (
        mutated(source, mutation) as module,
        CASES[source](module.connect) as case,
        closing(Observation(case)) as observation,
    ):
        assert promise.broken(observation)


@contextmanager
def mutated(source: str, mutation: type[ast.NodeTransformer]) -> Iterator[ModuleType]:
    """The module `source` of a source whose files are all mutated, while the context lasts."""
    package = f"connectors.{source}"
    own = {name: module for name, module in sys.modules.items() if f"{name}.".startswith(f"{package}.")}
    finder = MutatingFinder(package, mutation)
    for name in own:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(f"{package}.source")
        assert finder.changed, "no file was changed"
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
            del sys.modules[name]
        sys.modules.update(own)
        setattr(connectors, source, own.get(package))


class MutatingFinder(MetaPathFinder, Loader):
    """Imports the modules of a package from their files, mutated."""

    def __init__(self, package: str, mutation: type[ast.NodeTransformer]) -> None:
        self.changed = False
        self._package = package
        self._mutation = mutation

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path) if f"{fullname}.".startswith(f"{self._package}.") else None
        if found is None or found.origin is None:
            return None
        locations = found.submodule_search_locations
        spec = ModuleSpec(fullname, self, origin=found.origin, is_package=locations is not None)
        spec.submodule_search_locations = locations
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__
        origin = module.__spec__.origin
        assert origin
        tree = ast.parse(Path(origin).read_text(encoding="utf-8"))
        before = ast.dump(tree)
        tree = ast.fix_missing_locations(self._mutation().visit(tree))
        self.changed |= ast.dump(tree) != before
        exec(compile(tree, origin, "exec"), module.__dict__)


def _name(function: ast.expr) -> str:
    """`Checkpoint` of `Checkpoint(…)`, `checkpoint` of `self._checkpoint(…)`."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lstrip("_")
    return ""
