"""Bad inputs through the front door: exit code 2, the sentences on stderr, nothing on stdout, no store touched.

What a refused run does leave is Hydra's own folder of it, `multirun/DATE/TIME/.hydra`, with what was composed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import bad_tables
from tests.support.front_door import PROJECT, RUN_SECONDS, UNSAVED, CommandResult, environment, front_door
from tests.unit.composition.test_checks import COMMAND_LINES, COMPOSITIONS, UNFIT, UNREADABLE, of_file

pytestmark = pytest.mark.slow
COMPOSED = ("added key", "absent target", "custom function", "deleted group", "interpolated seed", "one of everything")
TYPED = ("group", "several", "null option", "list without multirun", "not an override")
READ = ("empty.csv", "image.csv", "latin.csv", "zero.parquet")
FIT = ("one class", "all-missing target")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad_tables.write(tmp_path_factory.mktemp("tables"))


def without_privilege(home: Path, *arguments: str) -> CommandResult:
    """Type a command as a user whom permissions bind, which they do not root."""
    bound: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads and writes everything, and there is no setpriv to take that away")
        bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [*bound, sys.executable, "-m", "mlrunner", *arguments]
    env = environment(home)
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=PROJECT, env=env)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def assert_refused(done: CommandResult, expected: list[str]) -> None:
    """These sentences on stderr, a line each, and nothing else."""
    assert done.err.splitlines() == [f"mlrunner: {sentence}" for sentence in expected]
    assert done.out == ""
    assert done.code == 2


def assert_only_hydra(home: Path) -> None:
    """No store and no run; only what Hydra composed."""
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    assert all(path.parts[0] == "multirun" and path.parts[-2] == ".hydra" for path in files), files


@pytest.mark.parametrize("case", COMPOSED)
def test_a_bad_composition_is_refused(case: str, tmp_path: Path) -> None:
    typed, expected = COMPOSITIONS[case]
    assert_refused(front_door(tmp_path, "dataset=diabetes", *typed.split()), expected)
    assert_only_hydra(tmp_path)


@pytest.mark.parametrize("case", TYPED)
def test_a_bad_command_line_is_refused(case: str, tmp_path: Path) -> None:
    typed, expected = COMMAND_LINES[case]
    assert_refused(front_door(tmp_path, *typed.split()), expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", READ)
def test_an_unreadable_file_is_refused(name: str, tables: Path, tmp_path: Path) -> None:
    expected, more = UNREADABLE[name]
    done = front_door(tmp_path, *of_file(tables / name, more))
    assert_refused(done, [f"dataset.path names '{tables / name}', which {expected}"])
    assert_only_hydra(tmp_path)


@pytest.mark.parametrize("case", FIT)
def test_an_unfit_table_is_refused(case: str, tables: Path, tmp_path: Path) -> None:
    name, more, expected = UNFIT[case]
    assert_refused(front_door(tmp_path, *of_file(tables / name, more)), expected)
    assert_only_hydra(tmp_path)


def test_json_output_keeps_stdout_empty_too(tmp_path: Path) -> None:
    typed, expected = COMPOSITIONS["absent dropped"]
    assert_refused(front_door(tmp_path, "dataset=diabetes", "output=json", *typed.split()), expected)


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "locked.csv"
    file.write_text(bad_tables.GOOD)
    file.chmod(0)
    said = "which you have no permission to read; change that (chmod +r) or name another file."
    assert_refused(without_privilege(home, *of_file(file, "")), [f"dataset.path names '{file}', {said}"])
    assert_only_hydra(home)


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    said = f"Cannot write {home}/multirun (Permission denied); set MLRUNNER_HOME to a folder that you may write."
    assert_refused(without_privilege(home, "dataset=diabetes"), [said])
    assert list(home.iterdir()) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("mine")
    done = front_door(home, "dataset=diabetes")
    assert done.code == 2
    assert done.err.endswith("(Not a directory); set MLRUNNER_HOME to a folder that you may write.\n")
    assert home.read_text() == "mine"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root, and a container that lets it")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def no_space(disk: Path) -> str:
    """What is said of a disk with less room than the stores need."""
    return (
        f"No disk space for the stores: 0 MB are free at {disk}/.mlrunner, 50 MB are needed; free some, or set "
        "MLRUNNER_HOME to a folder on another disk."
    )


def test_a_disk_without_room_for_the_stores_is_refused_with_all_else(small_disk: Path) -> None:
    typed, expected = COMPOSITIONS["absent target"]
    done = front_door(small_disk, "dataset=diabetes", *typed.split())
    assert_refused(done, [*expected, no_space(small_disk)])
    assert_only_hydra(small_disk)


def test_a_full_disk_is_refused_and_what_was_there_stays(small_disk: Path) -> None:
    kept = small_disk / "kept"
    with kept.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"mine" * 1024):
            pass
    size = kept.stat().st_size
    done = front_door(small_disk, "dataset=diabetes")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("mlrunner: No disk space left while writing ")
    assert done.err.count("\n") == 1
    assert kept.stat().st_size == size


def test_a_refused_run_loses_nothing_and_a_good_one_follows(tables: Path, session_home: Path) -> None:
    good = [*of_file(tables / "good.csv", "model=dummy"), *UNSAVED]
    first = front_door(session_home, *good, "output=json")
    assert first.code == 0, first.err
    stores = {path: path.read_bytes() for path in session_home.rglob("*.db")}
    for bad in ("+typo=1", "modle=rf", "dataset.target=z", "seed="):
        assert front_door(session_home, *good, bad).code == 2
    assert {path: path.read_bytes() for path in session_home.rglob("*.db")} == stores != {}
    again = front_door(session_home, *good, "output=json")
    assert again.code == 0, again.err
    assert again.json["metrics"] == first.json["metrics"]


def test_verbose_shows_where(tmp_path: Path) -> None:
    done = front_door(tmp_path, "-v", "dataset=diabetes", "+typo=1")
    assert "Traceback" in done.err
    assert "typo is not a key" in done.err


def test_one_bad_composition_does_not_stop_a_grid(tmp_path: Path) -> None:
    done = front_door(tmp_path, "--multirun", "dataset=diabetes", "model=dummy,logistic_regression", *UNSAVED)
    assert done.code == 1
    assert "model=logistic_regression does not do regression" in done.out + done.err
    assert "Traceback" not in done.out + done.err
