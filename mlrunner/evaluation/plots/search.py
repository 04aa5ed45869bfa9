"""The pictures of a hyperparameter search: history or Pareto front, importance, slices, parallel coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.plots import style
from mlrunner.evaluation.plots.search_space import Search, labels, parallel, slices, varying

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial

PANELS = 12  # parameters shown at most in one picture, and of one group of trials
LEAST = 4  # trials that importance needs
MODEL = "model"  # the parameter that decides which others a trial has
HUGE = 1e100  # no axis holds such a value: it counts as infinite
Importances = dict[str, dict[str, float]]  # by group of trials, by parameter


def figures(study: optuna.Study, metrics: Sequence[str]) -> dict[str, Figure]:
    """Draw what a finished search found; of several objectives the front, and the first one's other pictures.

    Args:
        study: Its running and waiting trials are left out.
        metrics: The names of its objectives, in their order.

    Returns:
        Figure by name: a file name without suffix. A figure that would be empty is absent.
    """
    found = _read(study, metrics)
    if not found.trials:
        return {}
    importances = _importances(study, found)
    held = Counter(name for trial in found.trials for name in trial.params)  # what few trials have matters less
    weights = {name: held[name] * max([0, *(w.get(name, 0) for w in importances.values())]) for name in held}
    ranked = sorted(varying(found.trials), key=lambda name: -weights[name])
    compared = found.comparable()
    everywhere = set(varying(compared.trials, shared=True))
    shared = [name for name in ranked if name in everywhere][:PANELS]
    several = len(found.signs) > 1
    drawn = {
        "optimization_history": None if several else _history(study, found),
        "pareto_front": _front(study, found) if several else None,
        "hyperparameter_importance": _importance(importances, found),
        "slices": slices(ranked[:PANELS], len(ranked), found) if ranked else None,
        "parallel_coordinates": parallel(shared, compared) if len(shared) > 1 else None,
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _read(study: optuna.Study, metrics: Sequence[str]) -> Search:
    trials = study.get_trials(deepcopy=False)
    finite = [t for t in trials if t.state.name == "COMPLETE" and all(abs(v) < HUGE for v in t.values)]
    states = Counter(trial.state.name for trial in trials)
    counts = {"complete": len(finite), "not finite": states["COMPLETE"] - len(finite)}
    counts |= {"pruned": states["PRUNED"], "failed": states["FAIL"]}
    subject = f"{study.study_name}: " + ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    signs = [-1 if direction.name == "MAXIMIZE" else 1 for direction in study.directions]
    named = [*metrics, *(f"objective {k}" for k in range(len(metrics), len(signs)))]
    names = [style.shorten(name, 30) for name in named]
    return Search(finite, np.array([trial.values[0] for trial in finite]), signs, names, subject)


# --- history and front --------------------------------------------------------------------------------------


def _history(study: optuna.Study, found: Search) -> Figure:
    """Draw each trial's value by its number, and the best so far."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    pruned, numbers, last = _last_reports(ended), [trial.number for trial in found.trials], ended[-1].number
    neither = [trial.number for trial in ended if trial.number not in {*numbers, *pruned}]
    low, high = style.view_of(found.values, found.signs[0])
    near = np.clip([*pruned.values()], 3 * low - 2 * high, 3 * high - 2 * low)  # the complete keep a third of the axis
    low, high = min(low, *near, high), max(low, *near, high)
    view = (1.05 * low - 0.05 * high, 1.05 * high - 0.05 * low)
    note = style.beyond(np.array([*found.values, *pruned.values()]), view)
    what = f"{found.metrics[0]} {style.number(found.values[found.best])}, trial {numbers[found.best]}"
    figure = style.canvas(f"Optimisation history: best {what}", found.subject + note, 8.6, 4.2)
    axes = style.add_axes(figure, (0.85, 0.6, 5.8, 2.8), "trial", found.metrics[0])
    axes.set(xlim=(ended[0].number - 0.7, last + 0.7), ylim=view)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    best = found.signs[0] * np.minimum.accumulate(found.signs[0] * found.values)
    step: dict[str, Any] = {"where": "post", "color": style.COLOURS[1], "zorder": 1.5}
    foot: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "markersize": 9}
    drawn: dict[str, list[Any]] = {
        "complete": axes.plot(numbers, found.values, "o", **_dots(len(numbers))),
        "best so far": axes.step([*numbers, last + 0.5], [*best, best[-1]], **step),
        "pruned": axes.plot([*pruned], [*pruned.values()], "x", color=style.GREY, markersize=3.5) if pruned else [],
        "failed or no value": axes.plot(neither, [0] * len(neither), "|", color="black", **foot) if neither else [],
    }
    shown = {name: lines[0] for name, lines in drawn.items() if lines}
    style.legend(axes, [*shown.values()], [*shown], "")
    return figure


def _last_reports(ended: list[FrozenTrial]) -> dict[int, float]:
    """Read what the pruned trials reported last."""
    reports = {trial.number: trial.intermediate_values for trial in ended if trial.state.name == "PRUNED"}
    last = {number: values[max(values)] for number, values in reports.items() if values}
    return {number: value for number, value in last.items() if abs(value) < HUGE}


def _dots(count: int) -> dict[str, Any]:
    alpha = float(np.clip(400 / count, 0.3, 0.8))
    return {"color": style.COLOURS[0], "markersize": 4, "markeredgewidth": 0, "alpha": alpha}


def _front(study: optuna.Study, found: Search) -> Figure:
    """Draw the first two objectives, and the trials that no other beats in all objectives."""
    unbeaten = {trial.number for trial in study.best_trials}
    front = np.array([trial.number in unbeaten for trial in found.trials])
    points = np.array([trial.values[:2] for trial in found.trials])
    views = [style.view_of(points[:, k], found.signs[k]) for k in (0, 1)]
    note = "".join(style.beyond(points[:, k], views[k]) for k in (0, 1))
    title = f"Pareto front: {front.sum():,} of {len(front):,} trials"
    figure = style.canvas(title, found.subject + note, 7.4, 4.9)
    names = [f"{found.metrics[k]} ({'more' if found.signs[k] < 0 else 'less'} is better)" for k in (0, 1)]
    axes = style.add_axes(figure, (0.85, 0.6, 4.7, 3.5), *names)
    axes.set(xlim=views[0], ylim=views[1])
    others = axes.plot(*points[~front].T, "o", **_dots(len(front)))
    ahead = points[front][np.argsort(points[front, 0], kind="stable")]
    joined = "-" if len(found.signs) == 2 else ""  # the front of three is no line
    best = axes.plot(*ahead.T, "o", color=style.COLOURS[1], linestyle=joined, linewidth=0.8, markersize=6)
    style.legend(axes, [*best, *others], ["front", "other trials"], "")
    return figure


# --- importance ---------------------------------------------------------------------------------------------


def _importances(study: optuna.Study, found: Search) -> Importances:
    """Weigh the parameters that all trials share, and model by model those that its trials share."""
    groups = {f"all {len(found.trials):,} trials": found.trials}
    chosen = Counter(str(trial.params[MODEL]) for trial in found.trials if MODEL in trial.params)
    for model, count in chosen.most_common(PANELS):
        if count < len(found.trials):
            title = f"{count:,} trials of {style.shorten(model, 30)}"
            groups[title] = [trial for trial in found.trials if str(trial.params.get(MODEL)) == model]
    weighed = {title: _weigh(study, trials) for title, trials in groups.items() if len(trials) >= LEAST}
    return {title: weights for title, weights in weighed.items() if weights}


def _weigh(study: optuna.Study, trials: list[FrozenTrial]) -> dict[str, float]:
    """Ask Optuna for the weights of the parameters that these trials share."""
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator, get_param_importances

    known = {trial.number: trial.values[0] for trial in trials}
    names = set(varying(trials, shared=True))
    # The evaluator refuses a range that differs among the study's trials with these parameters.
    others = [t.distributions for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    others = [ranges for ranges in others if names <= ranges.keys()]
    names = {name for name in names if all(ranges[name] == others[0][name] for ranges in others)}
    if not names or len(set(known.values())) == 1:
        return {}
    # Not fANOVA, which takes half a minute for 1,000 trials, nor PED-ANOVA, which asks about the best tenth alone.
    asked: dict[str, Any] = {"evaluator": MeanDecreaseImpurityImportanceEvaluator(seed=0)}
    asked["params"] = sorted(names)  # the evaluator mixes up the weights of names in any other order
    try:
        with np.errstate(over="ignore"):  # the forest computes in 32 bits: beyond them it refuses
            weights = get_param_importances(study, target=lambda trial: known.get(trial.number, np.nan), **asked)
    except ValueError:  # other trials differ in the ranges of what is left, or a number is too large for the forest
        return {}
    return {name: float(weight) for name, weight in weights.items()}


def _importance(importances: Importances, found: Search) -> Figure | None:
    """Draw the heaviest parameters, a block of bars for each group of trials."""
    # One parameter alone carries all the weight whatever it does: it is shown only where there is nothing else.
    groups = {title: weights for title, weights in importances.items() if len(weights) > 1} or importances
    rows: list[tuple[str, float, int]] = []  # the number of the group; -1 for its title
    for number, (title, weights) in enumerate(groups.items()):
        names = list(weights)[:PANELS]
        bars = zip(labels(names, 36), names, strict=True)
        rows += [(title, 0.0, -1), *((label, weights[name], number) for label, name in bars)]
    if not rows:
        return None
    room, height = 0.4 + 0.075 * max(len(name) for name, _, number in rows if number >= 0), 0.22 * len(rows) + 0.2
    title, width = f"Hyperparameter importance for {found.metrics[0]}", max(6.0, room + 4.6)
    figure = style.canvas(title, found.subject, width, height + 1.3)
    what = "share of the explained spread (forest of 64 trees)"
    axes = style.add_axes(figure, (room, 0.6, width - room - 0.3, height), what, "")
    axes.set(xlim=(0, 1.05 * max(weight for _, weight, _ in rows)), ylim=(len(rows) - 0.4, -0.6), yticks=[])
    axes.grid(visible=False, axis="y")
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center"}
    for k, (name, weight, number) in enumerate(rows):
        if number < 0:
            axes.text(0.01, k + 0.1, name, weight="bold", parse_math=False, **place)
        else:
            axes.barh(k, weight, height=0.7, color=style.line(number)["color"])
            axes.text(-0.02, k, name, ha="right", parse_math=False, **place)
    return figure
