"""Bad inputs through the front door: exit code 2, the sentences on stderr, nothing on stdout, no store touched.

What a refused run does leave is Hydra's own folder of it, `multirun/DATE/TIME/.hydra`, with what was composed.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import bad_tables
from tests.support.front_door import UNSAVED, CommandResult, front_door, run_program

pytestmark = pytest.mark.slow
# Overrides of dataset=diabetes, and the keys that the sentences begin with.
COMPOSITIONS: dict[str, tuple[str, list[str]]] = {
    "deleted group": ("~model", ["model"]),
    "interpolated seed": ("seed=${nope}", ["seed"]),
    "several mistakes": (
        "+typo=1 +model.estimator.max_dept=3 cleaning.drop=[bmo] seed=x split.test=0.9 dataset.target=progres",
        ["seed=x", "typo", "dataset.target", "cleaning.drop", "split.validation", "model.estimator.max_dept:"],
    ),
}
# Command lines that Hydra cannot compose, and the keys that the sentences begin with.
COMMAND_LINES: dict[str, tuple[str, list[str]]] = {
    "several": ("cleaning=ful model=rfx sed=3", ["cleaning=ful", "model=rfx", "sed"]),
    "null option": ("model=null", ["model=null"]),
    "list without multirun": ("model=rf,ridge", ["model=rf,ridge"]),
    "not an override": ("model=[rf", ["'model=[rf'"]),
}
# Files of tests/support/bad_tables.py, and the key that the sentence begins with.
TABLES = {
    "empty.csv": "dataset.path",
    "image.csv": "dataset.path",
    "latin.csv": "dataset.path",
    "zero.parquet": "dataset.path",
    "one_class.csv": "dataset.target",
    "missing.csv": "dataset.target",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad_tables.write(tmp_path_factory.mktemp("tables"))


# Linux alone takes away what root may do: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, bits 1 and 2 of those in effect.
BOUND = """
import ctypes, sys
from mlrunner.__main__ import main
libc, header, sets = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, sets) == 0
sets[0] &= ~0b110
assert libc.capset(header, sets) == 0
sys.exit(main())
"""
VERBOSE = "import sys; from mlrunner.__main__ import main; sys.exit(main())"


def without_privilege(home: Path, *arguments: str) -> CommandResult:
    """Type a command as a user whom permissions bind, which they do not root."""
    return run_program(home, BOUND, *arguments)


def assert_refused(refused: CommandResult, keys: list[str]) -> None:
    """Check that stderr has one sentence for each key, and nothing else was printed."""
    assert [line.split()[:2] for line in refused.err.splitlines()] == [["mlrunner:", key] for key in keys], refused.err
    assert refused.out == ""
    assert refused.code == 2


def overrides_for(path: Path) -> list[str]:
    """Return the overrides that read a file with the target y."""
    return [f"dataset={'parquet' if path.suffix == '.parquet' else 'csv'}", f"dataset.path={path}", "dataset.target=y"]


def assert_only_hydra(home: Path) -> None:
    """No store and no run; only what Hydra composed."""
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    assert all(path.parts[0] == "multirun" and path.parts[-2] == ".hydra" for path in files), files


@pytest.mark.parametrize("case", COMPOSITIONS)
def test_a_bad_composition_is_refused(case: str, tmp_path: Path) -> None:
    overrides, keys = COMPOSITIONS[case]
    assert_refused(front_door(tmp_path, "dataset=diabetes", "output=json", *overrides.split()), keys)
    assert_only_hydra(tmp_path)


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_a_bad_command_line_is_refused(case: str, tmp_path: Path) -> None:
    overrides, keys = COMMAND_LINES[case]
    assert_refused(front_door(tmp_path, *overrides.split()), keys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TABLES)
def test_an_unusable_file_is_refused(name: str, tables: Path, tmp_path: Path) -> None:
    assert_refused(front_door(tmp_path, *overrides_for(tables / name)), [TABLES[name]])
    assert_only_hydra(tmp_path)


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "locked.csv"
    file.write_text(bad_tables.GOOD)
    file.chmod(0)
    assert_refused(without_privilege(home, *overrides_for(file)), ["dataset.path"])
    assert_only_hydra(home)


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    refused = without_privilege(home, "dataset=diabetes")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert f"{home}/multirun" in refused.err
    assert "MLRUNNER_HOME" in refused.err
    assert list(home.iterdir()) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("mine")
    refused = front_door(home, "dataset=diabetes")
    assert refused.code == 2
    assert refused.err.endswith("(Not a directory); set MLRUNNER_HOME to a folder that you may write.\n")
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


def test_a_disk_without_room_for_the_stores_is_refused_with_all_else(small_disk: Path) -> None:
    refused = front_door(small_disk, "dataset=diabetes", "dataset.target=progres")
    assert refused.code == 2
    target, space = refused.err.splitlines()
    assert target.startswith("mlrunner: dataset.target ")
    assert f"{small_disk}/.mlrunner" in space
    assert_only_hydra(small_disk)


def test_a_full_disk_is_refused_and_what_was_there_stays(small_disk: Path) -> None:
    file_of_the_user = small_disk / "mine"
    with file_of_the_user.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"mine" * 1024):
            pass
    size = file_of_the_user.stat().st_size
    refused = front_door(small_disk, "dataset=diabetes")
    assert refused.code == 2
    assert refused.out == ""
    assert refused.err.startswith("mlrunner: No disk space left while writing ")
    assert refused.err.count("\n") == 1
    assert file_of_the_user.stat().st_size == size


def test_a_refused_run_loses_nothing_and_a_good_one_follows(tables: Path, session_home: Path) -> None:
    good = [*overrides_for(tables / "good.csv"), "model=dummy", *UNSAVED]
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
    refused = run_program(tmp_path, VERBOSE, "-v", "dataset=diabetes", "+typo=1")
    assert "Traceback" in refused.err
    assert "typo is not a key" in refused.err
