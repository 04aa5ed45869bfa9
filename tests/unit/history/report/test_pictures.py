"""Pictures in a page."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.evaluation.plots import search as search_plots
from mlrunner.history import report
from mlrunner.history.report import pictures
from mlrunner.history.report.page import make_page
from tests.support.reports import PIXEL, Tags, draw_figures, make_run, make_search, make_study, run_content


def test_logged_pictures_of_a_run(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    folder = tmp_path / "aaaa" / "plots"
    folder.mkdir()
    for name in ("residuals", "roc", "not_ours"):
        (folder / f"{name}.png").write_bytes(PIXEL)
    page = Tags(report.render_report(run_content(record)))
    assert [attributes["alt"] for attributes in page.all("img")] == ["Residuals", "ROC"]
    assert page.all("img")[0]["src"] == f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert [attributes["id"] for attributes in page.all("figure")] == ["residuals", "roc"]


def test_logged_pictures_of_a_search(tmp_path: Path) -> None:
    content = replace(make_search(tmp_path), figures={})
    (tmp_path / "eeee" / "plots").mkdir()
    for name in ("slices_rf", "slices", "optimization_history"):
        (tmp_path / "eeee" / "plots" / f"{name}.png").write_bytes(PIXEL)
    titles = {picture.name: picture.title for picture in make_page(content).search}
    history = {"optimization_history": "Optimization history"}
    assert titles == history | {"slices": "Slices", "slices_rf": "Slices: rf"}


def test_missing_importance_is_explained(tmp_path: Path) -> None:
    content = make_search(tmp_path)
    few = search_plots.draw_search_figures(make_study([0.1, 0.5, 0.3]), ["r2"])
    all_figures = content.figures
    for figures in (all_figures, {}, {"hyperparameter_importance_rf": all_figures["hyperparameter_importance"]}):
        assert make_page(replace(content, figures=figures)).search_note == ""
    note = make_page(replace(content, figures=few)).search_note
    assert note.startswith("The importance of hyperparameters is not shown: it needs four complete trials")
    assert note in report.render_report(replace(content, figures=few))


def test_title_names_the_model(tmp_path: Path) -> None:
    all_figures = draw_figures()
    content = replace(
        make_search(tmp_path), figures={"slices": all_figures["slices"], "slices_rf": all_figures["slices"]}
    )
    assert [(picture.name, picture.title) for picture in make_page(content).search] == [
        ("slices", "Slices"),
        ("slices_rf", "Slices: rf"),
    ]


def test_svg_is_reproducible_and_has_no_address() -> None:
    figure = draw_figures()["slices"]
    first, second = (pictures.to_svg(figure, "slices", "Slices") for _ in range(2))
    assert first == second
    assert first.startswith('<svg viewBox="0 0 ')
    assert "http" not in first
    assert not re.search(r'id="(axes|figure|patch|text|line2d)_', first)
    assert "<text" in first
    assert "&lt;b&gt;&amp;" in first


def test_figures_share_no_id() -> None:
    figures = draw_figures()
    ids = [set(re.findall(r' id="([^"]+)"', pictures.to_svg(figure, name, name))) for name, figure in figures.items()]
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_figure_of_many_trials_is_a_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_SVG_TRIALS", 1)
    page = make_page(make_search(tmp_path))
    assert all(picture.image.startswith('<img src="data:image/png;base64,') for picture in (*page.search, *page.cost))
