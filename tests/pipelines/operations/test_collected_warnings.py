"""What is logged while a source is tried stands in the answer, unless it is said there already."""

from __future__ import annotations

import logging

import pytest

from connectors.contract import Finding
from pipelines.operations.collected_warnings import collecting_warnings


def test_warnings_are_findings_and_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("connectors.anything")
    beside = [Finding("people", False, "users.list: refused", lost="people keep their ids")]
    with collecting_warnings() as warnings:
        for said in ("acme/web is not read", "people keep their ids: users.list: refused", "acme/web is not read"):
            logger.warning(said)
        logger.error("a fault")
        assert warnings.take("acme", beside) == [Finding("acme", True, "warning: acme/web is not read")]
        assert warnings.take("acme", []) == []
    logger.warning("as before")
    assert caplog.messages == ["a fault", "as before"]
