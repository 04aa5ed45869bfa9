"""Config group `model`: what learns, as an unfitted scikit-learn pipeline of learned features and an estimator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pandas as pd
import pydantic
from pydantic import Field

from mlrunner.core.build import build, dataclass
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.groups.features import Features
from mlrunner.groups.model import estimator_arguments

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from mlrunner.core.column_roles import Task

KEY = "model.estimator"


class Model(ABC):
    """One way to learn a target from features."""

    @abstractmethod
    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        """Build the pipeline to fit.

        Args:
            table: The feature columns of the training rows.
            task: regression or classification.

        Returns:
            An unfitted pipeline; its last step is the estimator.
        """

    @abstractmethod
    def problems(self, task: Task) -> list[str]:
        """Say what would keep the model from being built, a sentence each."""


@dataclass
class EstimatorModel(Model):
    """Any class with scikit-learn's interface, behind learned features.

    Args:
        name: The option's name, for people.
        targets: The class for each task, None where the model does not do the task; None for any class.
        estimator: `_target_` and the arguments of its constructor; a value may have a `_target_` of its own.
        encode_labels: Show the classifier its classes as 0..n-1.
        features: `_target_` and settings of `Features`.
        search: Search space by key below `model.`, in the grammar of `hydra.sweeper.params`.
    """

    name: str
    targets: dict[str, str | None] | None
    estimator: dict[str, Any]
    encode_labels: bool
    features: dict[str, Any]
    search: dict[str, Any] = Field(default_factory=dict)

    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        """Build the pipeline `features` → `estimator`, unfitted."""
        from sklearn.pipeline import Pipeline

        learned = self.learned().build(table, task)
        return Pipeline([("features", learned), ("estimator", self.last(task))])

    def learned(self) -> Features:
        """Build the settings of the learned features.

        Raises:
            ConfigError: When they are of another class, wrong or missing.
        """
        found = build(self.features, "model.features")
        if not isinstance(found, Features):
            raise ConfigError(
                f"model.features._target_: {type(found).__name__} is no mlrunner.groups.features.Features."
            )
        return found

    def problems(self, task: Task) -> list[str]:
        """Check the features, the estimator's class, its arguments and the task, without fitting."""
        return [*self._feature_problems(), *self._estimator_problems(task)]

    def _feature_problems(self) -> list[str]:
        try:
            return self.learned().problems()
        except ProblemsError as error:
            return error.problems
        except MlrunnerError as error:
            return [str(error)]

    def _estimator_problems(self, task: Task) -> list[str]:
        if self.targets is not None and self.targets.get(task) is None:
            able = [name for name, target in self.targets.items() if target is not None]
            return [
                f"model={self.name} does {' and '.join(able)} only, but dataset.task is {task}; choose another model."
            ]
        if self.estimator.get("_target_") is None:
            return [f"{KEY}._target_ is not set; name a class, as in {KEY}._target_=sklearn.svm.SVR."]
        found = estimator_arguments.problems(self.estimator, KEY)
        return found or self._task_problems(task)

    def _task_problems(self, task: Task) -> list[str]:
        """Construct the estimator and ask it what it is; one that does not tell may do either task."""
        from sklearn.base import is_classifier, is_regressor

        try:
            estimator = estimator_arguments.construct(self.estimator, KEY)
        except ConfigError as error:
            return [str(error)]
        wrong = {"regression": is_classifier, "classification": is_regressor}[task]
        if hasattr(estimator, "__sklearn_tags__") and wrong(estimator):
            kind = "classifier" if task == "regression" else "regressor"
            return [
                f"{KEY}._target_: {self.estimator['_target_']} is a {kind}, but dataset.task is {task}; change either."
            ]
        return _refused_values(estimator)

    def last(self, task: Task) -> Any:
        """Build the last step of the pipeline alone, unfitted."""
        from mlrunner.groups.model.label_encoding import LabelCodes

        estimator = estimator_arguments.construct(self.estimator, KEY)
        return LabelCodes(estimator) if self.encode_labels and task == "classification" else estimator


def _refused_values(estimator: Any) -> list[str]:
    """Ask a scikit-learn estimator whether it takes its values, which it would otherwise say at fit."""
    validate = getattr(estimator, "_validate_params", None)
    if validate is None or not type(estimator).__module__.startswith("sklearn."):
        return []
    try:
        validate()
    except ValueError as error:
        return [f"{KEY}: {str(error).rstrip('.')}."]
    return []


class ModelNameConfig(pydantic.BaseModel):
    """The typed parameters of the train step.

    Args:
        name: The model option's name.
        settings: The composition's `model` group, resolved.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    settings: dict[str, Any]

    def model(self) -> Model:
        """Build the model that the settings name.

        Raises:
            ConfigError: When `model._target_` names something else.
        """
        found = build(self.settings, "model")
        if not isinstance(found, Model):
            raise ConfigError(f"model._target_: {type(found).__name__} is no mlrunner.groups.model.Model.")
        return found
