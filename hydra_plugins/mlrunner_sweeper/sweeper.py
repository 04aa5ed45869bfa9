"""The sweeper class that Hydra loads; the searches themselves, with their heavy imports, are in `mlrunner.search`."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Search with Optuna: mlrunner's own search, or a search over the function of any other Hydra program."""

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
            The summary of `optimization_results.yaml`; None for a dry run, and in other programs.
        """
        from mlrunner.execution.in_process import SingleRun

        if isinstance(self._arguments[1], SingleRun):
            from mlrunner.search import entry

            return entry.sweep(*self._arguments, arguments)
        from mlrunner.search import function_search

        return function_search.sweep(*self._arguments, arguments)
