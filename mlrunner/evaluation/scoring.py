"""Score a fitted model on every part of the split, and by folds where the split has them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation import cross_validation as folds
from mlrunner.evaluation import metrics
from mlrunner.evaluation.uncertainty import Replicates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task
    from mlrunner.groups.model import Model

IMPORTANCE_ROWS = 400  # of the rows that chose the model; more change the picture little


@dataclass(frozen=True)
class Parts:
    """The cleaned rows by part; `validation` is empty when there are folds, `folds` when there are none.

    `shown` is how pictures call the rows that judge, where these are not the validation or the folds.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    folds: pd.DataFrame
    roles: Roles
    shown: str | None = None

    def of(self, part: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Take the features and the target of a part."""
        table: pd.DataFrame = getattr(self, part)
        return features_of(table, self.roles), table[self.roles.target]

    def sample(self, rows: int) -> Parts:
        """Take so many evenly spaced rows of train and validation: enough to draw from."""
        thinned = {
            part: getattr(self, part).iloc[:: max(1, len(getattr(self, part)) // rows)].head(rows)
            for part in ("train", "validation")
        }
        return replace(self, **thinned, test=self.test.head(0), folds=self.folds.head(1))

    @property
    def chooser(self) -> str:
        """The part that the objective is taken from: `validation`, or `cv` where there are folds."""
        return "cv" if len(self.folds) else "validation"


def features_of(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Take the feature columns of a cleaned table."""
    played = [name for name in (roles.target, roles.group, roles.time) if name in table]
    return table.drop(columns=played)


@dataclass(frozen=True)
class Evaluation:
    """What the parts say of a model.

    Args:
        scores: By part and name (`validation/r2`, `cv/r2_std`), and by bare name for the part that chooses.
        predictions: Of the part that chooses.
        judged: Part to its predictions, a digest of its rows, and which of them belong together: what tells how sure
            the scores are.
        folds: The scores of each fold; None where there are none.
    """

    scores: dict[str, float]
    predictions: metrics.Predictions
    judged: dict[str, tuple[metrics.Predictions, str, Any]] = field(default_factory=dict)
    folds: Replicates | None = None


def evaluate(fitted: Any, parts: Parts, model: Model, task: Task) -> Evaluation:
    """Score every part.

    Args:
        fitted: Takes cleaned feature columns.
        parts: The cleaned rows.
        model: Builds the unfitted pipelines of the folds.
        task: Decides the metrics.
    """
    present = [part for part in ("train", "validation", "test") if len(getattr(parts, part))]
    predictions = {part: metrics.predict(fitted, *parts.of(part), task) for part in present}
    scores = {part: metrics.measure(found, task) for part, found in predictions.items()}
    told = {f"{part}/{name}": value for part, found in scores.items() for name, value in found.items()}
    judged = {part: (said, *rows_of(getattr(parts, part), parts.roles)) for part, said in predictions.items()}
    judged.pop("train", None)
    if parts.chooser != "cv":
        return Evaluation({**told, **scores["validation"]}, predictions["validation"], judged)
    features, target = parts.of("train")
    crossed = folds.cross_validate(lambda: model.build(features, task), features, target, parts.folds["fold"], task)
    told |= {f"cv/{name}": value for name, value in crossed.mean.items()}
    told |= {f"cv/{name}_std": value for name, value in crossed.std.items()}
    each = {name: [fold[name] for fold in crossed.folds] for name in crossed.mean}
    rows = digest(parts.train) + hashlib.sha256(parts.folds["fold"].to_numpy().tobytes()).hexdigest()
    return Evaluation({**told, **crossed.mean}, crossed.predictions, judged, Replicates(rows, 1.0, each, is_folds=True))


def joined(train: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Put the rows that choose beside those that train; there are none of them where there are folds."""
    return pd.concat([train, validation]) if len(validation) else train


def judge(fitted: Any, known: pd.DataFrame, test: pd.DataFrame, roles: Roles, task: Task) -> Evaluation:
    """Score a model on the test rows, and on those that it was fitted on.

    Args:
        fitted: Takes cleaned feature columns.
        known: The cleaned rows that it was fitted on.
        test: The cleaned rows that nothing has read before.
        roles: Say what the columns are.
        task: Decides the metrics.
    """
    tables = {"train": known, "test": test}
    predictions = {
        part: metrics.predict(fitted, features_of(table, roles), table[roles.target], task)
        for part, table in tables.items()
    }
    scores = {part: metrics.measure(found, task) for part, found in predictions.items()}
    told = {f"{part}/{name}": value for part, found in scores.items() for name, value in found.items()}
    return Evaluation(told, predictions["test"], {"test": (predictions["test"], *rows_of(test, roles))})


def rows_of(part: pd.DataFrame, roles: Roles) -> tuple[str, Any]:
    """Name the rows of a part, and say which of them belong together; None where each stands by itself."""
    return digest(part), part[roles.group].to_numpy() if roles.group in part else None


def digest(part: pd.DataFrame) -> str:
    """Name the rows of a part by their places in the table."""
    return hashlib.sha256(
        pd.util.hash_pandas_object(part.index.to_series(), index=False).to_numpy().tobytes()
    ).hexdigest()


def figures(
    fitted: Any, parts: Parts, evaluation: Evaluation, task: Task, seed: int, subject: str = ""
) -> dict[str, Figure]:
    """Draw what people look at, of the part that chose; of the model itself on train's rows where there are folds.

    Args:
        fitted: Takes cleaned feature columns.
        parts: The cleaned rows.
        evaluation: What `evaluate` found.
        task: Decides the figures.
        seed: Chooses the rows of the importance and shuffles them.
        subject: Data set and model; the part is added, and the line stands under each title.
    """
    from mlrunner.evaluation import plots

    judged = "train" if parts.chooser == "cv" else "validation"
    importance = plots.permutation_importance(fitted, *parts.of(judged), task, seed=seed, rows=IMPORTANCE_ROWS)
    curve = plots.learning_curve(fitted, *parts.of("train"), *parts.of("validation"), task)
    chooser = parts.shown or parts.chooser
    inspected = judged if parts.chooser == "cv" else chooser
    line, inspected = (" · ".join(filter(None, (subject, part))) for part in (chooser, inspected))
    return plots.figures(evaluation.predictions, task, line, importance, curve, inspected)
