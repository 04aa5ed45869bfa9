"""`mlrunner sweeps` on recorded runs."""

from __future__ import annotations

import json

import pytest

from mlrunner.cli.commands import sweeps
from mlrunner.core.errors import ConfigError
from tests.support.cli_home import SWEEP, CliHome


@pytest.mark.usefixtures("cli_home")
def test_a_sweep_is_listed_by_day_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeps.main(["--columns", "id", "--csv"]) == 0
    assert capsys.readouterr().out.split() == ["id", SWEEP]


def test_json_names_the_parent_run(cli_home: CliHome, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeps.main([SWEEP, "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["run_id"] == cli_home.ids["parent"]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ConfigError):
        sweeps.main(["--columns", "took,wrong"])
