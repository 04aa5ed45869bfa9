"""`mlrunner explain`, `mlrunner.explain` and the report's chart, of one run with trees on dates, texts and numbers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.front_door import front_door, run_program

pytestmark = pytest.mark.slow
FROM_PYTHON = """
import json, sys
from pathlib import Path
import pandas as pd
import mlrunner

home = Path(sys.argv[1])
rows = pd.read_csv(home / "rows.csv")
table = mlrunner.explain("latest", rows, home=home)
model = mlrunner.load("latest", home=home)
sums = table.groupby("row")["contribution"].sum().tolist()
print(json.dumps([sums, model.predict(rows).tolist(), model.feature_names_in_.tolist(), table.attrs["unit"]]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run xgboost on a table of which `size` alone makes the target."""
    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    size = rng.integers(0, 2, 200)
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 200), unit="D")
    columns = {"size": np.where(size, "<big>", "small"), "day": days.strftime("%Y-%m-%d"), "x": rng.normal(size=200)}
    table = pd.DataFrame({**columns, "y": 10.0 + 4.0 * size})
    table.to_csv(folder / "table.csv", index=False)
    table.drop(columns="y").head(2).to_csv(folder / "rows.csv", index=False)
    (folder / "rows.json").write_text(table.drop(columns="y").head(2).to_json(orient="records"))
    settings = ["model.estimator.n_estimators=20", "model.estimator.learning_rate=0.5", "tracking.plots=false"]
    run = front_door(
        folder,
        "dataset=csv",
        f"dataset.path={folder}/table.csv",
        "dataset.target=y",
        "dataset.task=regression",
        *settings,
    )
    assert run.code == 0, run.err
    return folder


def test_the_column_that_makes_the_target_comes_first(home: Path) -> None:
    document = front_door(home, "explain", "latest", "--json").json
    first, *others = document["contributions"]
    assert (first["column"], first["direction"]) == ("size", "highest for <big>, lowest for small")
    assert {line["column"] for line in others} == {"day", "x"}  # the parts of the date count as the date
    assert first["share"] > 0.95
    assert first["mean |contribution|"] == pytest.approx(2.0, rel=0.1)  # the target is its mean, plus or minus about 2
    assert (document["unit"], document["rows"]) == ("unit of the target", 40)


def test_the_contributions_to_rows_add_up_to_their_predictions(home: Path) -> None:
    outputs = [front_door(home, "explain", "latest", str(home / f"rows.{form}"), "--csv") for form in ("csv", "json")]
    assert [done.code for done in outputs] == [0, 0], outputs[0].err
    assert outputs[0].out == outputs[1].out
    lines = list(csv.DictReader(io.StringIO(outputs[0].out)))
    for row in ("0", "1"):
        of_row = [line for line in lines if line["row"] == row]
        total = sum(float(line["contribution"]) for line in of_row)
        assert total == pytest.approx(float(of_row[0]["prediction"]), abs=1e-4)
        assert [line["column"] for line in of_row][:2] == ["(base)", "size"]


def test_from_python_in_a_fresh_process(home: Path) -> None:
    done = run_program(home, FROM_PYTHON, str(home))
    assert done.code == 0, done.err
    sums, predictions, columns, unit = json.loads(done.out)
    assert sums == pytest.approx(predictions, abs=1e-4)
    assert (columns, unit) == (["size", "day", "x"], "unit of the target")


def test_the_report_shows_the_contributions(home: Path) -> None:
    done = front_door(home, "report", "latest", "-o", str(home / "report.html"))
    assert done.code == 0, done.err
    assert '<figure id="contributions">' in (home / "report.html").read_text()
