"""One session of a sweep: the study and the stores are opened, the pipeline searches, the results are written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlrunner.core.errors import DeployError, MlrunnerError
from mlrunner.core.process import settle
from mlrunner.core.terminal import console
from mlrunner.groups.stack.opening import open_stack
from mlrunner.search import display, study_setup, warm_start
from mlrunner.search.grid_order import GridOrder
from mlrunner.search.hydra_launcher import NOTE, Launched
from mlrunner.search.loop import Search
from mlrunner.search.plan import Plan
from mlrunner.search.trial_queue import VOID, Claims
from mlrunner.search.workers import Executor, Pool
from mlrunner.tracking import studies

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig
    from optuna import Study

    from mlrunner.search.pipeline_driver import Conduct
    from mlrunner.search.trial_preparation import Drafts

BASIC = "BasicLauncher"


@dataclass(frozen=True)
class Handed:
    """What Hydra hands over to a sweeper."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig


class SweepError(MlrunnerError):
    """More trials failed than may."""

    exit_code = 1


def sampler_of(plan: Plan) -> Callable[[int], Any]:
    """Decide how the sampler of a trial is made from its number."""
    if plan.settings.is_grid:
        grid = GridOrder(plan.space.grid())
        return functools.partial(_always, grid)
    seed = plan.first.composition.settings.seed
    return functools.partial(study_setup.sampler, plan.settings, seed)


def _always(sampler: Any, number: int) -> Any:
    del number
    return sampler


def run(plan: Plan, drafts: Drafts, handed: Handed) -> Any:
    """Search, and hand the winner over.

    Returns:
        The summary of `optimization_results.yaml`.

    Raises:
        MlrunnerError: When a store does not open, the study was another search, or more trials failed than may.
        KeyboardInterrupt: After Ctrl-C, when everything is written.
    """
    home = plan.first.composition.settings.home
    told = plan.first.composition.settings.tracking
    open_stack(plan.first.repeats[0].stack, home, told.plots or told.log_model, "forkserver")
    settle()
    name = plan.settings.study_name or "/".join(Path(str(handed.config.hydra.sweep.dir)).parts[-2:])
    storage = studies.open_storage(plan.settings.storage, home, name)
    study = study_setup.open_study(storage, name, list(plan.goal.directions), plan.settings)
    described = describe(plan, drafts)
    study_setup.refuse_changes(study, described, plan.settings.allow_changes)
    folder = settle_folder(study, handed.config)
    drafts.settle(folder)
    claims = Claims(study, plan.limit, sampler_of(plan))
    try:
        claims.mend()
        warm_start.enqueue(study, plan.settings.warm_start, plan.space, home)
        return _search(plan, drafts, handed, study, claims, described, folder)
    finally:
        claims.close()


def describe(plan: Plan, drafts: Drafts) -> dict[str, Any]:
    """Describe a search by what makes it this one, for a later resume."""
    return {
        "space": plan.space.describe(),
        "metric": dict(zip(plan.goal.metrics, plan.goal.directions, strict=True)),
        "repeats": plan.settings.repeats,
        "data": drafts.data,
    }


def settle_folder(study: Study, config: Any) -> Path:
    """Go on in the folder where the study began; trials have numbers, so nothing there is overwritten."""
    before = study.user_attrs.get("folder")
    folder = Path(str(before or config.hydra.sweep.dir)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if before is None:
        study.set_user_attr("folder", str(folder))
    OmegaConf.save(config, folder / "multirun.yaml")
    return folder


def _search(
    plan: Plan,
    drafts: Drafts,
    handed: Handed,
    study: Study,
    claims: Claims,
    described: dict[str, Any],
    folder: Path,
) -> Any:
    from mlrunner.search import closing
    from mlrunner.search.pipeline_driver import Conduct

    experiment, parent = closing.open_parent(plan, study, described, folder)
    study.set_user_attr(study_setup.META, described)
    drafts.parent = parent
    executor, custom = executor_of(plan, drafts, handed, folder), _custom(plan, handed)
    search = Search(plan.settings, plan.goal, plan.space, study, claims, drafts, executor, custom)
    conduct = Conduct(search, experiment, parent, plan.home / ".mlrunner" / "cache" / "tables")
    summary = _finished(plan, conduct, folder)
    if search.interrupts:
        raise KeyboardInterrupt
    if search.policy.has_failed(claims.trials):
        raise SweepError(_failures(search, folder))
    deployment = (summary["winner"] or {}).get("deployment") or {}
    if "error" in deployment:
        raise DeployError(deployment["error"])
    return summary


def _finished(plan: Plan, conduct: Conduct, folder: Path) -> dict[str, Any]:
    """Search, and write and show what came of it; whatever happens, nothing is left open."""
    from mlrunner.search import closing

    search, is_text = conduct.search, plan.first.composition.settings.output == "text"
    if is_text:
        show_begin(plan, search.study, folder)
    try:
        with display.show(search, is_text) as shown:
            search.watch = shown
            _pipeline(search.study.study_name, conduct)
        summary = closing.finish(plan, conduct, search.study, folder)
    except BaseException:
        closing.abandon(conduct)
        raise
    finally:
        search.executor.close()
    closing.show(plan, conduct, summary, folder, is_text)
    return summary


def _pipeline(name: str, conduct: Conduct) -> None:
    """Run the ZenML pipeline around the search."""
    from mlrunner.groups.stack import zenml_patches
    from pipelines import search as pipelines

    pipelines.UNDER_WAY[name] = conduct
    try:
        with zenml_patches.own_signals():
            pipelines.search.with_options(run_name=conduct.pipeline_run)(study=name)
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, MlrunnerError | KeyboardInterrupt):
            cause = cause.__cause__ or cause.__context__
        raise cause if cause is not None else error from error
    finally:
        del pipelines.UNDER_WAY[name]


def executor_of(plan: Plan, drafts: Drafts, handed: Handed, folder: Path) -> Executor:
    """Choose who runs trials: our own workers, or a launcher of Hydra's where one is named."""
    if str(handed.config.hydra.launcher._target_).endswith(BASIC):
        return Pool(plan.settings.n_jobs, plan.settings.threads)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=handed.hydra_context, task_function=handed.task_function, config=handed.config
    )
    name = handed.config.hydra.runtime.choices["hydra/launcher"]
    if plan.first.composition.settings.output == "text":
        console(stderr=True).print(NOTE.format(name=f"hydra/launcher={name}", size=plan.settings.n_jobs))
    return Launched(launcher, plan.settings.n_jobs, lambda number: (drafts.overrides_of(number), folder / str(number)))


def _custom(plan: Plan, handed: Handed) -> Callable[[Any], None] | None:
    """Take the function of `hydra.sweeper.custom_search_space`, which is shown Hydra's config and the trial."""
    if plan.settings.custom_search_space is None:
        return None
    function = instantiate({"_target_": plan.settings.custom_search_space, "_partial_": True})
    return functools.partial(function, handed.config)


def show_begin(plan: Plan, study: Study, folder: Path) -> None:
    """Print what is searched, and what an earlier session has done."""
    from rich.text import Text

    from mlrunner.core.terminal import relative

    out = console()
    goal = ", ".join(f"{way} {name}" for name, way in zip(plan.goal.metrics, plan.goal.directions, strict=True))
    out.print(Text.assemble(("mlrunner  ", "bold"), ("search", "bold cyan"), f"  {plan.limit} trials, {goal}"))
    for label, data in {"dataset": plan.first.repeats[0].data.dataset.label}.items():
        out.print(Text.assemble((f"  {label:<9}", "dim"), data))
    varied = ", ".join(dict.fromkeys(one.key.removeprefix("model.estimator.") for one in plan.space.dimensions))
    out.print(Text.assemble(("  varies   ", "dim"), varied))
    done = sum(one.state.is_finished() and VOID not in one.user_attrs for one in study.get_trials(deepcopy=False))
    out.print(Text.assemble(("  study    ", "dim"), study.study_name, f"  {done} trials done before" if done else ""))
    out.print(Text.assemble(("  folder   ", "dim"), relative(str(folder))))


def _failures(search: Search, folder: Path) -> str:
    told = search.stopped or f"more than max_failure_rate={search.settings.max_failure_rate:g} allows"
    return f"too many trials failed: {told}; see {folder}/*/found.json, or run one alone."
