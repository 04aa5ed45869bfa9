"""The pictures of a hyperparameter search, drawn by Optuna: all trials, and model by model where models differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.plots import style
from mlrunner.evaluation.plots.optuna_figures import arrange, draw
from mlrunner.evaluation.plots.search_trials import by_model, copy, finite, name_metric, sign_of, subject, varying

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial

LEAST = 4  # trials that importance needs
SLICES, BARS = 6, 8  # parameters that a picture shows at most


def figures(study: optuna.Study, metrics: Sequence[str]) -> dict[str, Figure]:
    """Draw the finished trials of a search.

    With several objectives, the Pareto front takes the place of the history, and the other pictures show the first
    objective. Where models have parameters of their own, each model has its own pictures besides.

    Args:
        study: The search; its running and waiting trials are left out.
        metrics: Names of its objectives, in their order.

    Returns:
        Figure by file name without suffix; those of one model end in its name. A figure that would be empty is absent.
    """
    trials = finite(study)
    if not trials:
        return {}
    names = [name_metric(name) for name in metrics]
    several = len(study.directions) > 1
    first = {"pareto_front": _front(study, trials, names)} if several else {}
    first |= {} if several else {"optimization_history": _history(study, trials, names[0])}
    groups = by_model(trials)
    by_suffix = {"": _parameters(study, trials, names[0], "", shared=bool(groups))}
    for model, some in groups.items():
        by_suffix["_" + re.sub(r"[^\w.-]+", "_", model)] = _parameters(study, some, names[0], model, shared=False)
    others = {kind + suffix: some[kind] for kind in by_suffix[""] for suffix, some in by_suffix.items()}
    pictures = {name: figure for name, figure in (first | others).items() if figure is not None}
    for figure in pictures.values():
        arrange(figure)
    return pictures


def _history(study: optuna.Study, trials: list[FrozenTrial], metric: str) -> Figure:
    from optuna.visualization.matplotlib import plot_optimization_history

    clean, sign = copy(study, trials, []), sign_of(study, 0)
    values = np.array([trial.values[0] for trial in trials])
    best = trials[int(np.argmin(sign * values))]
    view = style.view_of(values, sign)
    title = f"Optimisation history: best {metric} {style.number(best.values[0])}, trial {best.number}"
    title = f"{title}\n{subject(study)}{style.beyond(values, view)}"
    figure = draw(lambda: plot_optimization_history(clean, target_name=metric), title, (8.6, 4.2))
    figure.axes[0].set_ylim(view)
    figure.axes[0].locator_params(axis="x", integer=True, min_n_ticks=1)
    return figure


def _front(study: optuna.Study, trials: list[FrozenTrial], metrics: list[str]) -> Figure:
    """Draw the first two objectives, and the trials that no other dominates in all objectives."""
    import optuna
    from optuna.visualization.matplotlib import plot_pareto_front

    clean = optuna.create_study(directions=study.directions)
    clean.add_trials(trials)
    points = np.array([trial.values[:2] for trial in trials])
    views = [style.view_of(points[:, k], sign_of(study, k)) for k in (0, 1)]
    note = "".join(style.beyond(points[:, k], views[k]) for k in (0, 1))
    names = [f"{metrics[k]} ({'more' if sign_of(study, k) < 0 else 'less'} is better)" for k in (0, 1)]
    title = f"Pareto front: {len(clean.best_trials):,} of {len(trials):,} trials\n{subject(study)}{note}"
    settings: dict[str, Any] = {"target_names": names, "targets": lambda trial: trial.values[:2]}
    figure = draw(lambda: plot_pareto_front(clean, **settings), title, (7.4, 4.9))
    figure.axes[0].set(xlim=views[0], ylim=views[1])
    return figure


# --- parameters ---------------------------------------------------------------------------------------------


def _parameters(
    study: optuna.Study, trials: list[FrozenTrial], metric: str, model: str, shared: bool
) -> dict[str, Figure | None]:
    """Draw the parameters of trials that can be compared, the most important ones where there are many.

    Args:
        study: The search.
        trials: Complete trials, of one model or of all.
        metric: Name of the first objective.
        model: Named in the titles; empty for all trials.
        shared: Whether parameters that only some of these trials have are left out.
    """
    clean = copy(study, trials, varying(trials, shared))
    comparable = finite(clean)
    everywhere = varying(comparable)
    weights = _weights(clean, everywhere)
    order = sorted(varying(comparable, shared=False), key=lambda name: -weights.get(name, 0))
    several = [name for name in order if name in everywhere][:BARS]
    about = f"{metric}, {len(trials):,} trials" + (f" of {name_metric(model)}" if model else "")
    return {
        "hyperparameter_importance": _importance(clean, several, about) if len(weights) > 1 else None,
        "parallel_coordinates": _parallel(clean, several, about, metric) if len(several) > 1 else None,
        "slices": _slices(clean, order, about, metric) if order else None,
    }


def _weights(clean: optuna.Study, names: list[str]) -> dict[str, float]:
    """Ask Optuna for the importance of parameters; empty where the trials are too few or their scores are equal."""
    from optuna.importance import get_param_importances

    values = [trial.value for trial in finite(clean)]
    if not names or len(values) < LEAST or len(set(values)) == 1:
        return {}
    try:
        with np.errstate(over="ignore"):  # the forest computes in 32 bits: beyond them it refuses
            return get_param_importances(clean, evaluator=_evaluator(), params=sorted(names))
    except ValueError:
        return {}


def _evaluator() -> Any:
    """Return the evaluator of importance: fANOVA takes 20 times as long, and PED-ANOVA rates only the best tenth."""
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator

    return MeanDecreaseImpurityImportanceEvaluator(seed=0)


def _importance(clean: optuna.Study, names: list[str], about: str) -> Figure:
    from optuna.visualization.matplotlib import plot_param_importances

    settings: dict[str, Any] = {"evaluator": _evaluator(), "params": sorted(names)}  # unsorted, it mixes up the names
    size = (7.4, 1.6 + 0.3 * len(names))
    figure = draw(lambda: plot_param_importances(clean, **settings), f"Hyperparameter importance for {about}", size)
    figure.axes[0].set(xlabel="share of the explained variance", ylabel="")
    legend = figure.axes[0].get_legend()
    if legend is not None:
        legend.remove()
    return figure


def _parallel(clean: optuna.Study, names: list[str], about: str, metric: str) -> Figure:
    import optuna
    from optuna.visualization.matplotlib import plot_parallel_coordinate

    trials, sign = finite(clean), sign_of(clean, 0)
    low, high = style.view_of(np.array([trial.values[0] for trial in trials]), sign)
    near = optuna.create_study(direction=clean.direction)
    near.add_trials([trial for trial in trials if low <= trial.values[0] <= high])
    left = len(trials) - len(near.trials)
    title = f"Parallel coordinates: {about}" + (f"; {left:,} beyond the axis" if left else "")
    size = (max(5.5, 2.5 + 1.3 * len(names)), 4.7)
    return draw(lambda: plot_parallel_coordinate(near, names, target_name=metric), title, size)


def _slices(clean: optuna.Study, names: list[str], about: str, metric: str) -> Figure:
    from optuna.visualization.matplotlib import plot_slice

    values = np.array([trial.values[0] for trial in finite(clean)])
    view = style.view_of(values, sign_of(clean, 0))
    title = f"Slices: {about}" + (f"; {SLICES} of {len(names)} parameters" if len(names) > SLICES else "")
    size = (2.4 + 2.2 * min(SLICES, len(names)), 3.6)
    figure = draw(
        lambda: plot_slice(clean, names[:SLICES], target_name=metric), title + style.beyond(values, view), size
    )
    for axes in figure.axes[:-1]:  # the last one is the key of the colours
        axes.set_ylim(view)
        letters = sum(len(label.get_text()) for label in axes.get_xticklabels())
        if letters > 24 and axes.get_xscale() != "log":
            axes.tick_params(axis="x", labelrotation=90)
    return figure
