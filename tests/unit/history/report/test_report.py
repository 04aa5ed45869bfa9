"""What a report shows and leaves out, and that nothing that was given to it becomes more than a text."""

from __future__ import annotations

import base64
import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from mlrunner.cli.commands import report as verb
from mlrunner.composition import NAME_LENGTH
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.outcome import Outcome
from mlrunner.evaluation.plots import search as search_plots
from mlrunner.groups.dataset.profile import profile
from mlrunner.history import diff, report
from mlrunner.history.diff import documents, sides
from mlrunner.history.report import (
    commands,
    content,
    datacard,
    differences,
    grids,
    pictures,
    publishing,
    summary,
    tables,
    trials,
)
from mlrunner.history.report.page import make_page
from mlrunner.tracking.records import Record, Store
from mlrunner.tracking.records.record import STUDY_TAG
from mlrunner.tracking.records.snapshot import Snapshot
from tests.support.front_door import PROJECT

SWEEP = "2026-01-02/03-04-05-678901"
HOSTILE = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\"'"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Shelf(Store):
    """A store that is a list."""

    def __init__(self, *records: Record) -> None:
        self.records = list(records)

    def search(self, where: str = "", sort: Sequence[str] = (), limit: int | None = None) -> list[Record]:
        del sort, limit
        wanted = re.search(r"attributes.run_id = '(\w+)'", where)
        if wanted is not None:
            return [one for one in self.records if one.run_id == wanted[1]]
        return [one for one in self.records if "mlrunner.trial_number" in one.tags]

    def statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        return {one: {} for one in sweeps}

    def aliases(self) -> list[tuple[str, str, int, str]]:
        return []


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


def made(folder: Path, run_id: str = "a" * 32, **more: Any) -> Record:
    """Make a run with a folder for its files."""
    (folder / run_id[:4]).mkdir(exist_ok=True)
    told: dict[str, Any] = {
        "name": "model=ridge",
        "status": "FINISHED",
        "start": 1_700_000_000_000,
        "end": 1_700_000_012_345,
        "experiment": "mlrunner",
        "artifact_uri": (folder / run_id[:4]).as_uri(),
        "params": {"dataset.name": "orders", "dataset.target": "price", "dataset.task": "regression", "model": "ridge"},
        "metrics": {"r2": 0.5, "validation/r2": 0.5, "test/r2": 0.4, "train/r2": 0.6, "train/rmse": 12345.6},
        "tags": {"mlrunner.model": "models:/m-1"},
    }
    return Record(run_id=run_id, **{**told, **more})


def outcome(number: int, value: float = 0.5, **more: Any) -> Outcome:
    told: dict[str, Any] = {
        "name": f"model=ridge,alpha={number}",
        "status": "FINISHED",
        "metric": "r2",
        "direction": "maximize",
        "objective": value,
        "seconds": 2.0,
        "fit_seconds": 0.1 * (number + 1),
        "score_seconds": 0.1,
        "metrics": {"r2": value, "validation/r2": value},
        "run_id": f"{number:x}" * 32,
        "model_uri": None,
        "folder": "",
        "job": number,
    }
    return Outcome(**{**told, **more})


def grid(folder: Path, outcomes: list[Outcome], best: int | None = 0, **tags: str) -> content.Content:
    """Gather a sweep of these compositions, one of which is the best."""
    lead = made(folder, f"{best:x}" * 32 if best is not None else "f" * 32)
    told = {"mlrunner.sweep_id": SWEEP, **tags}
    told |= {"mlrunner.best_run_id": lead.run_id} if best is not None else {}
    parent = made(folder, "e" * 32, name="dataset=orders,model=ridge", params={}, metrics={}, tags=told)
    return report.gather_content(parent, Shelf(parent, lead), outcomes)


def study(values: list[float]) -> optuna.Study:
    found = optuna.create_study(study_name="told", direction="maximize")
    for k, value in enumerate(values):
        ranges = {name: FloatDistribution(0, 10_000) for name in ("a", "<b>&")}
        found.add_trial(create_trial(value=value, params={"a": k, "<b>&": 2.0 * k}, distributions=ranges))
    return found


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(autouse=True)
def _default_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a project whose home and store are its own, and leave no other to the tests that follow."""
    for name, value in {
        "MLRUNNER_PROJECT": str(PROJECT),
        "MLRUNNER_HOME": str(PROJECT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{PROJECT}/.mlrunner/mlflow.db",
    }.items():
        monkeypatch.setenv(name, value)


def sections(found: content.Content) -> list[str]:
    return [entry.name for entry in make_page(found).contents]


# --- which sections -----------------------------------------------------------------------------------------

ALWAYS = {"summary", "environment", "commands"}


def a_search(folder: Path) -> content.Content:
    found = grid(folder, [outcome(0), outcome(1, 0.4)], **{STUDY_TAG: "told"})
    return replace(found, figures=search_plots.draw_search_figures(study([0.1, 0.5, 0.3, 0.2]), ["r2"]))


CASES: dict[str, tuple[Callable[[Path], content.Content], set[str]]] = {
    "a run": (lambda folder: _run(made(folder)), {"scores", "data"}),
    "a run without data": (lambda folder: _run(made(folder, params={})), {"scores"}),
    "a run that failed at once": (lambda folder: _run(made(folder, params={}, metrics={}, status="FAILED")), set()),
    "a grid": (lambda folder: grid(folder, [outcome(0), outcome(1)]), {"leaderboard", "cost", "scores", "data"}),
    "a grid of one": (lambda folder: grid(folder, [outcome(0)]), {"leaderboard", "scores", "data"}),
    "a grid with a failure": (
        lambda folder: grid(folder, [outcome(0), outcome(1, math.nan, status="FAILED", error="no")]),
        {"leaderboard", "failures", "scores", "data"},
    ),
    "a grid that failed": (
        lambda folder: grid(folder, [outcome(1, math.nan, status="FAILED", error="no", run_id=None)], best=None),
        {"failures"},
    ),
    "a sweep of nothing": (lambda folder: grid(folder, [], best=None), set()),
    "a search": (a_search, {"leaderboard", "search", "cost", "scores", "data"}),
}


def _run(record: Record) -> content.Content:
    return report.gather_content(record, Shelf(record))


@pytest.mark.parametrize("case", CASES)
def test_a_section_with_nothing_to_show_is_absent(case: str, tmp_path: Path) -> None:
    make, wanted = CASES[case]
    found = make(tmp_path)
    assert set(sections(found)) == ALWAYS | wanted
    page = Tags(report.render_report(found))
    ids = [str(attributes["id"]) for attributes in page.all("section")]
    assert ids == sections(found)
    links = {str(attributes["href"]) for attributes in page.all("a")}
    every = [str(attributes["id"]) for _, attributes in page.found if "id" in attributes]
    assert {link.removeprefix("#") for link in links} <= set(every)
    assert len(every) == len(set(every))


def test_the_pictures_that_a_run_logged_stand_in_the_page(tmp_path: Path) -> None:
    record = made(tmp_path)
    folder = tmp_path / "aaaa" / "plots"
    folder.mkdir()
    for name in ("residuals", "roc", "not_ours"):
        (folder / f"{name}.png").write_bytes(PIXEL)
    page = Tags(report.render_report(_run(record)))
    assert [attributes["alt"] for attributes in page.all("img")] == ["Residuals", "ROC"]
    assert page.all("img")[0]["src"] == f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert [attributes["id"] for attributes in page.all("figure")] == ["residuals", "roc"]


def test_a_search_whose_study_is_gone_shows_the_pictures_that_it_logged(tmp_path: Path) -> None:
    found = replace(a_search(tmp_path), figures={})
    (tmp_path / "eeee" / "plots").mkdir()
    for name in ("slices_rf", "slices", "optimization_history"):
        (tmp_path / "eeee" / "plots" / f"{name}.png").write_bytes(PIXEL)
    titles = {one.name: one.title for one in make_page(found).search}
    history = {"optimization_history": "Optimisation history"}
    assert titles == history | {"slices": "Slices", "slices_rf": "Slices: rf"}


def test_a_page_says_why_there_is_no_importance(tmp_path: Path) -> None:
    found = a_search(tmp_path)
    few = search_plots.draw_search_figures(study([0.1, 0.5, 0.3]), ["r2"])
    drawn = found.figures
    for figures in (drawn, {}, {"hyperparameter_importance_rf": drawn["hyperparameter_importance"]}):
        assert make_page(replace(found, figures=figures)).search_note == ""
    note = make_page(replace(found, figures=few)).search_note
    assert note.startswith("No importance of hyperparameters: it needs four complete trials")
    assert note in report.render_report(replace(found, figures=few))


def test_pictures_of_one_model_have_its_name_in_their_title(tmp_path: Path) -> None:
    drawn = search_plots.draw_search_figures(study([0.1, 0.5, 0.3, 0.2]), ["r2"])
    found = replace(a_search(tmp_path), figures={"slices": drawn["slices"], "slices_rf": drawn["slices"]})
    assert [(one.name, one.title) for one in make_page(found).search] == [
        ("slices", "Slices"),
        ("slices_rf", "Slices: rf"),
    ]


# --- nothing but the file -----------------------------------------------------------------------------------


def hostile(folder: Path) -> content.Content:
    """Put an attack wherever a text may come from."""
    one = outcome(0, name=f"model={HOSTILE},x={HOSTILE}")
    failed = outcome(1, math.nan, status="FAILED", error=HOSTILE, name=HOSTILE)
    found = grid(folder, [one, outcome(2, 0.1), failed], **{STUDY_TAG: HOSTILE})
    assert found.lead is not None
    (folder / "0000" / "environment").mkdir()
    (folder / "0000" / "environment" / "requirements.txt").write_text(f"# Python {HOSTILE}\nnumpy==<b>1</b>\n")
    params = {**found.lead.params, "dataset.name": HOSTILE, "dataset.target": HOSTILE, "cleaning": HOSTILE}
    lead = replace(found.lead, params=params, metrics={"r2": 0.1, f"test/{HOSTILE}": 1.0}, name=HOSTILE)
    lead = replace(lead, tags={**lead.tags, "mlrunner.gate.decision": "open", "mlrunner.gate.reason": HOSTILE})
    rows = pd.DataFrame({HOSTILE: [HOSTILE, "b", None], "n": [1.0, 2.0, 3.0]})
    note = {"fingerprint": "digest", "target": HOSTILE, **profile(rows)}
    (folder / "0000" / "data.json").write_text(json.dumps(note))
    lead = replace(lead, tags={**lead.tags, "mlrunner.data_hash": "digest"})
    figures = search_plots.draw_search_figures(study([0.1, 0.5, 0.3, 0.2]), [HOSTILE])
    subject = replace(found.subject, name=HOSTILE, params={f"space/{HOSTILE}": HOSTILE})
    return replace(found, subject=subject, lead=lead, figures=figures, verdict=HOSTILE)


def test_a_text_stays_a_text(tmp_path: Path) -> None:
    text = report.render_report(hostile(tmp_path))
    page = Tags(text)
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert all(str(attributes["src"]).startswith("data:") for attributes in page.all("img"))
    assert "<b>1</b>" not in text
    assert "".join(page.texts).count("alert(1)") > 10


@pytest.mark.parametrize("make", [a_search, CASES["a run"][0]], ids=["search", "run"])
def test_the_page_asks_the_network_for_nothing(make: Callable[[Path], content.Content], tmp_path: Path) -> None:
    text = report.render_report(make(tmp_path))
    page = Tags(text)
    policy = next(one for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    )
    asking = {"src", "href", "srcset", "action", "poster", "data", "xlink:href"}
    asked = [str(value) for _, attributes in page.found for name, value in attributes.items() if name in asking]
    assert len(asked) > 5
    assert all(value.startswith(("#", "data:")) for value in asked)
    assert not re.search(r"https?:", text)
    assert not re.search(r"@import|url\((?!#)", text)


def test_secrets_are_hidden_and_the_page_stays_whole(tmp_path: Path) -> None:
    name = "dataset.url=postgresql://me:hunter2@host/db,stack.token=hunter2"
    failed = outcome(1, math.nan, status="FAILED", error="cannot reach postgresql://me:hunter2@host", name=name)
    text = report.render_report(grid(tmp_path, [outcome(0, name=name), failed]))
    assert "hunter2" not in text
    assert text.count("<tr") == text.count("</tr>") > 3


def test_the_default_is_that_of_the_same_data(tmp_path: Path) -> None:
    typed = ("model=rf", "dataset=csv", "+dataset.options.decimal=','", "datasets=x", "seed=1")
    found = differences._of_data(Snapshot({}, overrides=typed, sources=(str(tmp_path), "/gone")))
    assert found == ["-cd", str(tmp_path), "dataset=csv", "+dataset.options.decimal=','"]


def test_a_secret_of_todays_files_is_not_in_the_differences(tmp_path: Path) -> None:
    told = (
        {"password": None, "token": "hunter1", "name": "local"},
        {"password": "hunter2", "token": None, "name": "far"},
    )
    for name, stack in zip("ab", told, strict=True):
        url = f"postgresql://me:{'hunter3' if name == 'b' else ''}@host/db"
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"stack": stack, "dataset": {"url": url}}))
    found = diff.compare([sides.read_file(tmp_path / f"{name}.yaml") for name in "ab"])
    shown = documents.to_html(found)
    assert all(f"hunter{k}" in shown for k in (1, 2, 3))
    hidden = differences.hide_secrets(shown)
    assert "hunter" not in hidden
    assert re.sub("<[^>]*>", " ", hidden).split().count("***") >= 2
    assert ("far" in hidden, hidden.count("<"), hidden.count("<td>null</td>")) == (True, shown.count("<"), 2)


# --- the numbers --------------------------------------------------------------------------------------------


def cells(row: tables.Row) -> list[str]:
    return [one.text for one in row.cells]


def test_the_leaderboard_has_the_best_first_and_the_failed_elsewhere(tmp_path: Path) -> None:
    made_of = [
        outcome(0, 0.4),
        outcome(1, 0.9, metrics={"r2": 0.9, "cv/r2": 0.9, "cv/r2_std": 0.0123}),
        outcome(2, 0.95, status="PRUNED"),
        outcome(3, math.nan, status="FAILED", error="broke"),
        outcome(4, 0.9),
    ]
    found = grid(tmp_path, made_of, best=1)
    board, failed = tables.make_leaderboard(found), tables.make_failures(found)
    assert board is not None
    assert failed is not None
    assert [row.cells[-2].text for row in board.rows] == ["1", "4", "0", "2"]
    assert [row.kind for row in board.rows] == ["best", "", "", "pruned"]
    assert [row.cells[0].text for row in board.rows] == ["1", "2", "3", "pruned"]
    assert (board.rows[0].cells[1].text, board.rows[0].cells[1].note) == ("0.9000", "± 0.012")
    assert board.rows[0].cells[1].exact == "0.9"
    assert cells(failed.rows[0]) == ["3", "model=ridge,alpha=3", "broke"]


def typed(folder: Path, number: int, value: float, *overrides: str, **more: Any) -> Outcome:
    """Leave the folder of a composition of a grid behind."""
    place = folder / str(number)
    (place / ".hydra").mkdir(parents=True)
    (place / grids.OVERRIDES).write_text(json.dumps(list(overrides)))
    return outcome(number, value, folder=str(place), **more)


def test_a_grid_is_drawn_like_a_search(tmp_path: Path) -> None:
    pairs = [(0.01, "80_20"), (0.1, "80_20"), (10, "70_15_15"), (1.0, "70_15_15")]
    made_of = [
        typed(tmp_path, k, 0.1 * k, "seed=1", f"+model.alpha={alpha}", f"split={split}", "hydra.verbose=true")
        for k, (alpha, split) in enumerate(pairs)
    ]
    broke = typed(tmp_path, 4, math.nan, "seed=1", "+model.alpha=2", "split=kfold", error="no", status="FAILED")
    found = replace(grid(tmp_path, []), figures=grids.draw_grid(SWEEP, [broke, *made_of], {"r2": "maximize"}))
    page = make_page(found)
    assert [one.name for one in page.search] == list(pictures.SEARCH)[:1] + list(pictures.SEARCH)[2:]
    assert [entry.title for entry in page.contents if entry.name == "search"] == ["The grid"]
    history, slices = (found.figures[name] for name in ("optimization_history", "slices"))
    title = f"Optimisation history: best r2 0.3, trial 3\n{SWEEP}: 4 complete, 1 failed"
    assert history.get_suptitle() == title
    axes = {one.get_xlabel(): one for one in slices.axes if one.get_xlabel()}
    assert {name: one.get_xscale() for name, one in axes.items()} == {"alpha": "log", "split": "linear"}
    assert [text.get_text() for text in axes["split"].get_xticklabels()] == ["'80_20'", "'70_15_15'"]


@pytest.mark.parametrize("count", [3, 4])
def test_a_small_grid_and_one_whose_folders_are_gone_have_no_pictures(count: int, tmp_path: Path) -> None:
    outcomes = [typed(tmp_path, k, 0.1, f"x={k}") for k in range(3)] + [outcome(3), outcome(4)][: count - 2]
    assert grids.draw_grid(SWEEP, outcomes, {"r2": "maximize"}) == {}


def test_what_is_to_be_minimized_has_its_least_first() -> None:
    found = [outcome(k, value, metric="rmse", metrics={"rmse": value}) for k, value in enumerate((3.0, 1.0, 2.0))]
    arranged = trials.sort_trials(found, {"rmse": "minimize"}, None)
    assert [one.outcome.job for one in arranged] == [1, 2, 0]


def test_several_objectives_have_a_column_each_and_their_front(tmp_path: Path) -> None:
    told = {"metrics": ["r2", "fit_seconds"], "directions": ["maximize", "minimize"], "solutions": [{"number": 1}]}
    (tmp_path / "eeee").mkdir()
    (tmp_path / "eeee" / content.SUMMARY).write_text(json.dumps(told))
    found = grid(tmp_path, [outcome(0, 0.9), outcome(1, 0.8)], **{STUDY_TAG: "told"})
    board = tables.make_leaderboard(found)
    assert board is not None
    assert [column.label for column in board.columns] == [
        "rank", "r2", "fit_seconds", "composition", "total", "trial", "run"
    ]  # fmt: skip
    assert [row.kind for row in board.rows] == ["best", "front"]
    assert cells(board.rows[1])[1:3] == ["0.8000", "0.2000"]
    assert [row.cells[0].note for row in board.rows] == ["", "front"]  # and not by a colour alone


def test_the_scores_stand_by_part_with_the_objective_first() -> None:
    told = {"train/mae": 1.0, "train/r2": 0.123456, "cv/r2": 0.1, "cv/r2_std": 0.02, "r2": 0.1, "fit_seconds": 3.0}
    found = tables.make_scores(told, "r2")
    assert found is not None
    assert [column.label for column in found.columns] == ["metric", "train", "folds"]
    assert [cells(row) for row in found.rows] == [["r2", "0.1235", "0.1000"], ["mae", "1.000", "-"]]
    assert found.rows[0].cells[2].note == "± 0.02"
    assert tables.make_scores({"r2": 1.0}, "r2") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.48, "0.4800"),
        (1, "1.000"),
        (-12.3456, "-12.35"),
        (1234.4, "1,234"),
        (123456.7, "123,457"),
        (0, "0.000"),
        (0.00001234, "1.234e-05"),
        (math.inf, "inf"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert tables.format_digits(value) == text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("model=rf,max_depth=8", ("model=rf", "max_depth=8")),
        ("default", ("default",)),
        ("drop=[a,b],x={k:1,l:2},+y=1", ("drop=[a,b]", "x={k:1,l:2}", "+y=1")),
        ("winner,model=rf", ("winner", "model=rf")),
        ("a=1,~b.c,d=2,~e", ("a=1", "~b.c", "d=2", "~e")),
        ("model=ridge,rf", ("model=ridge,rf",)),
        ("", ("",)),
    ],
)
def test_a_name_is_taken_apart_between_its_overrides(name: str, parts: tuple[str, ...]) -> None:
    assert tables.split_name(name) == parts


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1234, "0.123 s"), (99.9, "99.9 s"), (100, "1 min 40 s"), (7260, "2 h 01 min")]
)
def test_a_time_is_written_for_people(seconds: float, text: str) -> None:
    assert summary.format_elapsed(seconds) == text


def test_a_blueprint_says_that_its_model_is_a_dummy(tmp_path: Path) -> None:
    record = made(tmp_path)
    assert "blueprint" not in summary.list_facts(_run(record))
    told = summary.list_facts(_run(replace(record, params={**record.params, "blueprint": "true"})))
    assert told["blueprint"] == "a few dozen rows and a dummy model"


def test_a_long_name_is_told_whole(tmp_path: Path) -> None:
    overrides = [f"a{k}={k}" for k in range(99)]
    cut = ",".join(overrides)[:NAME_LENGTH]
    record = made(tmp_path, name=cut, tags={"mlrunner.overrides": json.dumps(overrides)})
    assert make_page(_run(record)).name == " ".join(overrides)
    assert make_page(_run(replace(record, name="mine"))).name == "mine"
    assert make_page(_run(replace(record, tags={}))).name == cut


def test_what_no_number_sorts_has_no_exact_value() -> None:
    assert [tables.number_cell(value).exact for value in (1.5, math.inf, math.nan, None)] == ["1.5", "", "", ""]


def test_the_headline_has_the_exact_numbers(tmp_path: Path) -> None:
    found = summary.make_headline(grid(tmp_path, [outcome(0, 1 / 3), outcome(1, 0.1)]))
    assert [(one.label, one.text, one.value) for one in found] == [
        ("best r2", "0.3333", 1 / 3),
        ("test r2", "0.4000", 0.4),
        ("compositions", "2", 2),
        ("time", "12.3 s", 12.345),
    ]


def test_the_commands_can_be_pasted(tmp_path: Path) -> None:
    record = made(tmp_path)
    (tmp_path / "aaaa" / ".hydra").mkdir()
    (tmp_path / "aaaa" / ".hydra" / "overrides.yaml").write_text("- model=ridge\n- dataset.path='my table.csv'\n")
    told = {one.label: one.text for one in commands.list_commands(_run(record))}
    assert told["as a composition of its own"] == "mlrunner model=ridge 'dataset.path='\"'\"'my table.csv'\"'\"''"
    assert told["see it in MLflow"] == "mlrunner ui aaaaaaaa"
    assert told["judge it, and let it serve if the gate opens"] == "mlrunner deploy aaaaaaaa"
    assert "models:/m-1" in told["load the model, in Python"]
    unsaved = {one.label for one in commands.list_commands(_run(replace(record, tags={})))}
    assert not {label for label in unsaved if "serve" in label or "load" in label}


def test_a_run_that_mlrunner_did_not_make_is_not_reproduced_and_has_no_objective(tmp_path: Path) -> None:
    record = made(tmp_path, params={}, metrics={"loss": 1.0}, tags={})
    assert not [one for one in commands.list_commands(_run(record)) if "reproduce" in one.text]
    assert "objective" not in summary.list_facts(_run(record))
    (tmp_path / "aaaa" / "config.yaml").write_text("seed: 0\n")
    assert next(one.text for one in commands.list_commands(_run(record))) == "mlrunner reproduce aaaaaaaa"


def test_what_a_store_says_is_quoted_in_the_commands(tmp_path: Path) -> None:
    folder = tmp_path / "$(reboot)"
    folder.mkdir()
    (folder / "multirun.yaml").touch()
    tags = {"mlrunner.sweep_id": "x; rm -rf ~", STUDY_TAG: "told", "mlrunner.folder": str(folder)}
    parent = made(tmp_path, "e" * 32, tags=tags, status="KILLED")
    told = {one.label: one.text for one in commands.list_commands(_run(parent))}
    assert told["make this page again"] == "mlrunner report 'x; rm -rf ~'"
    assert told["go on with it, to its end"] == f"mlrunner resume '{folder}'"


@pytest.mark.parametrize(
    ("status", "sampler", "told"),
    [
        ("FINISHED", "optuna.samplers.TPESampler", {"for as many trials again": "hydra.sweeper.n_trials=4"}),
        ("FINISHED", "optuna.samplers.GridSampler", {}),
        ("KILLED", "optuna.samplers.GridSampler", {"to its end": ""}),
        ("FAILED", "optuna.samplers.TPESampler", {"for as many trials again": "hydra.sweeper.n_trials=4"}),
    ],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["there", "gone"])
def test_a_search_goes_on_where_its_folder_is_still_there(
    is_there: bool, status: str, sampler: str, told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    folder = tmp_path / "multirun" / SWEEP
    folder.mkdir(parents=True)
    (folder / ("multirun.yaml" if is_there else "other")).touch()
    found = grid(tmp_path, [outcome(0), outcome(1)], **{STUDY_TAG: "my own name", "mlrunner.folder": str(folder)})
    subject = replace(found.subject, status=status, params={"sampler._target_": sampler})
    lines = commands.list_commands(replace(found, subject=subject))
    resumed = {one.label.rpartition(", ")[2]: one.text for one in lines if " resume " in one.text}
    wanted = {label: f"mlrunner resume {SWEEP} {more}".strip() for label, more in told.items()}
    assert resumed == (wanted if is_there else {})


def test_a_home_and_a_store_that_the_commands_would_not_find_are_named_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/.mlrunner/mlflow.db")
    usual = commands.list_commands(_run(made(tmp_path)))
    assert usual[0].text.startswith("mlrunner ")
    (load,) = (one.text for one in usual if one.label.startswith("load"))
    assert f"mlflow.set_tracking_uri('sqlite:///{tmp_path}/.mlrunner/mlflow.db'); model = " in load
    monkeypatch.setenv("MLRUNNER_HOME", "/my home")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@host:5000")
    first, *_ = commands.list_commands(_run(made(tmp_path)))
    assert first.text == "export 'MLRUNNER_HOME=/my home' MLFLOW_TRACKING_URI=http://host:5000"


def test_a_composition_of_its_own_names_its_folder_and_no_part_of_a_sweep(tmp_path: Path) -> None:
    record = made(tmp_path)
    folder = tmp_path / "aaaa" / ".hydra"
    folder.mkdir()
    (tmp_path / "aaaa" / "config.yaml").write_text("seed: 0\n")
    (folder / "overrides.yaml").write_text("- model=mine\n- +hydra.job.env_set.A=1\n- sweep=optuna\n")
    sources = [
        {"path": path, "schema": "file", "provider": "command-line"} for path in ("/my conf", str(PROJECT / "conf"))
    ]
    (folder / "hydra.yaml").write_text(json.dumps({"hydra": {"runtime": {"config_sources": sources}}}))
    told = {one.label: one.text for one in commands.list_commands(_run(record))}
    assert told["as a composition of its own"] == "mlrunner -cd '/my conf' model=mine"


# --- where the trials come from -----------------------------------------------------------------------------


def test_without_its_folder_a_grid_is_read_from_its_ranking(tmp_path: Path) -> None:
    (tmp_path / "eeee").mkdir()
    lines = [outcome(0), outcome(1, math.nan, status="FAILED", error="broke", run_id=None)]
    (tmp_path / "eeee" / "ranking.jsonl").write_text("\n".join(one.json() for one in lines))
    found = grid(tmp_path, None)  # type: ignore[arg-type]
    assert [one.state for one in found.trials] == [trials.COMPLETE, trials.FAILED]
    assert found.trials[1].outcome.error == "broke"
    assert found.goal == {"r2": "maximize"}


def test_without_its_folder_a_search_is_read_from_its_runs(tmp_path: Path) -> None:
    tags = {"mlrunner.sweep_id": SWEEP}
    runs = [
        made(
            tmp_path, "1" * 32, metrics={"rmse": 1.0, "fit_seconds": 0.1}, tags={**tags, "mlrunner.trial_number": "0"}
        ),
        made(tmp_path, "2" * 32, metrics={"rmse": 2.0}, status="KILLED", tags={**tags, "mlrunner.trial_number": "1"}),
        made(tmp_path, "3" * 32, metrics={}, status="FAILED", tags={**tags, "mlrunner.trial_number": "2"}),
        made(tmp_path, "4" * 32, tags={**tags, "mlrunner.trial_number": "0", "mlrunner.winner_of": "1" * 32}),
    ]
    (tmp_path / "3333" / "error.txt").write_text("ValueError: no\nTraceback")
    parent = made(tmp_path, "e" * 32, params={"goal.rmse": "minimize"}, tags={**tags, STUDY_TAG: "told"})
    found = report.gather_content(parent, Shelf(parent, *runs))
    assert [one.state for one in found.trials] == [trials.COMPLETE, trials.PRUNED, trials.FAILED]
    assert found.trials[0].outcome.fit_seconds == 0.1
    assert found.trials[2].outcome.error == "ValueError: no"


def test_of_a_sweep_that_was_killed_the_best_so_far_leads(tmp_path: Path) -> None:
    best = made(tmp_path, "2" * 32)
    parent = made(tmp_path, "e" * 32, status="RUNNING", end=None, tags={"mlrunner.sweep_id": SWEEP}, params={})
    failed = outcome(0, math.nan, status="FAILED", error="no")
    found = report.gather_content(parent, Shelf(parent, best), [outcome(1, 0.1), failed, outcome(2, 0.9)])
    assert (found.lead, found.best) == (best, found.trials[0])
    assert found.trials[0].outcome.job == 2
    assert [one.label for one in summary.make_headline(found)] == ["best r2", "test r2", "compositions"]
    assert report.gather_content(parent, Shelf(parent, best), [failed]).lead is None


# --- the data card ------------------------------------------------------------------------------------------


def orders() -> pd.DataFrame:
    return pd.DataFrame({"price": [1.0, 2.0, 2.0, np.nan], "id": [1, 2, 3, 4], "town": ["a", "b", "a", None]})


def recorded(folder: Path, table: pd.DataFrame, **params: str) -> content.Content:
    """Gather a run that recorded a table."""
    record = made(folder, tags={"mlrunner.data_hash": "digest"})
    params = {**record.params, "dataset.target": "price", "dataset.name": "orders", "dataset.path": "a.csv", **params}
    note = {"fingerprint": "digest", "target": "price", **profile(table)}
    (folder / "aaaa" / "data.json").write_text(json.dumps(note))
    return _run(replace(record, params=params))


def test_the_card_describes_the_rows_that_the_run_recorded(tmp_path: Path) -> None:
    card = datacard.make_data_card(
        recorded(tmp_path, orders(), **{"dataset.ignore": '["id"]', "dataset.group": "town"})
    )
    assert card is not None
    assert (card.note, card.more) == ("", 0)
    assert card.facts.items() >= {"data set": "orders", "source": "a.csv", "rows": "4", "columns": "3"}.items()
    assert [(column.name, column.role) for column in card.columns] == [
        ("price", "target"),
        ("town", "group"),
        ("id", "ignored"),
    ]
    price, town, _ = card.columns
    assert (price.dtype, price.missing_text, price.distinct, price.text) == ("float64", "25%", 2, "1 … 2 … 2")
    assert (price.heights[0], price.heights[-1]) == (0.5, 1)
    assert (town.missing, town.distinct, town.text, town.heights) == (0.25, 2, "a 67%, b 33%", ())


def test_the_card_is_one_table_with_a_row_a_column(tmp_path: Path) -> None:
    text = report.render_report(recorded(tmp_path, orders()))
    data = text[text.index('<section id="data">') : text.index('<section id="environment">')]
    assert data.count("<table") == 1
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr.*?</tr>", data, flags=re.DOTALL)]
    cells = [[cell.strip() for cell in row.split("|") if cell.strip()] for row in rows]
    assert cells == [
        ["column", "role", "type", "missing", "distinct", "distribution"],
        ["price", "target", "float64", "25%", "2", "1 … 2 … 2"],
        ["id", "feature", "int64", "0", "4", "1 … 2.5 … 4"],
        ["town", "feature", str(orders()["town"].dtype), "25%", "2", "a 67%, b 33%"],
    ]


def test_data_that_the_run_did_not_record_leave_the_facts(tmp_path: Path) -> None:
    found = recorded(tmp_path, orders())
    (tmp_path / "aaaa" / "data.json").unlink()
    card = datacard.make_data_card(found)
    assert card is not None
    assert (card.note, card.columns) == ("The run recorded nothing about its columns.", ())
    assert card.facts["target"] == "price"
    assert datacard.make_data_card(replace(found, lead=None)) is None


def test_of_many_rows_and_columns_the_card_says_how_many_it_describes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datacard, "MOST_COLUMNS", 2)
    wide = pd.DataFrame({name: range(9_000) for name in ("a", "b", "price")})
    card = datacard.make_data_card(recorded(tmp_path, wide))
    assert card is not None
    assert card.note == "Described by 4,500 evenly spaced rows."
    assert (card.facts["rows"], card.more, [column.name for column in card.columns]) == ("9,000", 1, ["price", "a"])


COLUMNS: dict[str, tuple[Any, int, str]] = {
    "numbers": ([3, 1, 2], 3, "1 … 2 … 3"),
    "infinities": ([1.0, np.inf, -np.inf], 3, "1"),
    "nothing": ([np.nan, np.nan], 0, ""),
    "one value": ([5.0, 5.0], 1, "5"),
    "dates": (pd.to_datetime(["2020-01-01", None, "2020-01-03"]), 2, "2020-01-01 … 2020-01-02 … 2020-01-03"),
    "dates of a zone": (pd.to_datetime(["2020-01-01"]).tz_localize("UTC"), 1, "2020-01-01"),
    "huge": ([2.0**63, -(2.0**63)], 2, "-9.223e+18 … 0 … 9.223e+18"),
    "nullable": (pd.array([1, None], dtype="Int64"), 1, "1"),
    "no rows": (pd.Series([], dtype=float), 0, ""),
    "texts": (["b", "a", "b", None], 2, "b 67%, a 33%"),
    "truths": ([True, True, False], 2, "True 67%, False 33%"),
    "lists": ([["x"], ["x"], {}], 2, "['x'] 67%, {} 33%"),
    "categories": (pd.Categorical(["u", "v", "u"]), 2, "u 67%, v 33%"),
    "a long text": (["a" * 99], 1, "a" * 23 + "… 100%"),
    "a rare text": (["x", *"a" * 200], 2, "a 100%, x <1%"),
    "many texts": ([*"abcdefg"], 7, "a 14%, b 14%, c 14%, d 14%"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_is_described_by_its_values(case: str) -> None:
    values, distinct, text = COLUMNS[case]
    entry = json.loads(json.dumps(profile(pd.DataFrame({"x": values}))["columns"]["x"]))
    column = datacard.describe_column("x", entry, "feature")
    assert (column.distinct, column.text) == (distinct, text)
    assert all(0 <= height <= 1 for height in column.heights)


def test_a_range_that_no_float_holds_has_no_histogram() -> None:
    entry = {"dtype": "float64", "missing": 0.0, "distinct": 3, "quantiles": [-1e308, 0.0, 1e308]}
    column = datacard.describe_column("x", entry, "feature")
    assert (column.text, column.heights) == ("-1e+308 … 0 … 1e+308", ())


def test_a_histogram_follows_the_values() -> None:
    values = np.random.default_rng(0).normal(size=4_000)
    heights = datacard.describe_column("x", profile(pd.DataFrame({"x": values}))["columns"]["x"], "").heights
    assert len(heights) == datacard.BINS
    assert max(heights) == 1
    assert heights.index(1) in range(5, 11)
    assert max(heights[0], heights[-1]) < 0.2


# --- the pictures -------------------------------------------------------------------------------------------


def test_a_figure_in_the_page_is_the_same_each_time_and_has_no_address() -> None:
    figure = search_plots.draw_search_figures(study([0.1, 0.5, 0.3, 0.2]), ["r2"])["slices"]
    first, second = (pictures.to_svg(figure, "slices", "Slices") for _ in range(2))
    assert first == second
    assert first.startswith('<svg viewBox="0 0 ')
    assert "http" not in first
    assert not re.search(r'id="(axes|figure|patch|text|line2d)_', first)
    assert "<text" in first
    assert "&lt;b&gt;&amp;" in first


def test_two_figures_in_one_page_share_no_id() -> None:
    drawn = search_plots.draw_search_figures(study([0.1, 0.5, 0.3, 0.2]), ["r2"])
    ids = [set(re.findall(r' id="([^"]+)"', pictures.to_svg(figure, name, name))) for name, figure in drawn.items()]
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_a_figure_of_many_points_is_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MANY", 1)
    page = make_page(a_search(tmp_path))
    assert all(one.image.startswith('<img src="data:image/png;base64,') for one in (*page.search, *page.cost))


# --- writing ------------------------------------------------------------------------------------------------


def test_a_report_goes_into_the_folder_of_its_run_or_here(tmp_path: Path) -> None:
    record = made(tmp_path, tags={"mlrunner.folder": str(tmp_path)})
    assert report.report_path(record) == tmp_path / "report.html"
    gone = {"mlrunner.folder": str(tmp_path / "gone"), "mlrunner.sweep_id": SWEEP}
    assert report.report_path(replace(record, tags=gone)) == Path("report-2026-01-02-03-04-05-678901.html")


def test_a_report_is_written_whole_and_over_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    for _ in range(2):
        assert report.write_report(report.render_report(_run(made(tmp_path))), file) == file
    assert [one.name for one in file.parent.iterdir()] == ["report.html"]
    assert file.read_text().endswith("</html>")


@pytest.mark.parametrize(
    ("place", "name", "told"),
    [
        ("material", "", r"^Cannot read /artifacts/x \(Permission denied\), which the report tells of\.$"),
        ("html", "", r"^Cannot read /artifacts/x \(Permission denied\), which the report tells of\.$"),
        ("write", "mine.html", r"^Cannot write mine.html \(Permission denied\); name another file with -o\.$"),
    ],
)
def test_what_cannot_be_read_is_told_from_what_cannot_be_written(
    place: str, name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "/artifacts/x")

    record = made(tmp_path)
    monkeypatch.setattr(verb if place == "material" else report, place, refuse)
    with pytest.raises(StoreError, match=told):
        verb._written(record, Shelf(record), tmp_path, Path(name) if name else None)


@pytest.mark.parametrize("words", [["aaaa", "stack=mlflow_server"], ["stack=mlflow_server", "aaaa"]], ids=" ".join)
def test_another_store_is_named_by_overrides(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def written(*_: Any) -> Path:
        return tmp_path / "report.html"

    monkeypatch.setattr(verb, "open_store", lambda _, overrides: asked.append(overrides))
    monkeypatch.setattr(
        "mlrunner.tracking.records.lookup.find", lambda _, name, __: asked.append(name) or made(tmp_path)
    )
    monkeypatch.setattr(verb, "_written", written)
    assert verb.main(words) == 0
    assert asked == [["stack=mlflow_server"], "aaaa"]


def test_a_report_is_of_one_run() -> None:
    with pytest.raises(ConfigError, match="takes one sweep or run, got 2"):
        verb.main(["a", "b"])


def test_a_report_that_fails_is_a_warning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parent = grid(tmp_path, [outcome(0)]).subject
    monkeypatch.setattr(publishing, "open_store", lambda _: Shelf(parent))
    monkeypatch.setattr(publishing, "write", _broken)
    with caplog.at_level(logging.WARNING):
        found = publishing.publish_sweep(parent.run_id, tmp_path, tmp_path, [outcome(0)])
    told = (
        "There is no report (OSError: no space at postgresql://me:***@host); the sweep is whole, and mlrunner report "
        "eeeeeeee tries again."
    )
    assert found is None
    assert caplog.messages == [told]
    shown = capsys.readouterr()
    assert (shown.out, shown.err.strip()) == ("", told)


def test_a_report_that_mlflow_does_not_keep_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = made(tmp_path)
    monkeypatch.setattr(publishing, "log", _broken)
    file = verb._written(record, Shelf(record), tmp_path, tmp_path / "mine.html")
    assert file.read_text().endswith("</html>")
    told = "MLflow does not keep the report (OSError: no space at postgresql://me:***@host); it is in"
    assert " ".join(capsys.readouterr().err.split()).startswith(told)


def test_nothing_stays_of_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    with pytest.raises(IsADirectoryError):
        report.write_report("<html>", place)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def _broken(*_: Any) -> Path:
    raise OSError("no space at\npostgresql://me:hunter2@host")
