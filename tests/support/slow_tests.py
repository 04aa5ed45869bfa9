"""The tests that `make test-fast` leaves out because they take long: `tests/slow_tests.txt`, a name a line.

A name is a folder, a file or a test function with all its parameters. `make slow-tests` adds what took long in the fast
loop and drops what no longer exists. The first test that needs a shared set-up is charged with it, so run the target
again until it adds nothing.
"""

from __future__ import annotations

import functools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

PROJECT = Path(__file__).parents[2]
LIST = PROJECT / "tests" / "slow_tests.txt"
SLOW_SECONDS = 0.1  # mean over the parameters of a function


@functools.cache
def read_slow_tests() -> frozenset[str]:
    """Return the names in the list."""
    return frozenset(LIST.read_text().split())


def is_slow(path: Path, test: str = "") -> bool:
    """Check whether the list holds a test (by its ID in pytest), its file or one of its folders."""
    names = {test.partition("[")[0], *(each.as_posix() for each in (path, *path.parents))}
    return not read_slow_tests().isdisjoint(name.removeprefix(f"{PROJECT.as_posix()}/") for name in names)


def read_seconds(report: Path) -> dict[str, list[float]]:
    """Return the durations of each test function in a report of `pytest --junitxml`."""
    seconds = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):
        parts = case.attrib["classname"].split(".")
        depth = next(end for end in range(len(parts), 0, -1) if Path(PROJECT, *parts[:end]).with_suffix(".py").exists())
        name = "::".join(["/".join(parts[:depth]) + ".py", *parts[depth:], case.attrib["name"].partition("[")[0]])
        seconds[name].append(float(case.attrib["time"]))
    return seconds


def read_functions(file: str) -> list[str]:
    """Return the names of the test functions of a file; none when it is not there."""
    path = PROJECT / file
    return re.findall(r"def (test_\w+)\(", path.read_text()) if path.is_file() else []


def update(names: Iterable[str], seconds: dict[str, list[float]]) -> list[str]:
    """Return the list with the slow functions of a report; a file whose functions are all slow is one name."""
    slow = {name for name, each in seconds.items() if sum(each) / len(each) >= SLOW_SECONDS}.union(names)
    by_file = defaultdict(list)
    for name in slow:
        file, _, function = name.partition("::")
        if function.rpartition("::")[2] in read_functions(file):
            by_file[file].append(name)
    whole = {name for name in slow if "::" not in name and (PROJECT / name).exists()}
    whole |= {file for file, listed in by_file.items() if len(listed) == len(read_functions(file))}
    return sorted(whole.union(name for file, listed in by_file.items() if file not in whole for name in listed))


if __name__ == "__main__":
    before = read_slow_tests()
    after = update(before, read_seconds(Path(sys.argv[1])))
    LIST.write_text("\n".join(after) + "\n")
    print(f"{LIST.relative_to(PROJECT)}: {len({*after} - before)} added, {len(before - {*after})} dropped")
