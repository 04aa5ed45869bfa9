"""A session of a search in a real MLflow store, whose trials run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import setup_globals
from mlflow.entities import Run

from mlrunner.search.parent_run import open_parent_run
from mlrunner.search.pipeline_driver import PipelineDriver
from mlrunner.search.plan import SearchPlan
from mlrunner.search.session import describe_search
from mlrunner.search.trial_preparation import TrialPreparer
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import PARENT_TAG
from tests.support.mlflow_home import MlflowHome
from tests.support.search import open_hydra
from tests.support.search_runs import TableMaker, build_search
from tests.support.sweeps import close_all

FIXED = ("sweep=optuna", "dataset=diabetes", "model=ridge", "tracking.plots=false", "tracking.log_model=false")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SearchPlan, TrialPreparer]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        setup_globals()
        yield open_hydra(*FIXED).plan(n_trials=3)


@dataclass
class Session:
    """A session of a search, up to the pipeline."""

    plan: SearchPlan
    driver: PipelineDriver
    maker: TableMaker
    folder: Path
    client: Any

    def open_another(self) -> Session:
        """Open another session of the same search."""
        search = build_search(self.plan, self.driver.search.preparer, study=self.driver.search.study)
        driver = PipelineDriver(
            search, self.driver.child_runs.experiment, self.driver.parent, self.folder, nullcontext()
        )
        return replace(self, driver=driver)

    def run(self) -> list[Any]:
        return list(self.driver.run_trials(self.maker))

    def get_alpha(self, number: int) -> float:
        """Return the parameter of a trial."""
        params = self.driver.search.study.get_trials()[number].params
        return next(float(value) for name, value in params.items() if name.endswith("alpha"))

    def get_children(self) -> list[Run]:
        runs = self.client.search_runs([self.driver.child_runs.experiment])
        return [run for run in runs if run.data.tags.get(PARENT_TAG) == self.driver.parent]


@pytest.fixture
def session(planned: tuple[SearchPlan, TrialPreparer], mlflow_home: MlflowHome, tmp_path: Path) -> Iterator[Session]:
    plan, preparer = planned
    folder = tmp_path / "sweep"
    folder.mkdir()
    preparer.composer.set_sweep_dir(folder)
    search = build_search(plan, preparer)
    experiment, parent = open_parent_run(plan, search.study, describe_search(plan, preparer), folder)
    preparer.parent = parent
    driver = PipelineDriver(search, experiment, parent, tmp_path / "copies", nullcontext())
    maker = TableMaker(plan.first.repeats[0].data.table, tmp_path / "tables")
    yield Session(plan, driver, maker, folder, mlflow_home.client)
    RECORDER.flush()
    close_all()
