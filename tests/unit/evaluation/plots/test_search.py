"""What the pictures of a search show, and which studies they bear."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from mlrunner.evaluation.plots import optuna_figures, search
from mlrunner.evaluation.plots.search import figures
from mlrunner.evaluation.plots.search_trials import labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTORY = ["optimization_history"]
ALL = ["optimization_history", "hyperparameter_importance", "parallel_coordinates", "slices"]
LONG = "model.estimator.a_parameter_whose_name_goes_on_and_on_until_nobody_can_read_it"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


Objective = Callable[[optuna.Trial], Any]


def run(objective: Objective, trials: int, direction: Any = "minimize", **settings: Any) -> optuna.Study:
    directions = direction if isinstance(direction, list) else [direction]
    settings = {"sampler": optuna.samplers.RandomSampler(seed=0)} | settings
    study = optuna.create_study(study_name="olist", directions=directions, **settings)
    study.optimize(objective, trials, catch=(RuntimeError,))
    return study


def told(values: list[float], direction: Any = "minimize") -> optuna.Study:
    """Make a study of these values and one parameter."""
    study = optuna.create_study(study_name="told", direction=direction)
    for k, value in enumerate(values):
        study.add_trial(create_trial(value=value, params={"x": k}, distributions={"x": IntDistribution(0, 2000)}))
    return study


def square(trial: optuna.Trial) -> float:
    return float((trial.suggest_float("a.x", -1, 1) - 0.3) ** 2 + 0.01 * trial.suggest_int("a.n", 1, 9))


def conditional(trial: optuna.Trial) -> float:
    """Search two models, each with a space of its own; of six trials the fifth is pruned and the last fails."""
    model = trial.suggest_categorical("model", ["xgboost", "rf"])
    score = 0.1 * trial.suggest_int("cleaning.window", 1, 9)
    if model == "xgboost":
        rate = trial.suggest_float("xgboost:model.estimator.learning_rate", 1e-3, 1, log=True)
        score += abs(np.log10(rate) + 1) + 0.01 * trial.suggest_int("xgboost:model.estimator.max_depth", 3, 9)
    else:
        score += 3 / trial.suggest_int("rf:model.estimator.max_depth", 2, 20)
        score += 0.1 * (trial.suggest_categorical("rf:model.estimator.max_features", ["sqrt", None]) is None)
    trial.report(score + 1, 0)
    trial.report(score + 0.5, 1)
    if trial.number % 6 == 5:
        raise RuntimeError
    if trial.number % 6 == 4:
        raise optuna.TrialPruned
    return float(score)


def two_objectives(trial: optuna.Trial) -> tuple[float, float]:
    x, n = trial.suggest_float("x", 0, 1), trial.suggest_int("n", 1, 9)
    return x**2 + 0.01 * n, (x - 1) ** 2


def many(trial: optuna.Trial) -> float:
    return sum(1.5**k * trial.suggest_float(f"{LONG}_{k}", 0, 1) for k in range(15))


def options(trial: optuna.Trial) -> float:
    names = [f"the option number {k} of many" for k in range(20)]
    return len(trial.suggest_categorical("split", names)) + names.index(trial.suggest_categorical("cleaning", names))


def _pruned(trial: optuna.Trial) -> float:
    trial.report(1.0, 0)
    raise optuna.TrialPruned


def panels(figure: Figure) -> dict[str, Axes]:
    """Find the axes of a figure by their x label; the key of the colours has none."""
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

    (found,) = figure.findobj(LineCollection, include_self=False)[:1]
    return found


# --- which figures ------------------------------------------------------------------------------------------

BY_MODEL = [HISTORY[0], *(f"{kind}{model}" for kind in ALL[1:] for model in ("", "_rf", "_xgboost"))]
STUDIES: dict[str, tuple[Callable[[], optuna.Study], list[str]]] = {
    "conditional": (lambda: run(conditional, 60), BY_MODEL),
    "several objectives": (
        lambda: run(two_objectives, 30, ["minimize", "maximize"]),
        ["pareto_front", *ALL[1:]],
    ),
    "three objectives": (
        lambda: run(lambda trial: (*two_objectives(trial), 1.0), 30, ["minimize"] * 3),
        ["pareto_front", *ALL[1:]],
    ),
    "two equal objectives": (lambda: run(lambda _: (1, 1), 5, ["minimize"] * 2), ["pareto_front"]),
    "many trials": (lambda: run(square, 1000), ALL),
    "many long names": (lambda: run(many, 20), ALL),
    "many options": (lambda: run(options, 50), ALL),
    "no trial": (lambda: told([]), []),
    "one": (lambda: told([1.0]), HISTORY),
    "three": (lambda: told([1.0, 2, 3]), ["optimization_history", "slices"]),
    "one parameter": (lambda: told([1.0, 2, 3, 4]), ["optimization_history", "slices"]),
    "all equal": (lambda: told([7.0] * 30), ["optimization_history", "slices"]),
    "all zero": (lambda: told([0.0] * 30), ["optimization_history", "slices"]),
    "nearly equal": (lambda: told([1, 1 + 1e-15, 1 - 1e-15]), ["optimization_history", "slices"]),
    "tiny": (lambda: told([1e-300, 2e-300, 3e-300]), ["optimization_history", "slices"]),
    "infinite": (lambda: told([1.0, np.inf, -np.inf, 1e300, 2]), ["optimization_history", "slices"]),
    "nothing finite": (lambda: told([np.inf, -np.inf]), []),
    "nothing complete": (lambda: run(_pruned, 5), []),
    "all failed": (lambda: run(lambda _: np.nan, 5), []),
    "without parameters": (lambda: run(lambda trial: trial.number, 6), HISTORY),
    "constant parameter": (lambda: run(lambda trial: trial.suggest_int("x", 1, 1) + trial.number, 6), HISTORY),
}


@pytest.mark.parametrize("case", STUDIES)
def test_every_study_gets_the_figures_that_it_allows(case: str) -> None:
    study, names = STUDIES[case]
    drawn = figures(study(), ["rmse", "seconds", "third"])
    assert list(drawn) == names
    for name, figure in drawn.items():
        figure.savefig(io.BytesIO(), format="png")
        assert figure.axes
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(box.x0, box.y0) >= -0.1, name
        assert box.x1 <= width + 0.1, name
        assert box.y1 <= height + 0.1, name


@pytest.mark.parametrize("name", ["_hidden", "$a$ or $\\frac", "年齢", "", "a\nb", ".", ":", "a.b.0"], ids=repr)
def test_no_name_breaks_a_figure(name: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        chosen = trial.suggest_categorical(f"{name} too", [name, f"{name} again"])
        return trial.suggest_float(name, 0, 1) + len(chosen)

    drawn = figures(run(objective, 9), [name])
    assert list(drawn) == ALL
    for figure in drawn.values():
        figure.savefig(io.BytesIO(), format="png")


# --- history ------------------------------------------------------------------------------------------------


def test_the_history_shows_every_complete_trial_under_its_number() -> None:
    study = run(conditional, 60)
    figure = figures(study, ["rmse"])["optimization_history"]
    axes, best = figure.axes[0], study.best_trial
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["Trial", "rmse"]
    assert points(axes) == [[t.number, t.value] for t in study.trials if t.state == TrialState.COMPLETE]
    assert figure.get_suptitle() == (
        f"Optimisation history: best rmse {best.value:.4g}, trial {best.number}\n"
        "olist: 40 complete, 10 pruned, 10 failed"
    )


@pytest.mark.parametrize(("direction", "best"), [("minimize", [3, 3, 2, 2, 1]), ("maximize", [3, 4, 4, 5, 5])])
def test_the_best_so_far_never_gets_worse(direction: str, best: list[float]) -> None:
    figure = figures(told([3, 4, 2, 5, 1], direction), ["score"])["optimization_history"]
    assert np.asarray(figure.axes[0].lines[0].get_ydata()).tolist() == best


def test_trials_without_a_finite_value_and_under_way_are_left_out() -> None:
    study = told([1.0, np.inf, 2.0])
    study.enqueue_trial({"x": 3})
    ranges = {"x": IntDistribution(0, 2000)}
    study.add_trial(create_trial(state=TrialState.RUNNING, params={"x": 5}, distributions=ranges))
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={0: np.nan}))
    figure = figures(study, ["rmse"])["optimization_history"]
    assert points(figure.axes[0]) == [[0, 1], [2, 2]]
    assert figure.get_suptitle().endswith("told: 2 complete, 1 not finite, 1 pruned")


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_hopeless_values_do_not_squash_the_others(direction: str, sign: int) -> None:
    study = told([sign * value for value in [*np.linspace(1, 2, 30), 1e6, 1e7]], direction)
    for name in [*HISTORY, "slices"]:
        figure = figures(study, ["rmse"])[name]
        low, high = sorted(abs(end) for end in figure.axes[0].get_ylim())
        assert 0.5 < low < 1
        assert 2 < high < 4
        assert figure.get_suptitle().endswith("; 2 beyond the axis")


# --- front --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["several objectives", "three objectives"])
def test_the_front_is_optunas(case: str) -> None:
    study = STUDIES[case][0]()
    figure = figures(study, ["rmse", "r2", "third"])["pareto_front"]
    front = sorted(trial.values[:2] for trial in study.best_trials)
    others, best = figure.axes[0].collections[-2:]
    assert sorted(np.asarray(best.get_offsets()).tolist()) == front
    assert len(np.asarray(others.get_offsets())) == 30 - len(front)
    assert list(panels(figure)) == ["rmse (less is better)"]
    more = "more" if study.directions[1].name == "MAXIMIZE" else "less"
    assert figure.axes[0].get_ylabel() == f"r2 ({more} is better)"
    assert figure.get_suptitle().startswith(f"Pareto front: {len(front)} of 30 trials")


def test_values_that_are_not_finite_are_left_out_of_the_front() -> None:
    study = run(lambda trial: (float(trial.number), [1.0, 3.0, np.inf, 2.0][trial.number]), 4, ["minimize"] * 2)
    figure = figures(study, ["a", "b"])["pareto_front"]
    assert sorted(len(np.asarray(some.get_offsets())) for some in figure.axes[0].collections) == [1, 2]


# --- importance ---------------------------------------------------------------------------------------------


def test_importance_is_weighed_for_all_trials_and_within_each_model() -> None:
    drawn = figures(run(conditional, 120), ["rmse"])
    weights = {name: bars(figure) for name, figure in drawn.items() if name.startswith("hyperparameter_importance")}
    assert [set(some) for some in weights.values()] == [
        {"model", "window"},
        {"max_depth", "max_features", "window"},
        {"learning_rate", "max_depth", "window"},
    ]
    assert next(iter(weights["hyperparameter_importance_xgboost"])) == "learning_rate"
    assert all(sum(some.values()) == pytest.approx(1) for some in weights.values())
    title = drawn["hyperparameter_importance_rf"].get_suptitle()
    assert title.startswith("Hyperparameter importance for rmse, ")
    assert title.endswith(" trials of rf")


def test_names_keep_their_weights_whatever_their_order() -> None:
    def objective(trial: optuna.Trial) -> float:
        return sum(weight * trial.suggest_float(name, 0, 1) for name, weight in {"z": 9, "a": 1, "m": 3}.items())

    assert list(bars(figures(run(objective, 80), ["rmse"])["hyperparameter_importance"])) == ["z", "m", "a"]


def test_a_range_that_a_resumed_search_widened_is_one_range() -> None:
    study = run(square, 20)
    wider: dict[str, BaseDistribution] = {"a.x": FloatDistribution(-9, 9), "a.n": IntDistribution(1, 9)}
    study.add_trial(create_trial(value=1.0, params={"a.x": 8.0, "a.n": 3}, distributions=wider))
    drawn = figures(study, ["rmse"])
    assert set(bars(drawn["hyperparameter_importance"])) == {"x", "n"}
    assert panels(drawn["slices"])["x"].get_xlim()[1] > 8


def test_a_choice_that_a_resumed_search_added_is_one_of_the_choices() -> None:
    study = run(lambda trial: len(trial.suggest_categorical("x", ["a", "bb"])), 9)
    more = {"x": CategoricalDistribution(["bb", None, "c"])}
    study.add_trial(create_trial(value=1.0, params={"x": None}, distributions=more))
    assert ticks(panels(figures(study, ["rmse"])["slices"])["x"].xaxis) == ["'a'", "'bb'", "None"]


def test_a_range_that_became_choices_has_its_values_as_choices() -> None:
    study = run(lambda trial: trial.suggest_int("x", 1, 2), 9)
    ranges = {"x": CategoricalDistribution(["1", None])}
    study.add_trial(create_trial(value=1.0, params={"x": None}, distributions=ranges))
    assert set(ticks(panels(figures(study, ["rmse"])["slices"])["x"].xaxis)) == {"'1'", "'2'", "'None'"}


def test_models_that_share_a_name_but_not_its_range_are_drawn() -> None:
    def objective(trial: optuna.Trial) -> float:
        model = trial.suggest_categorical("model", ["xgboost", "rf"])
        depth = trial.suggest_int("model.estimator.max_depth", 1, 9 if model == "rf" else 20)
        rate = trial.suggest_float("model.estimator.learning_rate", 0, 1) if model == "xgboost" else 0
        return depth + rate

    drawn = figures(run(objective, 60), ["rmse"])
    assert set(bars(drawn["hyperparameter_importance"])) == {"model", "max_depth"}
    assert set(bars(drawn["hyperparameter_importance_xgboost"])) == {"max_depth", "learning_rate"}
    assert list(panels(drawn["slices_rf"])) == ["max_depth"]


def test_numbers_too_large_for_the_forest_mean_no_importance() -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 1e38, 1e60, log=True) / 1e60 + trial.suggest_float("y", 0, 1)

    assert list(figures(run(objective, 9), ["rmse"])) == [HISTORY[0], "parallel_coordinates", "slices"]


def test_the_most_important_are_shown_where_there_are_many() -> None:
    drawn = figures(run(many, 200), ["rmse"])
    assert len(bars(drawn["hyperparameter_importance"])) == search.BARS
    assert next(iter(bars(drawn["hyperparameter_importance"]))).endswith("_14")
    assert drawn["slices"].get_suptitle() == "Slices: rmse, 200 trials; 6 of 15 parameters"
    assert len(panels(drawn["slices"])) == search.SLICES
    assert any(name.endswith("_14") for name in panels(drawn["slices"]))


def test_only_models_with_enough_trials_have_pictures_of_their_own_and_the_most_tried_come_first() -> None:
    study = optuna.create_study()
    counts = {"seldom": 3, **{f"m{k}": 4 + k for k in range(7)}}
    for model, count in counts.items():
        ranges = {"model": CategoricalDistribution([*counts]), f"{model}:x": FloatDistribution(0, 9)}
        for k in range(count):
            study.add_trial(create_trial(value=k, params={"model": model, f"{model}:x": k}, distributions=ranges))
    drawn = [name for name in figures(study, ["rmse"]) if name.startswith("slices_")]
    assert drawn == ["slices_m6", "slices_m5", "slices_m4", "slices_m3", "slices_m2"]


# --- slices and parallel coordinates ------------------------------------------------------------------------


def test_slices_of_a_model_draw_each_of_its_trials() -> None:
    study = run(conditional, 60)
    done = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    drawn = figures(study, ["rmse"])
    assert list(panels(drawn["slices"])) == ["model", "window"]
    assert len(points(panels(drawn["slices"])["model"])) == len(done) == 40
    found = panels(drawn["slices_xgboost"])
    assert set(found) == {"window", "learning_rate", "max_depth"}
    rate = "xgboost:model.estimator.learning_rate"
    assert points(found["learning_rate"]) == [[t.params[rate], t.value] for t in done if rate in t.params]
    shades = np.asarray(found["learning_rate"].collections[0].get_array()).tolist()
    assert shades == [trial.number for trial in done if rate in trial.params]
    assert {name: axes.get_xscale() for name, axes in found.items() if axes.get_xscale() == "log"} == {
        "learning_rate": "log"
    }


@pytest.mark.parametrize(("direction", "best"), [("minimize", min), ("maximize", max)])
def test_parallel_coordinates_draw_each_trial_and_the_best_is_the_darkest(direction: str, best: Any) -> None:
    study = run(square, 40, direction)
    drawn = lines(figures(study, ["score"])["parallel_coordinates"])
    values = np.asarray(drawn.get_array())
    assert values.tolist() == [trial.value for trial in study.trials]
    darkest = drawn.to_rgba(values)[:, :3].sum(axis=1).argmin()
    assert values[darkest] == best(values)


def test_parallel_coordinates_show_what_all_trials_of_a_model_have() -> None:
    drawn = figures(run(conditional, 60), ["rmse"])
    names = {name: ticks(figure.axes[0].xaxis) for name, figure in drawn.items() if name.startswith("parallel")}
    assert names == {
        "parallel_coordinates": ["rmse", "model", "window"],
        "parallel_coordinates_rf": ["rmse", "max_depth", "max_features", "window"],
        "parallel_coordinates_xgboost": ["rmse", "learning_rate", "max_depth", "window"],
    }


def test_hopeless_trials_are_left_out_of_parallel_coordinates() -> None:
    study = run(lambda trial: square(trial) + 1e9 * (trial.number > 28), 30)
    figure = figures(study, ["rmse"])["parallel_coordinates"]
    assert len(lines(figure).get_paths()) == 29
    assert figure.get_suptitle() == "Parallel coordinates: rmse, 30 trials; 1 beyond the axis"


# --- names --------------------------------------------------------------------------------------------------

NAMES: dict[str, tuple[list[str], list[str]]] = {
    "last part": (["model", "model.estimator.max_depth"], ["model", "max_depth"]),
    "two keys": (["model.a.depth", "model.b.depth"], ["a.depth", "b.depth"]),
    "two prefixes": (["rf:model.depth", "xgboost:model.depth"], ["rf:depth", "xgboost:depth"]),
    "prefix alone": (["rf:model.depth", "model"], ["depth", "model"]),
    "inside another": (["a.x", "x"], ["a.x", "x"]),
    "prefix and key": (["rf:a.x", "rf:b.x", "x"], ["a.x", "b.x", "x"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_parameter_is_named_by_as_much_of_its_key_as_it_takes(case: str) -> None:
    names, expected = NAMES[case]
    assert labels(names, 19) == expected


# --- what is left behind ------------------------------------------------------------------------------------


def test_the_study_and_matplotlib_are_left_as_they_were() -> None:
    import matplotlib as mpl
    from matplotlib import pyplot

    study, mine = run(conditional, 30), pyplot.figure()
    study_before, mpl_before = [repr(trial) for trial in study.trials], dict(mpl.rcParams)
    figures(study, ["rmse"])
    assert [repr(trial) for trial in study.trials] == study_before
    assert dict(mpl.rcParams) == mpl_before
    assert pyplot.get_fignums() == [mine.number]  # type: ignore[attr-defined]
    pyplot.close(mine)


def test_a_picture_that_fails_leaves_no_figure_behind() -> None:
    from matplotlib import pyplot

    def plot() -> Any:
        pyplot.style.use("ggplot")
        pyplot.figure()
        raise ZeroDivisionError

    before = dict(pyplot.rcParams)
    with pytest.raises(ZeroDivisionError):
        optuna_figures.draw(plot, "title", (1, 1))
    assert pyplot.get_fignums() == []
    assert dict(pyplot.rcParams) == before


def test_libraries_are_imported_only_to_draw() -> None:
    code = """
import sys
from mlrunner.evaluation.plots.search import figures
assert not {"matplotlib", "sklearn", "optuna"} & set(sys.modules), "heavy import"
import optuna
study = optuna.create_study()
study.optimize(lambda trial: trial.suggest_float("x", 0, 1) + trial.suggest_int("n", 1, 5), 8)
assert len(figures(study, ["rmse"])) == 4
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
