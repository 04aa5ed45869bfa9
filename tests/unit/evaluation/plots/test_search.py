"""Plots of a search."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from mlrunner.evaluation.plots import search
from mlrunner.evaluation.plots.search import draw_search_figures
from tests.support.studies import compute_square, compute_two_objectives, make_study, run_study, search_two_models

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTORY = ["optimization_history"]
ALL = ["optimization_history", "hyperparameter_importance", "parallel_coordinates", "slices"]
LONG = "model.estimator.a_parameter_whose_name_goes_on_and_on_until_it_does_not_fit_any_axis"


def many(trial: optuna.Trial) -> float:
    return sum(1.5**k * trial.suggest_float(f"{LONG}_{k}", 0, 1) for k in range(15))


def options(trial: optuna.Trial) -> float:
    names = [f"the option number {k} of many" for k in range(20)]
    return len(trial.suggest_categorical("split", names)) + names.index(trial.suggest_categorical("cleaning", names))


def compute_line(trial: optuna.Trial) -> tuple[float, float]:
    x = trial.suggest_float("x", 0, 1)
    return x, (1 - x) * (trial.number % 2 + 1)


def _pruned(trial: optuna.Trial) -> float:
    trial.report(1.0, 0)
    raise optuna.TrialPruned


def panels(figure: Figure) -> dict[str, Axes]:
    """Find the axes of a figure by their x label; the colour bar has none."""
    return {axes.get_xlabel(): axes for axes in figure.axes if axes.get_xlabel()}


def points(axes: Axes) -> list[list[float]]:
    """List the points of the first scatter of some axes."""
    return np.asarray(axes.collections[0].get_offsets()).tolist()  # type: ignore[no-any-return]


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def bars(figure: Figure) -> dict[str, float]:
    """Read the importance by parameter, the longest bar first."""
    axes = figure.axes[0]
    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    return dict(sorted(zip(ticks(axes.yaxis), widths, strict=True), key=lambda item: -item[1]))


def lines(figure: Figure) -> Any:
    """Find the lines of parallel coordinates."""
    from matplotlib.collections import LineCollection

    return figure.findobj(LineCollection, include_self=False)[0]


@pytest.fixture(scope="module")
def two_models() -> tuple[optuna.Study, dict[str, Figure]]:
    """Draw a search of two models once."""
    study = run_study(search_two_models, 60)
    return study, draw_search_figures(study, ["rmse"])


# --- which figures ------------------------------------------------------------------------------------------

BY_MODEL = [HISTORY[0], *(f"{kind}{model}" for kind in ALL[1:] for model in ("", "_rf", "_xgboost"))]
STUDIES: dict[str, tuple[Callable[[], optuna.Study], list[str]]] = {
    "several objectives": (
        lambda: run_study(compute_two_objectives, 30, ["minimize", "maximize"]),
        ["pareto_front", *ALL[1:]],
    ),
    "three objectives": (
        lambda: run_study(lambda trial: (*compute_line(trial), 1.0), 30, ["minimize"] * 3),
        ["pareto_front", "slices"],
    ),
    "two equal objectives": (lambda: run_study(lambda _: (1, 1), 5, ["minimize"] * 2), ["pareto_front"]),
    "many trials": (lambda: run_study(compute_square, 100), ALL),
    "many long names": (lambda: run_study(many, 20), ALL),
    "many options": (lambda: run_study(options, 20), ALL),
    "no trial": (lambda: make_study([]), []),
    "one": (lambda: make_study([1.0]), HISTORY),
    "one parameter": (lambda: make_study([1.0, 2, 3, 4]), ["optimization_history", "slices"]),
    "all equal": (lambda: make_study([7.0] * 30), ["optimization_history", "slices"]),
    "nearly equal": (lambda: make_study([1, 1 + 1e-15, 1 - 1e-15]), ["optimization_history", "slices"]),
    "tiny": (lambda: make_study([1e-300, 2e-300, 3e-300]), ["optimization_history", "slices"]),
    "infinite": (lambda: make_study([1.0, np.inf, -np.inf, 1e300, 2]), ["optimization_history", "slices"]),
    "nothing finite": (lambda: make_study([np.inf, -np.inf]), []),
    "nothing complete": (lambda: run_study(_pruned, 5), []),
    "all failed": (lambda: run_study(lambda _: np.nan, 5), []),
    "without parameters": (lambda: run_study(lambda trial: trial.number, 6), HISTORY),
    "constant parameter": (lambda: run_study(lambda trial: trial.suggest_int("x", 1, 1) + trial.number, 6), HISTORY),
}


@cache
def draw_case(case: str) -> tuple[optuna.Study, dict[str, Figure]]:
    """Draw a study of the table once."""
    study = STUDIES[case][0]()
    return study, draw_search_figures(study, ["rmse", "r2", "third"])


@pytest.mark.parametrize("case", STUDIES)
def test_empty_plots_of_a_study_are_omitted(case: str) -> None:
    check_figures(draw_case(case)[1], STUDIES[case][1])


def test_models_have_plots_of_their_own(two_models: Any) -> None:
    check_figures(two_models[1], BY_MODEL)


def check_figures(figures: dict[str, Figure], names: list[str]) -> None:
    """Check the names, and that everything drawn is within the figure."""
    assert list(figures) == names
    for name, figure in figures.items():
        figure.canvas.draw()
        assert figure.axes
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(box.x0, box.y0) >= -0.1, name
        assert box.x1 <= width + 0.1, name
        assert box.y1 <= height + 0.1, name


@pytest.mark.parametrize("names", [["_hidden", "$a$ or $\\frac", "年齢", ""], ["a\nb", ".", ":", "a.b.0"]], ids=repr)
def test_no_name_breaks_a_figure(names: list[str]) -> None:
    def objective(trial: optuna.Trial) -> float:
        chosen = trial.suggest_categorical(f"{names[0]} too", names)
        return len(chosen) + sum(trial.suggest_float(name, 0, 1) for name in names)

    figures = draw_search_figures(run_study(objective, 9), [names[0]])
    assert list(figures) == ALL
    for figure in figures.values():
        figure.canvas.draw()


# --- history ------------------------------------------------------------------------------------------------


def test_the_history_shows_every_complete_trial_under_its_number(two_models: Any) -> None:
    study, figures = two_models
    figure = figures["optimization_history"]
    axes, best = figure.axes[0], study.best_trial
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["Trial", "rmse"]
    assert points(axes) == [[t.number, t.value] for t in study.trials if t.state == TrialState.COMPLETE]
    assert figure.get_suptitle() == (
        f"Optimization history: best rmse {best.value:.4g}, trial {best.number}\n"
        "olist: 40 complete, 10 pruned, 10 failed"
    )


@pytest.mark.parametrize(("direction", "best"), [("minimize", [3, 3, 2, 2, 1]), ("maximize", [3, 4, 4, 5, 5])])
def test_the_best_value_so_far_is_a_line(direction: str, best: list[float]) -> None:
    figure = draw_search_figures(make_study([3, 4, 2, 5, 1], direction), ["score"])["optimization_history"]
    assert np.asarray(figure.axes[0].lines[0].get_ydata()).tolist() == best


def test_unfinished_and_non_finite_trials_are_left_out() -> None:
    study = make_study([1.0, np.inf, 2.0])
    study.enqueue_trial({"x": 3})
    ranges = {"x": IntDistribution(0, 2000)}
    study.add_trial(create_trial(state=TrialState.RUNNING, params={"x": 5}, distributions=ranges))
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={0: np.nan}))
    figure = draw_search_figures(study, ["rmse"])["optimization_history"]
    assert points(figure.axes[0]) == [[0, 1], [2, 2]]
    assert figure.get_suptitle().endswith("given: 2 complete, 1 not finite, 1 pruned")


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_extremely_bad_values_are_beyond_the_axis(direction: str, sign: int) -> None:
    study = make_study([sign * value for value in [*np.linspace(1, 2, 30), 1e6, 1e7]], direction)
    figures = draw_search_figures(study, ["rmse"])
    for name in [*HISTORY, "slices"]:
        figure = figures[name]
        low, high = sorted(abs(end) for end in figure.axes[0].get_ylim())
        assert 0.5 < low < 1
        assert 2 < high < 4
        assert figure.get_suptitle().endswith("; 2 beyond the axis")


# --- front --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["several objectives", "three objectives"])
def test_the_front_equals_the_best_trials_of_optuna(case: str) -> None:
    study, figures = draw_case(case)
    figure = figures["pareto_front"]
    front = sorted(trial.values[:2] for trial in study.best_trials)
    others, best = figure.axes[0].collections[-2:]
    assert sorted(np.asarray(best.get_offsets()).tolist()) == front
    assert len(np.asarray(others.get_offsets())) == 30 - len(front)
    assert list(panels(figure)) == ["rmse (less is better)"]
    more = "more" if study.directions[1].name == "MAXIMIZE" else "less"
    assert figure.axes[0].get_ylabel() == f"r2 ({more} is better)"
    assert figure.get_suptitle().startswith(f"Pareto front: {len(front)} of 30 trials")


def test_non_finite_values_are_left_out_of_the_front() -> None:
    study = run_study(lambda trial: (float(trial.number), [1.0, 3.0, np.inf, 2.0][trial.number]), 4, ["minimize"] * 2)
    figure = draw_search_figures(study, ["a", "b"])["pareto_front"]
    assert sorted(len(np.asarray(some.get_offsets())) for some in figure.axes[0].collections) == [1, 2]


# --- importance ---------------------------------------------------------------------------------------------


def test_importance_is_computed_for_all_trials_and_for_each_model(two_models: Any) -> None:
    _, figures = two_models
    weights = {name: bars(figure) for name, figure in figures.items() if name.startswith("hyperparameter_importance")}
    assert [set(some) for some in weights.values()] == [
        {"model", "window"},
        {"max_depth", "max_features", "window"},
        {"learning_rate", "max_depth", "window"},
    ]
    assert next(iter(weights["hyperparameter_importance_xgboost"])) == "learning_rate"
    assert all(sum(some.values()) == pytest.approx(1) for some in weights.values())
    title = figures["hyperparameter_importance_rf"].get_suptitle()
    assert title.startswith("Hyperparameter importance for rmse, ")
    assert title.endswith(" trials of rf")


def test_parameters_keep_their_importance_in_any_order() -> None:
    def objective(trial: optuna.Trial) -> float:
        return sum(weight * trial.suggest_float(name, 0, 1) for name, weight in {"z": 9, "a": 1, "m": 3}.items())

    assert list(bars(draw_search_figures(run_study(objective, 80), ["rmse"])["hyperparameter_importance"])) == [
        "z",
        "m",
        "a",
    ]


def test_a_range_widened_by_a_resumed_search_is_one_range() -> None:
    study = run_study(compute_square, 20)
    wider: dict[str, BaseDistribution] = {"a.x": FloatDistribution(-9, 9), "a.n": IntDistribution(1, 9)}
    study.add_trial(create_trial(value=1.0, params={"a.x": 8.0, "a.n": 3}, distributions=wider))
    figures = draw_search_figures(study, ["rmse"])
    assert set(bars(figures["hyperparameter_importance"])) == {"x", "n"}
    assert panels(figures["slices"])["x"].get_xlim()[1] > 8


def test_a_choice_added_by_a_resumed_search_is_one_of_the_choices() -> None:
    study = run_study(lambda trial: len(trial.suggest_categorical("x", ["a", "bb"])), 9)
    more = {"x": CategoricalDistribution(["bb", None, "c"])}
    study.add_trial(create_trial(value=1.0, params={"x": None}, distributions=more))
    assert ticks(panels(draw_search_figures(study, ["rmse"])["slices"])["x"].xaxis) == ["'a'", "'bb'", "None"]


def test_a_range_that_became_choices_has_its_values_as_choices() -> None:
    study = run_study(lambda trial: trial.suggest_int("x", 1, 2), 9)
    ranges = {"x": CategoricalDistribution(["1", None])}
    study.add_trial(create_trial(value=1.0, params={"x": None}, distributions=ranges))
    assert set(ticks(panels(draw_search_figures(study, ["rmse"])["slices"])["x"].xaxis)) == {"'1'", "'2'", "'None'"}


def test_models_that_share_a_name_but_not_its_range_are_drawn() -> None:
    def objective(trial: optuna.Trial) -> float:
        model = trial.suggest_categorical("model", ["xgboost", "rf"])
        depth = trial.suggest_int("model.estimator.max_depth", 1, 9 if model == "rf" else 20)
        rate = trial.suggest_float("model.estimator.learning_rate", 0, 1) if model == "xgboost" else 0
        return depth + rate

    figures = draw_search_figures(run_study(objective, 24), ["rmse"])
    assert set(bars(figures["hyperparameter_importance"])) == {"model", "max_depth"}
    assert set(bars(figures["hyperparameter_importance_xgboost"])) == {"max_depth", "learning_rate"}
    assert list(panels(figures["slices_rf"])) == ["max_depth"]


def test_numbers_too_large_for_the_forest_have_no_importance() -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 1e38, 1e60, log=True) / 1e60 + trial.suggest_float("y", 0, 1)

    assert list(draw_search_figures(run_study(objective, 9), ["rmse"])) == [
        HISTORY[0],
        "parallel_coordinates",
        "slices",
    ]


def test_of_many_parameters_the_most_important_are_shown() -> None:
    figures = draw_search_figures(run_study(many, 100), ["rmse"])
    assert len(bars(figures["hyperparameter_importance"])) == search.MAX_PARAMETERS
    assert next(iter(bars(figures["hyperparameter_importance"]))).endswith("_14")
    assert figures["slices"].get_suptitle() == "Slices: rmse, 100 trials; 6 of 15 parameters"
    assert len(panels(figures["slices"])) == search.MAX_SLICES
    assert any(name.endswith("_14") for name in panels(figures["slices"]))


def test_models_with_enough_trials_have_plots_of_their_own_most_trials_first() -> None:
    study = optuna.create_study()
    counts = {"rare": 3, **{f"m{k}": 4 + k for k in range(7)}}
    for model, count in counts.items():
        ranges = {"model": CategoricalDistribution([*counts]), f"{model}:x": FloatDistribution(0, 9)}
        for k in range(count):
            study.add_trial(create_trial(value=k, params={"model": model, f"{model}:x": k}, distributions=ranges))
    names = [name for name in draw_search_figures(study, ["rmse"]) if name.startswith("slices_")]
    assert names == ["slices_m6", "slices_m5", "slices_m4", "slices_m3", "slices_m2"]


# --- slices and parallel coordinates ------------------------------------------------------------------------


def test_slices_of_a_model_draw_each_of_its_trials(two_models: Any) -> None:
    study, figures = two_models
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert list(panels(figures["slices"])) == ["model", "window"]
    assert len(points(panels(figures["slices"])["model"])) == len(complete) == 40
    axes_by_name = panels(figures["slices_xgboost"])
    assert set(axes_by_name) == {"window", "learning_rate", "max_depth"}
    rate = "xgboost:model.estimator.learning_rate"
    assert points(axes_by_name["learning_rate"]) == [[t.params[rate], t.value] for t in complete if rate in t.params]
    shades = np.asarray(axes_by_name["learning_rate"].collections[0].get_array()).tolist()
    assert shades == [trial.number for trial in complete if rate in trial.params]
    assert {name: axes.get_xscale() for name, axes in axes_by_name.items() if axes.get_xscale() == "log"} == {
        "learning_rate": "log"
    }


@pytest.mark.parametrize(("direction", "best"), [("minimize", min), ("maximize", max)])
def test_parallel_coordinates_show_each_trial_and_the_best_is_the_darkest(direction: str, best: Any) -> None:
    study = run_study(compute_square, 40, direction)
    collection = lines(draw_search_figures(study, ["score"])["parallel_coordinates"])
    values = np.asarray(collection.get_array())
    assert values.tolist() == [trial.value for trial in study.trials]
    darkest = collection.to_rgba(values)[:, :3].sum(axis=1).argmin()
    assert values[darkest] == best(values)


def test_parallel_coordinates_show_the_common_parameters_of_a_model(two_models: Any) -> None:
    _, figures = two_models
    names = {name: ticks(figure.axes[0].xaxis) for name, figure in figures.items() if name.startswith("parallel")}
    assert names == {
        "parallel_coordinates": ["rmse", "model", "window"],
        "parallel_coordinates_rf": ["rmse", "max_depth", "max_features", "window"],
        "parallel_coordinates_xgboost": ["rmse", "learning_rate", "max_depth", "window"],
    }


def test_extremely_bad_trials_are_left_out_of_parallel_coordinates() -> None:
    study = run_study(lambda trial: compute_square(trial) + 1e9 * (trial.number > 28), 30)
    figure = draw_search_figures(study, ["rmse"])["parallel_coordinates"]
    assert len(lines(figure).get_paths()) == 29
    assert figure.get_suptitle() == "Parallel coordinates: rmse, 30 trials; 1 beyond the axis"


@pytest.mark.slow
def test_libraries_are_imported_only_to_draw() -> None:
    code = """
import sys
from mlrunner.evaluation.plots.search import draw_search_figures
assert not {"matplotlib", "sklearn", "optuna"} & set(sys.modules), "heavy import"
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
