"""What is wrong with a configuration, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.settings import ConfigurationError
from tests.harness.broker_settings import Data, Problems, load


@pytest.fixture
def problems_in(tmp_path: Path) -> Problems:
    def problems(data: Data) -> dict[str, str]:
        with pytest.raises(ConfigurationError) as caught:
            load(data, tmp_path)
        return {problem.lines()[0].split(" = ")[0].strip(): problem.wrong for problem in caught.value.problems}

    return problems
