"""The shell that Hydra finds; what it does, with its heavy imports, is in `_impl`."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Search with Optuna, one composition of Hydra's a trial."""

    def __init__(self, **settings: Any) -> None:
        del settings  # read, whole and checked, from the config

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self.handed = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> Any:
        """Run the search.

        Args:
            arguments: The overrides as they were typed, without Hydra's own.

        Returns:
            The summary that `optimization_results.yaml` holds; None for a dry run.
        """
        from mlrunner.search import entry

        return entry.sweep(*self.handed, arguments)
