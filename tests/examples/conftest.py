"""The example packages, as if they were installed in this process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.testing import Case
from tests.e2e.conftest import Folder
from tests.paths import ROOT

LINEAR = ROOT / "examples" / "headrace-linear"


@pytest.fixture(scope="session", autouse=True)
def importable() -> None:
    sys.path.insert(0, str(LINEAR))


@pytest.fixture(scope="session")
def linear_case(importable: None) -> Callable[[], Case]:
    """The case with which the package itself asks the conformance kit."""
    spec = importlib.util.spec_from_file_location("linear_conformance", LINEAR / "tests" / "test_conformance.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[], Case] = module.linear_case
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "work"
    path.mkdir()
    return Folder(path)
