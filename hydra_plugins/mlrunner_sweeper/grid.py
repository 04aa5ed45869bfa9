"""Hydra's own grid, resumed: jobs with a result are not run again.

Hydra has no public class to build on, so this extends `BasicSweeper` as it is in Hydra 1.3; a test runs it with Hydra's
own launcher.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlrunner.core.outcome import read_outcomes


class ResumedGrid(BasicSweeper):
    """Sweeper that launches the unfinished jobs of a grid, each under its first number."""

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs without a result.

        Returns:
            What the jobs returned.
        """
        if self.config is None or self.launcher is None or self.hydra_context is None:
            raise RuntimeError("Hydra has not called setup().")
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        (jobs,) = self.split_arguments(parser.parse_overrides([*self._parse_config(), *arguments]), None)
        folder = Path(str(self.config.hydra.sweep.dir))
        finished = {outcome.job for outcome in read_outcomes(folder) if outcome.status == "FINISHED"}
        unfinished = [number for number in range(len(jobs)) if number not in finished]
        self.validate_batch_is_legal([jobs[number] for number in unfinished])
        returned: list[Any] = []
        for _, run in groupby(enumerate(unfinished), key=lambda pair: pair[1] - pair[0]):
            numbers = [number for _, number in run]  # a launcher numbers its jobs consecutively from the first
            returned += self.launcher.launch([jobs[number] for number in numbers], initial_job_idx=numbers[0])
        return returned
