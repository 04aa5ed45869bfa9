"""What the pictures of a search show, and which studies they bear."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from mlrunner.evaluation.plots import search
from mlrunner.evaluation.plots.search import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTORY = ["optimization_history"]
ALL = ["optimization_history", "hyperparameter_importance", "slices", "parallel_coordinates"]
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


def texts(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def panels(figure: Figure) -> dict[str, Axes]:
    """Find the axes of a figure by their x label: what is without one is the key of the colours."""
    return {axes.get_xlabel(): axes for axes in figure.axes if axes.get_xlabel()}


def legend(figure: Figure) -> dict[str, Any]:
    """Find the drawn lines by what the legend calls them."""
    axes = figure.axes[0]
    found = axes.get_legend()
    assert found is not None
    names = [text.get_text() for text in found.get_texts()]
    assert len(names) == len(axes.lines)
    by_look = {(line.get_color(), line.get_marker(), line.get_linestyle()): line for line in axes.lines}
    handles = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in found.get_lines()]
    return {name: by_look[look] for name, look in zip(names, handles, strict=True)}


def points(scatter: Any) -> np.ndarray[Any, Any]:
    return np.asarray(scatter.get_offsets())


def bars(figure: Figure) -> list[tuple[str, float | None]]:
    """List the rows of the importance: name and weight, None for the title of a group."""
    axes = figure.axes[0]
    widths = iter([patch.get_width() for patch in axes.patches])  # type: ignore[attr-defined]
    return [(text.get_text(), None if text.get_fontweight() == "bold" else next(widths)) for text in axes.texts]


def draw(figure: Figure) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


# --- which figures ------------------------------------------------------------------------------------------

STUDIES: dict[str, tuple[Callable[[], optuna.Study], list[str]]] = {
    "conditional": (lambda: run(conditional, 60), ALL),
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
    "one parameter": (lambda: told([1.0, 2, 3, 4]), ["optimization_history", "hyperparameter_importance", "slices"]),
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
    for figure in drawn.values():
        figure.savefig(io.BytesIO(), format="png")
        assert figure.axes


@pytest.mark.parametrize("case", ["conditional", "several objectives", "many long names", "many options", "one"])
def test_nothing_leaves_the_canvas_or_overlaps(case: str) -> None:
    for name, figure in figures(STUDIES[case][0](), ["validation.mean_absolute_percentage_error", "seconds"]).items():
        renderer = draw(figure)
        box, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
        assert min(box.x0, box.y0) >= 0, name
        assert box.x1 <= width, name
        assert box.y1 <= height, name
        for axes in figure.axes:
            labels = [*axes.get_xticklabels(), axes.xaxis.label, *axes.get_yticklabels(), axes.yaxis.label, *axes.texts]
            boxes = [label.get_window_extent(renderer).padded(-1.5) for label in labels if label.get_text()]
            assert not any(a.overlaps(b) for a, b in combinations(boxes, 2)), name


@pytest.mark.parametrize("name", ["_hidden", "$a$ or $\\frac", "年齢", "", "a\nb", ".", ":", "a.b.0"], ids=repr)
def test_no_name_breaks_a_figure(name: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        chosen = trial.suggest_categorical(f"{name} too", [name, f"{name} again"])
        return trial.suggest_float(name, 0, 1) + len(chosen)

    drawn = figures(run(objective, 9), [name])
    assert list(drawn) == ALL
    for figure in drawn.values():
        draw(figure)


# --- history ------------------------------------------------------------------------------------------------


def test_the_history_shows_every_trial_that_ended() -> None:
    study = run(conditional, 60)
    figure = figures(study, ["rmse"])["optimization_history"]
    axes, lines = figure.axes[0], legend(figure)
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["trial", "rmse"]
    assert list(lines) == ["complete", "best so far", "pruned", "failed or no value"]
    drawn = np.asarray(lines["complete"].get_xydata()).tolist()
    assert drawn == [[t.number, t.value] for t in study.trials if t.state == TrialState.COMPLETE]
    drawn = np.asarray(lines["pruned"].get_xydata()).tolist()
    assert drawn == [[t.number, t.intermediate_values[1]] for t in study.trials if t.state == TrialState.PRUNED]
    drawn = np.asarray(lines["failed or no value"].get_xydata()).tolist()
    assert drawn == [[t.number, 0] for t in study.trials if t.state == TrialState.FAIL]
    assert lines["failed or no value"].get_transform() == axes.get_xaxis_transform()
    assert figure.texts[1].get_text() == "olist: 40 complete, 10 pruned, 10 failed"
    best = study.best_trial
    assert figure.texts[0].get_text() == f"Optimisation history: best rmse {best.value:.4g}, trial {best.number}"


@pytest.mark.parametrize(("direction", "best"), [("minimize", [3, 3, 2, 2, 1, 1]), ("maximize", [3, 4, 4, 5, 5, 5])])
def test_the_best_so_far_never_gets_worse(direction: str, best: list[float]) -> None:
    line = legend(figures(told([3, 4, 2, 5, 1], direction), ["score"])["optimization_history"])["best so far"]
    assert line.get_ydata().tolist() == best
    assert line.get_drawstyle() == "steps-post"


def test_a_study_without_a_pruned_or_failed_trial_says_nothing_of_them() -> None:
    assert list(legend(figures(told([1, 2]), ["r2"])["optimization_history"])) == ["complete", "best so far"]


def test_a_trial_without_a_finite_value_is_a_tick_on_the_axis() -> None:
    study = told([1.0, np.inf, 2.0])
    for reports in ({}, {0: np.nan}, {0: 1.0, 1: np.inf}):
        study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values=reports))
    figure = figures(study, ["rmse"])["optimization_history"]
    assert legend(figure)["failed or no value"].get_xdata().tolist() == [1, 3, 4, 5]
    assert figure.texts[1].get_text() == "told: 2 complete, 1 not finite, 3 pruned"


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_hopeless_values_do_not_squash_the_others(direction: str, sign: int) -> None:
    study = told([sign * value for value in [*np.linspace(1, 2, 30), 1e6, 1e7]], direction)
    for name in ("optimization_history", "slices"):
        figure = figures(study, ["rmse"])[name]
        low, high = sorted(abs(end) for end in figure.axes[0].get_ylim())
        assert 0.5 < low < 1
        assert 2 < high < 4
        assert figure.texts[1].get_text() == "told: 32 complete; 2 beyond the axis"


def test_pruned_trials_leave_the_complete_ones_a_third_of_the_axis() -> None:
    study = told([1.0, 2.0, 1.5])
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={0: 1e6}))
    low, high = figures(study, ["rmse"])["optimization_history"].axes[0].get_ylim()
    assert low < 1
    assert 3 < high < 5


# --- front --------------------------------------------------------------------------------------------------


def test_the_front_is_optunas() -> None:
    study = run(two_objectives, 60, ["minimize", "maximize"])
    figure = figures(study, ["rmse", "r2"])["pareto_front"]
    lines = legend(figure)
    front = sorted(trial.values for trial in study.best_trials)
    assert np.asarray(lines["front"].get_xydata()).tolist() == front
    assert lines["front"].get_linestyle() == "-"
    assert len(lines["other trials"].get_xdata()) == 60 - len(front)
    assert list(panels(figure)) == ["rmse (less is better)"]
    assert figure.axes[0].get_ylabel() == "r2 (more is better)"
    assert figure.texts[0].get_text() == f"Pareto front: {len(front)} of 60 trials"


def test_the_front_of_three_objectives_is_no_line() -> None:
    lines = legend(figures(STUDIES["three objectives"][0](), ["a", "b"])["pareto_front"])
    assert lines["front"].get_linestyle() == "None"


def test_values_that_are_not_finite_are_left_out_of_the_front() -> None:
    study = run(lambda trial: (float(trial.number), [1.0, 3.0, np.inf, 2.0][trial.number]), 4, ["minimize"] * 2)
    lines = legend(figures(study, ["a", "b"])["pareto_front"])
    assert [len(line.get_xdata()) for line in lines.values()] == [1, 2]


# --- importance ---------------------------------------------------------------------------------------------


def test_importance_is_weighed_for_all_trials_and_within_each_model() -> None:
    rows = bars(figures(run(conditional, 120), ["rmse"])["hyperparameter_importance"])
    titles = [k for k, (_, weight) in enumerate(rows) if weight is None]
    groups = [rows[a:b] for a, b in zip(titles, [*titles[1:], len(rows)], strict=True)]
    assert rows[0] == ("all 80 trials", None)
    named = {title[0].split()[-1]: dict(found) for title, *found in groups}
    assert set(named["trials"]) == {"model", "window"}
    assert set(named["xgboost"]) == {"learning_rate", "max_depth", "window"}
    assert set(named["rf"]) == {"max_depth", "max_features", "window"}
    assert max(named["xgboost"], key=lambda name: named["xgboost"][name] or 0) == "learning_rate"
    for weights in named.values():
        assert sum(weight or 0 for weight in weights.values()) == pytest.approx(1)
        assert list(weights.values()) == sorted(weights.values(), key=lambda weight: -(weight or 0))


def test_names_keep_their_weights_whatever_their_order() -> None:
    def objective(trial: optuna.Trial) -> float:
        return sum(weight * trial.suggest_float(name, 0, 1) for name, weight in {"z": 9, "a": 1, "m": 3}.items())

    rows = bars(figures(run(objective, 80), ["rmse"])["hyperparameter_importance"])
    assert [name for name, _ in rows] == ["all 80 trials", "z", "m", "a"]


def test_a_range_that_a_resumed_search_widened_is_left_out_of_the_importance() -> None:
    study = run(square, 20)
    wider: dict[str, BaseDistribution] = {"a.x": FloatDistribution(-9, 9), "a.n": IntDistribution(1, 9)}
    study.add_trial(create_trial(value=1.0, params={"a.x": 8.0, "a.n": 3}, distributions=wider))
    drawn = figures(study, ["rmse"])
    assert [name for name, _ in bars(drawn["hyperparameter_importance"])] == ["all 21 trials", "n"]
    low, high = panels(drawn["slices"])["x"].get_xlim()
    assert low < -9
    assert high > 9


def test_models_that_share_a_name_but_not_its_range_are_drawn() -> None:
    def objective(trial: optuna.Trial) -> float:
        model = trial.suggest_categorical("model", ["xgboost", "rf"])
        depth = trial.suggest_int("model.estimator.max_depth", 1, 9 if model == "rf" else 20)
        rate = trial.suggest_float("model.estimator.learning_rate", 0, 1) if model == "xgboost" else 0
        return depth + rate

    drawn = figures(run(objective, 60), ["rmse"])
    assert list(drawn) == ALL
    assert {"max_depth", "learning_rate"} <= {name for name, _ in bars(drawn["hyperparameter_importance"])}


def test_numbers_too_large_for_the_forest_mean_no_importance() -> None:
    study = run(lambda trial: trial.suggest_float("x", 1e38, 1e60, log=True) / 1e60, 9)
    assert list(figures(study, ["rmse"])) == ["optimization_history", "slices"]


def test_the_heaviest_are_shown_where_there_are_many() -> None:
    drawn = figures(run(many, 200), ["rmse"])
    rows = bars(drawn["hyperparameter_importance"])
    assert len(rows) == 1 + search.PANELS
    assert rows[1][0].endswith("_14")
    assert drawn["slices"].texts[0].get_text() == "Slices: rmse by parameter, 12 of 15"
    assert next(iter(panels(drawn["slices"]))).endswith("_14")


# --- slices -------------------------------------------------------------------------------------------------


def test_slices_draw_each_trial_that_has_the_parameter() -> None:
    study = run(conditional, 60)
    done = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    found = panels(figures(study, ["rmse"])["slices"])
    assert set(found) == {"model", "window", "learning_rate", "xgboost:max_depth", "rf:max_depth", "max_features"}
    rate = "xgboost:model.estimator.learning_rate"
    drawn = points(found["learning_rate"].collections[0])
    assert drawn.tolist() == [[trial.params[rate], trial.value] for trial in done if rate in trial.params]
    shades = np.asarray(found["learning_rate"].collections[0].get_array()).tolist()
    assert shades == [trial.number for trial in done if rate in trial.params]
    assert len(points(found["model"].collections[0])) == len(done) == 40


def test_an_axis_is_logarithmic_where_the_distribution_is() -> None:
    found = panels(figures(run(conditional, 60), ["rmse"])["slices"])
    assert found.pop("learning_rate").get_xscale() == "log"
    assert {axes.get_xscale() for axes in found.values()} == {"linear"}


def test_categories_are_spread_sideways_and_named() -> None:
    study = run(conditional, 60)
    axes = panels(figures(study, ["rmse"])["slices"])["model"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["xgboost", "rf"]
    chosen = [trial.params["model"] for trial in study.trials if trial.state == TrialState.COMPLETE]
    places = points(axes.collections[0])[:, 0]
    assert places.round().tolist() == [["xgboost", "rf"].index(model) for model in chosen]
    assert len(np.unique(places)) == len(places)


TICKS: dict[str, tuple[BaseDistribution, list[Any], list[str]]] = {
    "float": (FloatDistribution(0, 1), [0.1, 0.2], ["0", "0.5", "1"]),
    "log": (FloatDistribution(0.01, 0.3, log=True), [0.1, 0.2], ["0.01", "0.055", "0.3"]),
    "int": (IntDistribution(3, 10), [3, 4], ["3", "6", "10"]),
    "two ints": (IntDistribution(3, 4), [3, 4], ["3", "4"]),
    "log int": (IntDistribution(1, 1000, log=True), [3, 4], ["1", "32", "1000"]),
    "narrow": (FloatDistribution(1000.1, 1000.3), [1000.1, 1000.2], ["1000.1", "1000.3"]),
    "mixed": (CategoricalDistribution([None, True, 0.5, "a"]), [None, "a"], ["None", "True", "0.5", "a"]),
    "numbers": (CategoricalDistribution([64, 16, 256]), [16, 64], ["64", "16", "256"]),
}


@pytest.mark.parametrize("case", TICKS)
def test_an_axis_shows_the_whole_range(case: str) -> None:
    distribution, values, ticks = TICKS[case]
    study = optuna.create_study()
    for value in values:
        study.add_trial(create_trial(value=1.0, params={"x": value}, distributions={"x": distribution}))
    axes = panels(figures(study, ["rmse"])["slices"])["x"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks


def test_at_most_twenty_options_are_named() -> None:
    study = run(lambda trial: len(trial.suggest_categorical("x", [str(k) for k in range(70)])), 30)
    axes = panels(figures(study, ["rmse"])["slices"])["x"]
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(k) for k in range(0, 70, 4)]


# --- parallel coordinates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "best"), [("minimize", np.argmin), ("maximize", np.argmax)])
def test_parallel_coordinates_draw_each_trial_and_the_best_on_top(direction: str, best: Any) -> None:
    study = run(square, 40, direction)
    figure = figures(study, ["score"])["parallel_coordinates"]
    axes = figure.axes[0]
    number = int(best([trial.value for trial in study.trials]))
    assert figure.texts[0].get_text() == f"Parallel coordinates: score, trial {number} (the best) in orange"
    lines = axes.collections[-1]
    assert len(lines.get_paths()) == 40
    values = np.asarray(lines.get_array())
    assert values[-1] == study.best_value
    assert np.all(np.diff(values) * (-1 if direction == "minimize" else 1) >= 0)
    assert np.allclose(np.asarray(axes.lines[0].get_xydata()), np.asarray(lines.get_paths()[-1].vertices))
    assert {"x", "n"} <= {text.get_text() for text in axes.texts}


def test_parallel_coordinates_show_only_what_all_trials_have() -> None:
    shown = texts(figures(run(conditional, 60), ["rmse"])["parallel_coordinates"])
    assert {"model", "window"} <= set(shown)
    assert not {"learning_rate", "max_depth"} & set(shown)


def test_where_models_share_no_space_parallel_coordinates_show_the_best_one_s() -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("model", ["ridge", "rf"]) == "ridge":
            return trial.suggest_float("ridge:model.estimator.alpha", 2, 3)
        return trial.suggest_float("rf:model.x", 0, 1) + 0.1 * trial.suggest_int("rf:model.y", 1, 9)

    study = run(objective, 30)
    figure = figures(study, ["rmse"])["parallel_coordinates"]
    forests = sum(trial.params["model"] == "rf" for trial in study.trials)
    assert {"x", "y"} <= set(texts(figure))
    assert len(figure.axes[0].collections[-1].get_paths()) == forests < 30
    assert figure.texts[1].get_text() == f"olist: 30 complete; the {forests} of rf, like the best"


def test_one_shared_parameter_is_no_parallel_picture() -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_float(trial.suggest_categorical("model", ["a", "b"]) + ":x", 0, 1)

    assert "parallel_coordinates" not in figures(run(objective, 30), ["rmse"])


def test_a_place_on_an_axis_is_its_share_of_the_range() -> None:
    study = optuna.create_study()
    ranges: dict[str, BaseDistribution] = {"x": FloatDistribution(1, 100, log=True), "y": FloatDistribution(0, 10)}
    for x, y in ((1.0, 0.0), (10.0, 5.0), (100.0, 10.0)):
        study.add_trial(create_trial(value=x, params={"x": x, "y": y}, distributions=ranges))
    lines = figures(study, ["rmse"])["parallel_coordinates"].axes[0].collections[-1]
    heights = np.array([np.asarray(path.vertices)[:, 1] for path in lines.get_paths()])
    assert np.allclose(heights[:, 0], heights[:, 1])
    assert np.allclose(heights[1], 0.5)


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
    study = run(lambda trial: sum(trial.suggest_float(name, 0, 1) for name in names), 3)
    assert list(panels(figures(study, ["rmse"])["slices"])) == expected


# --- the house rules ----------------------------------------------------------------------------------------


def test_the_study_is_left_as_it_was() -> None:
    study = run(conditional, 30)
    before = [(trial.number, trial.value, trial.params) for trial in study.trials]
    figures(study, ["rmse"])
    assert [(trial.number, trial.value, trial.params) for trial in study.trials] == before


def test_trials_under_way_are_left_out() -> None:
    study = told([1.0, 2.0, 3.0, 4.0])
    study.enqueue_trial({"x": 3})
    study.add_trial(
        create_trial(state=TrialState.RUNNING, params={"x": 5}, distributions={"x": IntDistribution(0, 2000)})
    )
    figure = figures(study, ["rmse"])["optimization_history"]
    assert list(legend(figure)) == ["complete", "best so far"]


def test_optuna_and_matplotlib_are_imported_only_to_draw_and_pyplot_never() -> None:
    code = """
import sys
from mlrunner.evaluation.plots.search import figures
assert not {"matplotlib", "sklearn", "optuna"} & set(sys.modules), "heavy import"
import io, optuna
study = optuna.create_study()
study.optimize(lambda trial: trial.suggest_float("x", 0, 1) + trial.suggest_int("n", 1, 5), 8)
drawn = figures(study, ["rmse"])
for figure in drawn.values():
    figure.savefig(io.BytesIO(), format="png")
assert len(drawn) == 4
assert not {"matplotlib.pyplot", "plotly"} & set(sys.modules), "pyplot"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
