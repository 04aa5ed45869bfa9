"""`mlrunner predict`: its words, its default output and its summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import predict
from mlrunner.core.errors import ConfigError, MlrunnerError


@pytest.mark.parametrize("name", ["t.csv", "year=2024/t.csv"])
def test_a_file_is_separated_from_overrides(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
    overrides = ["dataset.rows=3", "++dataset.options.sep=;"]
    assert predict.split_words([name, *overrides]) == (name, overrides)
    assert predict.split_words(["dataset=sql", "stack=local"]) == (None, ["dataset=sql", "stack=local"])
    assert predict.split_words(["hive/year=*/part-0.parquet"]) == ("hive/year=*/part-0.parquet", [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Name a FILE to predict"),
        (["dataset.rows=3"], "Name a FILE to predict"),
        (["a.csv", "b.csv"], "mlrunner predict takes one file, got 2: a.csv, b.csv; name one, or a glob in quotes"),
        (["a.csv", "model=rf"], "'model=rf' cannot be overridden for a prediction; dataset and stack can"),
    ],
)
def test_other_words_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        predict.split_words(words)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("data/orders.csv", "orders"),
        ("orders.csv.gz", "orders"),
        ("data/orders-*.parquet", "orders"),
        ("data/*.csv", "csv"),
        ("https://host/a/b.csv?key=secret", "b"),
        (None, "csv"),
    ],
)
def test_the_output_is_named_after_the_input(file: str | None, expected: str) -> None:
    assert predict.default_out(file, "csv") == Path(f"{expected}.predictions.parquet")


@pytest.mark.usefixtures("empty_home")
def test_without_a_deployment_nothing_is_predicted() -> None:
    Path("t.csv").write_text("a\n1\n")
    with pytest.raises(MlrunnerError):
        predict.main(["t.csv"])
    assert not Path("t.predictions.parquet").exists()


def test_the_summary_counts_rejected_rows(capsys: pytest.CaptureFixture[str]) -> None:
    summary = {
        "rows": 3, "predicted": 2, "rejected": 1, "model": "houses", "version": 4, "through": "the service",
        "output": "/a b.parquet", "rejected_output": "/r.csv", "reasons": ["row 1 has no price"], "seconds": 1.0,
        "rows_per_second": 3, "pipeline_run": "predict-houses-4",
    }  # fmt: skip
    predict._show(summary)
    lines = dict(line.strip().split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["rows"] == "3: 2 predicted, 1 rejected"
    assert lines["output"] == "'/a b.parquet'"
    assert lines["rejected"] == "/r.csv"
