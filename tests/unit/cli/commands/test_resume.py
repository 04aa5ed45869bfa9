"""`mlrunner resume SWEEP`: find a sweep, and write the command that resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlrunner.cli.commands import resume
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, SWEEP_TAG, Record
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template
from tests.support.recorded import Recorded
from tests.support.sweeps import open_study

OURS = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"
BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
DAY, TIME = "2026-11-25", "17-43-06-708940"


def sweep(
    folder: Path, *task: str, hydra: tuple[str, ...] = ("hydra.mode=MULTIRUN",), target: str = OURS, name: Any = None
) -> Path:
    """What a sweep leaves in its folder."""
    folder.mkdir(parents=True)
    hydra_settings = {
        "overrides": {"hydra": list(hydra), "task": list(task)},
        "sweeper": {"_target_": target, "study_name": name},
        "sweep": {"dir": str(folder)},
    }
    (folder / resume.MULTIRUN).write_text(yaml.safe_dump({"hydra": hydra_settings, "seed": 0}))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dated(home: Path, day: str = DAY, time: str = TIME) -> Path:
    return sweep(home / "multirun" / day / time)


# Which sweep


def test_a_search_is_found_as_every_verb_finds_it(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(recorded.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resume.find_sweep(recorded.search["parent_run_id"][:10]) == Path(recorded.search["folder"])
    with pytest.raises(ConfigError, match="is not a sweep; the newest are"):
        resume.find_sweep(recorded.single["run_id"])


@pytest.mark.parametrize(
    "name",
    [f"multirun/{DAY}/{TIME}", "{home}/multirun/" + f"{DAY}/{TIME}", f"{DAY}/{TIME}", TIME, f"multirun/{DAY}/{TIME}/"],
    ids=["relative", "absolute", "day and time", "time", "with a slash"],
)
def test_a_sweep_is_found(name: str, home: Path) -> None:
    folder = dated(home)
    dated(home, "2026-11-24")
    assert resume.find_sweep(name.format(home=home)).resolve() == folder


def test_a_time_of_several_days_is_the_newest(home: Path) -> None:
    dated(home, "2026-11-23")
    newest = dated(home, "2026-12-01")
    dated(home, "2026-11-30")
    assert resume.find_sweep(TIME) == newest


@pytest.mark.parametrize("name", ["mine", "team/mine"])
def test_a_sweep_is_found_by_the_name_of_its_study(name: str, home: Path) -> None:
    folder = dated(home)
    open_study(None, home, name).set_user_attr("folder", str(folder))
    assert resume.find_sweep(name) == folder


def test_a_store_names_no_folder_elsewhere(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """H2 of the attack findings; the study has the folder as a tag has it."""
    elsewhere = sweep(tmp_path_factory.mktemp("evil") / "sweep", "model=ridge")
    open_study(None, home, "mine").set_user_attr("folder", str(elsewhere))
    with pytest.raises(ProblemsError, match=rf"^The store says that the sweep is in {elsewhere}, which is outside of "):
        resume.find_sweep("mine")
    (home / "multirun" / DAY).mkdir(parents=True)
    link = home / "multirun" / DAY / TIME
    link.symlink_to(elsewhere)
    open_study(None, home, "linked").set_user_attr("folder", str(link))
    with pytest.raises(ProblemsError, match="which is outside of"):
        resume.find_sweep("linked")
    assert resume.find_sweep(str(elsewhere)) == elsewhere  # the user names it


@pytest.mark.parametrize("name", [f"{DAY}/{TIME}", "mine"])
def test_a_search_of_another_machine_is_its_run(name: str, home: Path, mlflow_home: MlflowHome) -> None:
    tags = {SWEEP_TAG: f"{DAY}/{TIME}", STUDY_TAG: "mine", FOLDER_TAG: f"/gone/multirun/{DAY}/{TIME}"}
    run_id = mlflow_home.add_run(**tags)
    found = resume.find_sweep(name)
    assert isinstance(found, Record)
    assert found.run_id == run_id
    folder = dated(home)  # its folder here, which an earlier `mlrunner resume` has made
    assert resume.find_sweep(f"{DAY}/{TIME}") == folder


def test_a_folder_without_a_sweep_is_refused(home: Path) -> None:
    (home / "multirun" / DAY / TIME / "0").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        resume.find_sweep(f"{DAY}/{TIME}")
    assert str(caught.value) == f"'{DAY}/{TIME}' is not a sweep; there is no sweep yet."


def test_the_newest_sweeps_are_named(home: Path) -> None:
    for day in ("2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"):
        dated(home, day, "12-00-00-000000")
    with pytest.raises(ConfigError) as caught:
        resume.find_sweep("nightly")
    assert str(caught.value) == (
        "'nightly' is not a sweep; the newest are 2026-11-24/12-00-00-000000, 2026-11-23/12-00-00-000000, "
        "2026-11-22/12-00-00-000000."
    )


def test_the_nearest_name_is_suggested(home: Path) -> None:
    dated(home)
    with pytest.raises(ConfigError) as caught:
        resume.find_sweep(f"{DAY}/17-43-06-708941")
    assert str(caught.value) == (
        f"'{DAY}/17-43-06-708941' is not a sweep; the newest are {DAY}/{TIME}. Did you mean '{DAY}/{TIME}'?"
    )


def test_a_study_without_a_folder_is_refused(home: Path) -> None:
    open_study(None, home, "bare")
    open_study(None, home, "gone").set_user_attr("folder", "/nowhere")
    for name in ("bare", "gone"):
        with pytest.raises(ConfigError, match=f"'{name}' is not a sweep; there is no sweep yet."):
            resume.find_sweep(name)


def test_the_name_of_a_journal_is_refused(home: Path) -> None:
    """`2026-11-25/17-43` lies in `2026-11-25_17-43.journal`, whose name is easily copied."""
    open_study(None, home, f"{DAY}/{TIME}").set_user_attr("folder", str(dated(home)))
    with pytest.raises(ConfigError):
        resume.find_sweep(f"{DAY}_{TIME}")


# The command


def test_a_search_is_resumed_with_its_study(home: Path) -> None:
    folder = sweep(home / "multirun" / DAY / TIME, "sweep=optuna", "model=xgboost,rf", "dataset=olist")
    assert resume.make_command(folder, []) == [
        "--multirun",
        "hydra.mode=MULTIRUN",
        "sweep=optuna",
        "model=xgboost,rf",
        "dataset=olist",
        f"hydra.sweeper.study_name='{DAY}/{TIME}'",
        f"hydra.sweep.dir='{folder}'",  # a session in it refuses to start where the study is gone
    ]


@pytest.mark.parametrize(
    ("hydra", "name"),
    [((), "mine"), (("hydra.sweeper.study_name=mine",), "mine"), (("hydra.sweeper.study_name='a b'",), "a b")],
    ids=["preset", "typed", "quoted"],
)
def test_a_study_keeps_the_name_it_had(hydra: tuple[str, ...], name: str, home: Path) -> None:
    folder = sweep(home / "any", "model=rf", hydra=hydra, name=name)
    own = [f"hydra.sweeper.study_name='{name}'", f"hydra.sweep.dir='{folder}'"]
    assert resume.make_command(folder, []) == ["--multirun", "model=rf", *own]


def test_a_grid_is_resumed_in_its_folder(home: Path) -> None:
    folder = sweep(home / "multirun" / DAY / TIME, "model=rf,ridge", "seed=1,2", target=BASIC)
    assert resume.make_command(folder, []) == [
        "--multirun",
        "hydra.mode=MULTIRUN",
        "model=rf,ridge",
        "seed=1,2",
        "hydra.sweeper._target_=hydra_plugins.mlrunner_sweeper.grid.ResumedGrid",
        f"hydra.sweep.dir='{folder}'",
    ]


def test_a_grid_is_resumed_twice(home: Path) -> None:
    folder = sweep(home / "grid", "model=rf,ridge", target=BASIC)
    first = resume.make_command(folder, [])
    hydra = [text for text in first if text.startswith("hydra.")]
    again = sweep(home / "again", "model=rf,ridge", hydra=tuple(hydra), target=resume.GRID)
    words = resume.make_command(again, [])
    assert [text for text in words if "sweep.dir" in text] == [f"hydra.sweep.dir='{again}'"]
    assert len(words) == len(set(words)) == len(first)


@pytest.mark.parametrize(
    ("before", "more", "after"),
    [
        (["model=rf"], ["hydra.sweeper.n_trials=40"], ["model=rf", "hydra.sweeper.n_trials=40"]),
        (["hydra.sweeper.n_trials=20"], ["hydra.sweeper.n_trials=40"], ["hydra.sweeper.n_trials=40"]),
        (["model=rf", "seed=1"], ["model=ridge"], ["seed=1", "model=ridge"]),
        (["+model.x=1"], ["++model.x=2"], ["++model.x=2"]),
        (["+model.x=1"], ["model.x=2"], ["model.x=2"]),
        (["model.x=1"], ["~model.x"], ["~model.x"]),
        (["~model.search"], [], ["~model.search"]),
        (["model.x=choice(a,b)", "model.xy=1"], ["model.x=c"], ["model.xy=1", "model.x=c"]),
        (["dataset.query='a=b'"], ["dataset.query='c=d'"], ["dataset.query='c=d'"]),
        (["model.x=1"], ["model.x=2", "model.x=3"], ["model.x=2", "model.x=3"]),
    ],
    ids=["more", "instead", "group", "plus", "no plus", "away", "deleted", "longer key", "equals", "repeated"],
)  # fmt: skip
def test_new_overrides_replace_recorded_ones(before: list[str], more: list[str], after: list[str], home: Path) -> None:
    folder = sweep(home / "any", *before, hydra=(), name="mine")
    own = ("hydra.sweeper.study_name='mine'", f"hydra.sweep.dir='{folder}'")
    assert [text for text in resume.make_command(folder, more)[1:] if text not in own] == after


def test_a_new_name_of_the_study_comes_last(home: Path) -> None:
    """It is another sweep, in a folder of its own."""
    folder = sweep(home / "any", "model=rf", hydra=("hydra.sweep.dir=any",), name="mine")
    words = resume.make_command(folder, ["hydra.sweeper.study_name=other"])
    assert words == ["--multirun", "model=rf", "hydra.sweeper.study_name='mine'", "hydra.sweeper.study_name=other"]


@pytest.mark.parametrize("target", [OURS, BASIC], ids=["search", "grid"])
@pytest.mark.parametrize("name", ["plain", "with space", "a,b", "it's (old)", "x=1"])
def test_hydra_reads_every_word_as_an_override(name: str, target: str, home: Path) -> None:
    folder = sweep(home / name / name, "model=rf", target=target)
    words = resume.make_command(folder, [])[1:]
    parsed = OverridesParser.create().parse_overrides(words)
    values = {override.key_or_group: override.value() for override in parsed}
    if target == OURS:
        assert values["hydra.sweeper.study_name"] == f"{name}/{name}"
    else:
        assert values["hydra.sweep.dir"] == str(folder)
        assert not parsed[-1].is_sweep_override()


# The verb


@pytest.mark.usefixtures("home")
def test_the_verb_refuses_an_unknown_sweep() -> None:
    with pytest.raises(ConfigError, match=r"^'nightly' is not a sweep; there is no sweep yet\.$"):
        resume.main(["nightly"])


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        resume.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "finished trials stay, interrupted ones run again with the same parameters" in text
    assert "example: mlrunner resume 2026-11-25/17-43-06-708940 hydra.sweeper.n_trials=40" in text


def test_the_flags_of_the_configuration_are_passed_on(home: Path) -> None:
    folder = sweep(home / "mine", "model=mine")
    file = folder / resume.MULTIRUN
    document = yaml.safe_load(file.read_text())
    sources = [{"path": "/of/main", "provider": "main"}, {"path": "/of/mine", "provider": "command-line"}]
    document["hydra"] |= {"runtime": {"config_sources": sources}, "job": {"config_name": "alt"}}
    file.write_text(yaml.safe_dump(document))
    assert resume.make_command(folder, [])[:7] == ["--multirun", "-cp", "/of/main", "-cd", "/of/mine", "-cn", "alt"]


def test_each_job_resolves_the_interpolations_of_an_override(home: Path) -> None:
    before = ["hydra.sweep.subdir=${hydra.job.num}_x", "tracking.name=seed${seed}"]
    folder = sweep(home / "any", before[1], hydra=(before[0],), target=BASIC)
    assert resume.make_command(folder, [])[1:3] == before
