"""Plots of a hyperparameter search by Optuna: of all trials, and of each model where models differ in parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.formatting import format_number
from mlrunner.evaluation.plots import style
from mlrunner.evaluation.plots.optuna_figures import draw_plot, freeze_layout
from mlrunner.evaluation.plots.search_trials import (
    choose_sign,
    copy_trials,
    describe_study,
    group_by_model,
    list_finite,
    list_varying,
    shorten_metric,
)

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial

MIN_TRIALS = 4  # trials required to compute importance
MAX_SLICES, MAX_PARAMETERS = 6, 8  # parameters in one plot


def draw_search_figures(study: optuna.Study, metrics: Sequence[str]) -> dict[str, Figure]:
    """Draw the finished trials of a search.

    With several objectives, the Pareto front replaces the history, and the other plots show the first objective. Where
    models have parameters of their own, each model gets additional plots.

    Args:
        study: Study of the search; running and waiting trials are ignored.
        metrics: Names of the objectives, in the order of the study.

    Returns:
        Figures by file name without suffix; names of plots of one model end in its name. Empty plots are omitted.
    """
    trials = list_finite(study)
    if not trials:
        return {}
    names = [shorten_metric(name) for name in metrics]
    if len(study.directions) > 1:
        objectives = {"pareto_front": _plot_front(study, trials, names)}
    else:
        objectives = {"optimization_history": _plot_history(study, trials, names[0])}
    groups = group_by_model(trials)
    by_suffix = {"": _plot_parameters(study, trials, names[0], "", shared=bool(groups))}
    for model, some in groups.items():
        by_suffix["_" + re.sub(r"[^\w.-]+", "_", model)] = _plot_parameters(study, some, names[0], model, shared=False)
    others = {kind + suffix: some[kind] for kind in by_suffix[""] for suffix, some in by_suffix.items()}
    plots = {name: figure for name, figure in (objectives | others).items() if figure is not None}
    for figure in plots.values():
        freeze_layout(figure)
    return plots


def _plot_history(study: optuna.Study, trials: list[FrozenTrial], metric: str) -> Figure:
    from optuna.visualization.matplotlib import plot_optimization_history

    clean, sign = copy_trials(study, trials, []), choose_sign(study, 0)
    values = np.array([trial.values[0] for trial in trials])
    best = trials[int(np.argmin(sign * values))]
    limits = style.choose_axis_limits(values, sign)
    title = f"Optimization history: best {metric} {format_number(best.values[0])}, trial {best.number}"
    title = f"{title}\n{describe_study(study)}{style.describe_outliers(values, limits)}"
    figure = draw_plot(lambda: plot_optimization_history(clean, target_name=metric), title, (8.6, 4.2))
    figure.axes[0].set_ylim(limits)
    figure.axes[0].locator_params(axis="x", integer=True, min_n_ticks=1)
    return figure


def _plot_front(study: optuna.Study, trials: list[FrozenTrial], metrics: list[str]) -> Figure:
    """Draw the first two objectives, with the trials that are not dominated in all objectives."""
    import optuna
    from optuna.visualization.matplotlib import plot_pareto_front

    clean = optuna.create_study(directions=study.directions)
    clean.add_trials(trials)
    points = np.array([trial.values[:2] for trial in trials])
    limits = [style.choose_axis_limits(points[:, k], choose_sign(study, k)) for k in (0, 1)]
    note = "".join(style.describe_outliers(points[:, k], limits[k]) for k in (0, 1))
    names = [f"{metrics[k]} ({'more' if choose_sign(study, k) < 0 else 'less'} is better)" for k in (0, 1)]
    title = f"Pareto front: {len(clean.best_trials):,} of {len(trials):,} trials\n{describe_study(study)}{note}"
    settings: dict[str, Any] = {"target_names": names, "targets": lambda trial: trial.values[:2]}
    figure = draw_plot(lambda: plot_pareto_front(clean, **settings), title, (7.4, 4.9))
    figure.axes[0].set(xlim=limits[0], ylim=limits[1])
    return figure


def _plot_parameters(
    study: optuna.Study, trials: list[FrozenTrial], metric: str, model: str, shared: bool
) -> dict[str, Figure | None]:
    """Draw importance, parallel coordinates and slices of the most important parameters; `shared`: of all trials."""
    clean = copy_trials(study, trials, list_varying(trials, shared))
    comparable = list_finite(clean)
    common = list_varying(comparable)
    weights = _compute_importance(clean, common)
    order = sorted(list_varying(comparable, shared=False), key=lambda name: -weights.get(name, 0))
    selected = [name for name in order if name in common][:MAX_PARAMETERS]
    about = f"{metric}, {len(trials):,} trials" + (f" of {shorten_metric(model)}" if model else "")
    return {
        "hyperparameter_importance": _plot_importance(clean, selected, about) if len(weights) > 1 else None,
        "parallel_coordinates": _plot_parallel(clean, selected, about, metric) if len(selected) > 1 else None,
        "slices": _plot_slices(clean, order, about, metric) if order else None,
    }


def _compute_importance(clean: optuna.Study, names: list[str]) -> dict[str, float]:
    """Compute the importance of parameters; empty for too few trials or equal scores."""
    from optuna.importance import get_param_importances

    values = [trial.value for trial in list_finite(clean)]
    if not names or len(values) < MIN_TRIALS or len(set(values)) == 1:
        return {}
    try:
        with np.errstate(over="ignore"):  # the forest computes in 32 bits and raises ValueError beyond them
            return get_param_importances(clean, evaluator=_evaluator(), params=sorted(names))
    except ValueError:
        return {}


def _evaluator() -> Any:
    """Return the importance evaluator: fANOVA takes 20 times as long, and PED-ANOVA rates only the best tenth."""
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator

    return MeanDecreaseImpurityImportanceEvaluator(seed=0)


def _plot_importance(clean: optuna.Study, names: list[str], about: str) -> Figure:
    from optuna.visualization.matplotlib import plot_param_importances

    settings: dict[str, Any] = {"evaluator": _evaluator(), "params": sorted(names)}  # Optuna mixes up unsorted names
    size = (7.4, 1.6 + 0.3 * len(names))
    figure = draw_plot(
        lambda: plot_param_importances(clean, **settings), f"Hyperparameter importance for {about}", size
    )
    figure.axes[0].set(xlabel="share of the explained variance", ylabel="")
    legend = figure.axes[0].get_legend()
    if legend is not None:
        legend.remove()
    return figure


def _plot_parallel(clean: optuna.Study, names: list[str], about: str, metric: str) -> Figure:
    import optuna
    from optuna.visualization.matplotlib import plot_parallel_coordinate

    trials, sign = list_finite(clean), choose_sign(clean, 0)
    low, high = style.choose_axis_limits(np.array([trial.values[0] for trial in trials]), sign)
    near = optuna.create_study(direction=clean.direction)
    near.add_trials([trial for trial in trials if low <= trial.values[0] <= high])
    outliers = len(trials) - len(near.trials)
    title = f"Parallel coordinates: {about}" + (f"; {outliers:,} beyond the axis" if outliers else "")
    size = (max(5.5, 2.5 + 1.3 * len(names)), 4.7)
    return draw_plot(lambda: plot_parallel_coordinate(near, names, target_name=metric), title, size)


def _plot_slices(clean: optuna.Study, names: list[str], about: str, metric: str) -> Figure:
    from optuna.visualization.matplotlib import plot_slice

    values = np.array([trial.values[0] for trial in list_finite(clean)])
    limits = style.choose_axis_limits(values, choose_sign(clean, 0))
    title = f"Slices: {about}" + (f"; {MAX_SLICES} of {len(names)} parameters" if len(names) > MAX_SLICES else "")
    size = (2.4 + 2.2 * min(MAX_SLICES, len(names)), 3.6)
    figure = draw_plot(
        lambda: plot_slice(clean, names[:MAX_SLICES], target_name=metric),
        title + style.describe_outliers(values, limits),
        size,
    )
    for axes in figure.axes[:-1]:  # the last one is the colour bar
        axes.set_ylim(limits)
        letters = sum(len(label.get_text()) for label in axes.get_xticklabels())
        if letters > 24 and axes.get_xscale() != "log":
            axes.tick_params(axis="x", labelrotation=90)
    return figure
