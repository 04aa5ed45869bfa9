"""What a prune prints."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.history.pruning.images import Leftover
from mlrunner.history.pruning.output import document, print_plan, print_result, summary
from mlrunner.history.pruning.plan import Item, Plan
from mlrunner.tracking.records.record import PRUNING_TAG, Record
from tests.support.records import make_id, make_run, make_sweep


def plan_of(*records: Record, bytes: int = 1_500_000) -> Plan:
    return Plan([Item(record, bytes=bytes) for record in records])


def test_summary() -> None:
    assert summary(plan_of(make_run("a"))) == "1 run, 1.5 MB"
    assert summary(plan_of(*make_sweep("s", make_run("a"), make_run("b")))) == "2 runs, 1 sweep, 4.5 MB"
    assert summary(Plan([], cache={Path("/x"): 5000})) == "1 unused cache entry, 5.0 kB"
    assert summary(Plan([], cache={Path("/x"): 5000, Path("/y"): 5000})) == "2 unused cache entries, 10.0 kB"


def test_images_and_containers(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan([], leftovers=[Leftover("quiet_fox", False), Leftover("mlrunner-steps:1", True, 1_300_000_000)])
    print_plan(plan)
    assert capsys.readouterr().out.splitlines() == [
        "  0 bytes container quiet_fox",
        "   1.3 GB image mlrunner-steps:1",
        "1 unused image, 1 container, 1.3 GB would be removed; remove with --yes.",
    ]
    content = json.loads(json.dumps(document(plan)))
    assert content["images"] == [{"name": "mlrunner-steps:1", "bytes": 1_300_000_000}]
    assert content["containers"] == ["quiet_fox"]


def test_kept_runs_are_grouped_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = [*["is running"] * 5, "serves as x v1"]
    exclusions = [(make_run(name), reason) for name, reason in zip("abcdef", reasons, strict=True)]
    print_plan(Plan([], exclusions, is_cache_busy=True))
    names = "a0000000, b0000000, c0000000 and 2 more, each of which is running; f0000000 serves as x v1"
    cache = "the cache stays while a sweep is running"
    assert capsys.readouterr().out == f"Nothing would be removed; 6 stay: {names}; {cache}.\n"


def test_result(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(plan_of(make_run("a"), bytes=3000), ["it is stuck."], for_good=False)
    printed = capsys.readouterr()
    assert printed.out.startswith("Removed 1 run, 3.0 kB.\nThe MLflow server only marks them as deleted")
    assert printed.err == "mlrunner: it is stuck.\n"
    print_result(Plan([]), [], for_good=True)
    assert capsys.readouterr().out == "Nothing was removed.\n"


def test_table_has_a_line_for_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run("a", score=0.25, tags={PRUNING_TAG: "begun"})
    print_plan(plan_of(replace(run, name="model=rf", metrics={**run.metrics, "r2": 0.75})))
    head, line, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "differs", "when", "objective", "test", "status", "size"]
    assert re.fullmatch(r"a0{7}  model=rf +2\S+ \S+ +r2 0\.75 +0\.25 +partly removed +1\.5 MB *", line)


def test_each_cache_entry_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(Plan([], cache={Path(f"/{number}[b]"): 5000 for number in range(42)}))
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[0], lines[39]) == (42, "   5.0 kB /0[b]", "   5.0 kB /39[b]")
    assert lines[40] == "… and 2 more; --json lists all."


def test_document() -> None:
    content = json.loads(json.dumps(document(plan_of(make_run("a", score=0.5)))))
    assert (content["dry_run"], content["bytes"], content["sweeps"], content["stay"]) == (True, 1_500_000, 0, [])
    (run,) = content["runs"]
    assert (run["run_id"], run["score"], run["status"]) == (make_id("a"), 0.5, "FINISHED")
