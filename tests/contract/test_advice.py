"""What a message or a warning says to type is typed, and gets further: in process, nothing is fitted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import DictConfig

from mlrunner.cli.hydra_app import hydra_arguments
from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.composition import Launch
from mlrunner.composition.error_translation import translate
from mlrunner.core.errors import MlrunnerError

Compose = Callable[[list[str]], DictConfig]
# An override in a sentence: in double or single quotes, or a word without a sign that ends a sentence.
ADVICE = re.compile(
    r"\"(?P<double>[a-z_]+[\w.]*=[^\"]+)\"|'(?P<single>[a-z_]+[\w.]*=[^']+)'|(?<![\w'\"])(?P<word>[a-z_]+[\w.]*=[^\s;]+)"
)
ROWS = 120

CSV = "dataset=csv dataset.path=good.csv dataset.target=y model=ridge"
# A command line with a mistake, by what its sentence is about.
MISTAKES = {
    "no target": "dataset=csv dataset.path=good.csv model=ridge",
    "no file": "dataset=csv dataset.target=y model=ridge",
    "separator": "dataset=csv dataset.path=semicolons.csv dataset.target=y model=ridge",
    "encoding": "dataset=csv dataset.path=latin.csv dataset.target=y model=ridge",
    "UTF-16": "dataset=csv dataset.path=utf16.csv dataset.target=y model=ridge",
    "fractions as classes": f"{CSV} dataset.task=classification model=rf",
    "name with a dot": f"{CSV} dataset.dtypes.zip.code=str",
    "equals sign": CSV.replace("good.csv", "a=b.csv"),
    "letters": CSV.replace("dataset.target=y", "dataset.target=größe"),
    "working folder": f"{CSV} hydra.job.chdir=true",
    "no class": f"{CSV} model=custom",
    "rare class": f"{CSV} dataset.target=rare model=rf split=stratified dataset.task=classification",
    "too many folds": f"{CSV} split=kfold split.folds=500",
    "texts among numbers": CSV.replace("good.csv", "mixed.csv"),
    "no saved model": f"{CSV} deployer=registry tracking.log_model=false",
    "champion of nothing": f"{CSV} gate=champion",
    "sorted range": f"{CSV} model.estimator.alpha=sort(tag(log,range(1,6)))",
    "several values": f"{CSV} model.estimator.alpha=1,2",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    table = pd.DataFrame({"a": [n * 37 % 101 for n in range(ROWS)], "b": [n % 7 for n in range(ROWS)]})
    table["price"] = table["y"] = table["a"] * 1.5 + table["b"]
    table["größe"], table["zip.code"] = table["y"], "007"
    table["rare"] = ["once", *["often", "daily"] * ((ROWS - 1) // 2), "often"]
    for name in ("good.csv", "a=b.csv"):
        table.to_csv(folder / name, index=False)
    table.assign(b=["?", "?", *map(str, range(2, ROWS))]).to_csv(folder / "mixed.csv", index=False)
    table.to_csv(folder / "semicolons.csv", index=False, sep=";")
    table.to_csv(folder / "latin.csv", index=False, encoding="latin-1")
    table.to_csv(folder / "utf16.csv", index=False, encoding="utf-16")
    return folder


@pytest.fixture(autouse=True)
def place(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.chdir(tables)


def check(compose: Compose, words: list[str]) -> Checked:
    """Compose and check words of a command line, as a run does before its first step."""
    typed = hydra_arguments(words)
    try:
        return checks.check(compose([text for text in typed if text != "--multirun"]), Launch({}, typed, Path("run")))
    except MlrunnerError:
        raise
    except Exception as error:
        known = translate(error, typed)
        raise (known or error) from error


def find_problems(compose: Compose, words: list[str]) -> list[str]:
    try:
        check(compose, words)
    except MlrunnerError as error:
        return list(getattr(error, "problems", [str(error)]))
    return []


def list_advice(sentence: str) -> list[str]:
    """List the overrides that a sentence says to type, as a shell passes them; those of what was found come before."""
    found = [match.group(match.lastgroup or 0).rstrip(".,;:") for match in ADVICE.finditer(sentence)]
    found = [text.rstrip(")") if text.count(")") > text.count("(") else text for text in found]
    return [text for text in found if not re.search(r"=[A-Z]+$|…", text)]


def type_advice(words: list[str], advice: list[str]) -> list[str]:
    """Replace each override by the one of the same key, and add the others."""
    keys = {text.partition("=")[0] for text in advice}
    kept = [word for word in words if word.partition("=")[0] not in keys]
    return [*(word for word in kept if not _is_nested(word, keys)), *advice]


def _is_nested(word: str, keys: set[str]) -> bool:
    return any(word.startswith(f"{key}.") for key in keys)


@pytest.mark.parametrize("case", MISTAKES)
def test_what_a_message_says_to_type_gets_further(case: str, compose: Compose) -> None:
    words = shlex.split(MISTAKES[case])
    problems = find_problems(compose, words)
    assert problems, "the command line has a mistake"
    for sentence in problems:
        _, _, hint = sentence.partition("; ") if "; " in sentence else ("", "", sentence)
        advice = list_advice(hint)
        if not advice and "--multirun" in hint:
            advice = ["--multirun"]
        assert advice, f"nothing to type: {sentence}"
        assert sentence not in find_problems(compose, type_advice(words, advice))


def test_what_a_warning_says_to_type_silences_it(compose: Compose, tables: Path) -> None:
    days = pd.date_range("2020-01-01", periods=ROWS)
    table = pd.DataFrame({"Unnamed: 0": range(ROWS), "same": "x", "a": [n * 37 % 101 for n in range(ROWS)]})
    table["name"] = [f"Name {n}" for n in range(ROWS)]
    table["again"], table["y"], table["day"] = table["a"], table["a"] * 2.5, days
    table["comma"] = [f"{n % 30},{n % 7}" for n in range(ROWS)]
    table.to_parquet(tables / "advice.parquet")
    words = ["dataset=parquet", "dataset.path=advice.parquet", "dataset.target=y", "model=ridge"]
    notices = {notice.name: notice.text for notice in check(compose, words).notices}
    assert notices.keys() >= {"index_columns", "constant_columns", "id_columns", "duplicate_columns", "leaking_columns"}
    assert {"sorted_by_time", "numbers_as_text"} <= notices.keys()
    for name, text in notices.items():
        if name != "numbers_as_text":  # its options are those of CSV files
            after = check(compose, type_advice(words, list_advice(text))).notices
            assert (name, text) not in after, text
