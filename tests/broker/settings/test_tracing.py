"""The table `tracing`: an address, and what `check` says where the packages for it are missing."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from broker.operations.configuration import refuse_missing_packages
from broker.settings.models import TracingSettings
from kit.settings.report import ConfigurationError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "", "http://a b"])
def test_what_is_no_address_of_a_collector_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        TracingSettings(otlp_endpoint=endpoint)


def test_packages_that_are_missing_are_told_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_missing_packages(Path("x.toml"))
    monkeypatch.setattr("broker.operations.configuration.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as refused:
        refuse_missing_packages(Path("x.toml"))
    (problem,) = refused.value.problems
    assert problem.key == ("tracing", "otlp_endpoint")
    assert "requirements/tracing.txt" in str(problem.mend)


def test_the_packages_are_those_of_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extra = project["tool"]["setuptools"]["dynamic"]["optional-dependencies"]["tracing"]
    assert "optional-dependencies" in project["project"]["dynamic"]
    assert "opentelemetry-sdk" in (ROOT / extra["file"][0]).read_text()
    assert importlib.util.find_spec("opentelemetry.sdk")
