"""Hydra's own grid, gone on with: the jobs that have a result are not run again."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

RESULT = "result.json"


class ResumedGrid(BasicSweeper):
    """Launch what is left of a grid, each job under the number that it had."""

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs without a result.

        Args:
            arguments: The overrides of the grid.

        Returns:
            What the jobs returned.
        """
        if self.config is None or self.launcher is None or self.hydra_context is None:
            raise RuntimeError("Hydra has not set the sweeper up.")
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        (jobs,) = self.split_arguments(parser.parse_overrides([*self._parse_config(), *arguments]), None)
        folder = Path(str(self.config.hydra.sweep.dir))
        left = [number for number in range(len(jobs)) if not _is_done(folder / str(number))]
        self.validate_batch_is_legal([jobs[number] for number in left])
        returned: list[Any] = []
        for _, run in groupby(enumerate(left), key=lambda pair: pair[1] - pair[0]):
            numbers = [number for _, number in run]  # a launcher counts on from the first
            returned += self.launcher.launch([jobs[number] for number in numbers], initial_job_idx=numbers[0])
        return returned


def _is_done(folder: Path) -> bool:
    file = folder / RESULT
    return file.exists() and json.loads(file.read_text())["status"] == "FINISHED"
