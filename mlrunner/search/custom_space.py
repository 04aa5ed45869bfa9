"""The function of `hydra.sweeper.custom_search_space`, which may add parameters to each trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hydra.utils import instantiate

from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import redact_override

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from optuna.trial import Trial

    from mlrunner.search.space import Space


def load_custom_space(name: str | None, space: Space, config: DictConfig) -> Callable[[Trial], None] | None:
    """Load the function of (config, trial).

    Args:
        name: Value of `hydra.sweeper.custom_search_space`.
        space: Search space of the ranges.
        config: Configuration of the whole sweep, with its `hydra` node.

    Returns:
        A function of a trial, which records the fixed overrides as the trial's attributes and raises a ConfigError when
        a parameter has the key of one of them; None without a name.
    """
    if name is None:
        return None
    function = instantiate({"_target_": name, "_partial_": True})

    def customize(trial: Trial) -> None:
        fixed = [redact_override(text) for text in space.list_fixed(space.get_model(trial.params))]
        for text in fixed:
            key, _, value = text.partition("=")
            trial.set_user_attr(key, value)
        function(config, trial)
        for text in fixed:
            key = text.partition("=")[0]  # `+key=0` only adds a key that the function may set
            if key in trial.params:
                raise ConfigError(
                    f"{text} is fixed, but hydra.sweeper.custom_search_space={name} sets {key} in each trial as well; "
                    "leave out one of the two."
                )

    return customize
