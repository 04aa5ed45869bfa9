"""`mlrunner check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import check
from mlrunner.core.errors import MlrunnerError, ProblemsError


def test_a_composition_is_shown_with_its_rows_and_columns(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["dataset=wine", "model=ridge"]) == 0
    out = capsys.readouterr().out
    assert "wine, 178 rows x 14 columns, classification" in out
    assert "rows      114 train, 28 validation, 36 test" in out  # 20 % and 20 % of the rest
    assert "  alcohol" in out
    assert "of 178 evenly spaced rows" in out
    assert "run       mlrunner dataset=wine model=ridge" in out
    assert not (empty_home / ".mlrunner").exists()  # no store is opened


def test_a_search_is_shown_with_its_plan(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ["sweep=optuna", "model=ridge,dummy", "dataset=wine", "hydra.sweeper.n_trials=3"]
    assert check.main(overrides) == 0
    out = capsys.readouterr().out
    assert "rows      114 train, 28 validation, 36 test" in out  # of the first trial
    assert "mlrunner  plan  3 trials" in out
    assert "run       mlrunner sweep=optuna model=ridge,dummy dataset=wine hydra.sweeper.n_trials=3" in out
    assert not (empty_home / ".mlrunner").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.estimator.alpha=interval(3,1)", r"model\.estimator\.alpha=interval\(3,1\) is not a valid range"),
        ("model.estimator.alpha=interval(-1,1)", "'alpha' parameter of RidgeClassifier .* Got -1.0"),
        ("hydra.sweeper.n_trial=3", "Did you mean 'n_trials'"),
        ("model=rigde", "Did you mean 'ridge'"),
    ],
)
def test_the_ranges_of_a_search_are_checked(override: str, message: str) -> None:
    with pytest.raises(MlrunnerError, match=message):
        check.main(["sweep=optuna", "model=ridge", "dataset=wine", override])


def test_problems_of_every_option_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for group, text in {"dataset/mine": "defaults: [wine]", "split/bad": "defaults: ['80_20']\ntrain: 2"}.items():
        file = tmp_path / "conf" / f"{group}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    with pytest.raises(ProblemsError) as caught:
        check.main(["--all", "model=ridge"])
    assert {problem.partition(":")[0] for problem in caught.value.problems} == {"split=bad model=ridge"}
    signs = [line[0] for line in capsys.readouterr().out.splitlines()]
    assert [sign for sign in signs if sign != " "] == ["✓", "✓", "✗"]  # warnings are indented


def test_values_of_a_column_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    common = {"missing": 0.25, "distinct": 3}
    columns = {
        "day": {"dtype": "datetime64[ns]", "quantiles": [0.0, 86400.0], **common},
        "size": {"dtype": "float64", "quantiles": [1.5, 2.5], **common},
        "plan": {"dtype": "str", "top": {"a": 0.5, "b": 0.25, "rare": 0.001}, **common},
        "id": {"dtype": "str", "top": {"x1": 0.001}, **common},
    }
    check.show_profile(columns, 100)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["day", "datetime64[ns]", "25.0%", "3", "1970-01-01", "to", "1970-01-02"]
    assert [line[4:] for line in lines[2:5]] == [["1.5", "to", "2.5"], ["a", "50%,", "b", "25%"], ["x1"]]
