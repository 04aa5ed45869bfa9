"""The sweeper class that Hydra loads; the search itself, with its heavy imports, is in `mlrunner.search`."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Search with Optuna; each trial is a composition of Hydra."""

    def __init__(self, **settings: Any) -> None:
        del settings  # `mlrunner.search.settings` reads and checks the whole config

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep the arguments until the sweep starts."""
        self._arguments = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> Any:
        """Run the search.

        Args:
            arguments: Overrides of the command line, without those of the `hydra` node.

        Returns:
            The summary of `optimization_results.yaml`; None for a dry run.
        """
        from mlrunner.search import entry

        return entry.sweep(*self._arguments, arguments)
