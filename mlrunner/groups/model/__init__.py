"""Config group `model`: build an unfitted scikit-learn pipeline of feature encoders and an estimator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import pydantic
from pydantic import Field

from mlrunner.core.build import build, dataclass
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.score_settings import Label
from mlrunner.groups.features import Features
from mlrunner.groups.model import early_stopping as stopping
from mlrunner.groups.model import estimator_arguments
from mlrunner.groups.model.named_features import list_named, refuse_unknown_names
from mlrunner.groups.model.sklearn_private import explain_invalid_parameters
from mlrunner.groups.model.target_transform import TargetTransform
from mlrunner.groups.model.wrapping import wrap_estimator, wrapping_problems

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from mlrunner.core.column_roles import Task

    Rows = tuple[Any, ...]  # features and target, and weights of training rows

KEY = "model.estimator"


class Model(ABC):
    """Base of the models."""

    @abstractmethod
    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        """Build the pipeline to fit.

        Args:
            table: Feature columns of the training rows.
            task: "regression" or "classification".

        Returns:
            An unfitted pipeline; its last step is the estimator.
        """

    def stop_early(self, pipeline: Pipeline, train: Rows, validation: Rows | None = None, marks: Any = None) -> None:
        """Set the number of boosting rounds of an unfitted pipeline, where the model finds it on held-out rows.

        Args:
            pipeline: Pipeline that `build` returned.
            train: Features, target and weights of the training rows; the weights may be None.
            validation: Features and target of the validation rows; None or empty where there are folds.
            marks: Marks of the training rows, see `core.folds`; None where there are validation rows.
        """
        del pipeline, train, validation, marks

    @abstractmethod
    def problems(self, task: Task) -> list[str]:
        """Return one sentence for each reason why the model cannot be built.

        Args:
            task: "regression" or "classification".
        """


@dataclass
class EstimatorModel(Model):
    """Model of any class with scikit-learn's interface, with feature encoders before it.

    Args:
        name: Name of the option.
        targets: Class by task, None for a task that the model does not support; None accepts any class.
        estimator: `_target_` and the arguments of its constructor; an argument may have a `_target_` of its own.
        encode_labels: Whether the classifier is fitted on labels 0 to n-1.
        features: `_target_` and settings of `Features`.
        class_weight: "balanced" gives the rows of each class the same total weight; None: all rows weigh the same.
        threshold: Probability of the positive class of two from which it is predicted; "tuned": the one with the best
            metric on held-out rows; None: the classifier's own rule.
        threshold_metric: Metric that a tuned threshold is chosen by; None: the objective, see `evaluation.thresholds`.
        positive: Label of the positive class; None: the second in sorted order.
        target_transform: Transform of the target of a regression; None: none.
        early_stopping: Number of boosting rounds without improvement that end a fit; None fits all rounds.
        search: Search space by key below `model.`, in the grammar of `hydra.sweeper.params`.
    """

    name: str
    targets: dict[str, str | None] | None
    estimator: dict[str, Any]
    encode_labels: bool
    features: dict[str, Any]
    class_weight: Literal["balanced"] | None = None
    threshold: Literal["tuned"] | Annotated[float, Field(ge=0, le=1)] | None = None
    threshold_metric: str | None = None
    positive: Label | None = None
    target_transform: TargetTransform | None = None
    early_stopping: int | None = Field(default=None, gt=0)
    search: dict[str, Any] = Field(default_factory=dict)

    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        """Build the pipeline `features` → `estimator`, unfitted."""
        from sklearn.pipeline import Pipeline

        settings = self.build_features()
        if list_named(self.estimator):
            refuse_unknown_names(self.estimator, settings.list_numbers(table), KEY)
        return Pipeline([("features", settings.build(table, task)), ("estimator", self.build_estimator(task))])

    def stop_early(self, pipeline: Pipeline, train: Rows, validation: Rows | None = None, marks: Any = None) -> None:
        """See `Model.stop_early`."""
        if self.early_stopping is not None:
            rounds = stopping.count_rounds(pipeline, train, validation, marks, self.early_stopping)
            stopping.set_rounds(pipeline.steps[-1][1], rounds)

    def build_features(self) -> Features:
        """Build the settings of the feature encoders.

        Raises:
            MlrunnerError: When the settings are of another class, wrong or incomplete.
        """
        features = build(self.features, "model.features")
        if not isinstance(features, Features):
            raise ConfigError(
                f"model.features._target_: {type(features).__name__} is not a mlrunner.groups.features.Features."
            )
        return features

    def problems(self, task: Task) -> list[str]:
        """See `Model.problems`; nothing is fitted."""
        return [*self._feature_problems(), *self._estimator_problems(task)]

    def _feature_problems(self) -> list[str]:
        try:
            return self.build_features().problems()
        except ProblemsError as error:
            return error.problems
        except MlrunnerError as error:
            return [str(error)]

    def _estimator_problems(self, task: Task) -> list[str]:
        if self.targets is not None and self.targets.get(task) is None:
            tasks = " and ".join(name for name, target in self.targets.items() if target is not None)
            return [f"model={self.name} does {tasks} only, but dataset.task is {task}; choose another model."]
        if self.estimator.get("_target_") is None:
            return [f"{KEY}._target_ is not set; name a class, as in {KEY}._target_=sklearn.svm.SVR."]
        return estimator_arguments.problems(self.estimator, KEY) or self._task_problems(task)

    def _task_problems(self, task: Task) -> list[str]:
        """Construct the estimator and compare its type with the task; one without scikit-learn tags fits both."""
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
        invalid = explain_invalid_parameters(estimator)
        early = stopping.early_stopping_problems(estimator, self.early_stopping)
        return [*early, *([] if invalid is None else [f"{KEY}: {invalid}."]), *wrapping_problems(self, task, estimator)]

    def build_estimator(self, task: Task) -> Any:
        """Build the unfitted last step of the pipeline."""
        return wrap_estimator(self, task, estimator_arguments.construct(self.estimator, KEY))


class ModelNameConfig(pydantic.BaseModel):
    """Typed parameters of the train step."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    settings: dict[str, Any]

    def model(self) -> Model:
        """Build the model that the settings describe.

        Raises:
            MlrunnerError: When `model._target_` is not a model, or its settings are wrong.
        """
        model = build(self.settings, "model")
        if not isinstance(model, Model):
            raise ConfigError(f"model._target_: {type(model).__name__} is not a mlrunner.groups.model.Model.")
        return model
