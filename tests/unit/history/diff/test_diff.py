"""Comparisons by structure, of made-up sides; real runs are compared in `apps/test_diff.py`."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.core.overrides import shell
from mlrunner.evaluation import uncertainty
from mlrunner.groups.dataset.profile import profile
from mlrunner.history.diff import Comparison, compare, documents, provenance, scores, terminal_output
from mlrunner.history.diff.closing_lines import ending
from mlrunner.history.diff.overrides import Line
from mlrunner.history.diff.sections import sections, shown
from mlrunner.history.diff.sides import Side, _search, of_composition, of_file
from mlrunner.history.diff.structure import ABSENT, Change, changes, elements, same
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.snapshot import Frozen, Surroundings


def record(run_id: str = "a" * 32, **tags: str) -> Record:
    told = {"mlrunner.data_hash": "d", **{f"mlrunner.{key}": value for key, value in tags.items()}}
    return Record(run_id, "name", "FINISHED", 0, 1000, "mlrunner", "/nowhere", {"dataset.target": "y"}, {}, told)


def side(
    config: dict[str, Any] | None = None,
    metrics: dict[str, float] | None = None,
    stood_on: Surroundings | None = None,
    **more: Any,
) -> Side:
    frozen = Frozen({"objective": {"metric": "r2"}, **(config or {})})
    return Side("label", "name", frozen, metrics or {}, surroundings=stood_on, **more)


class TestStructure:
    @pytest.mark.parametrize(
        ("one", "other", "found"),
        [
            ({"a": 1}, {"a": 1}, []),
            ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
            ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
            ({"a": 1}, {"a": True}, [("a", 1, True)]),
            ({"a": None}, {}, [("a", None, ABSENT)]),
            ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
            ({"a": {"b": 1}}, {"a": {"new": {"x": 1, "y": 2}, "b": 1}}, [("a.new", ABSENT, {"x": 1, "y": 2})]),
            ({"a": {"b": 1}}, {"a": 3}, [("a", {"b": 1}, 3)]),
            ({"a": [1, 2]}, {"a": [1, 2, 3]}, [("a", [1, 2], [1, 2, 3])]),
            ({"a": float("nan")}, {"a": float("nan")}, []),
            ({1: "x"}, {"1": "x"}, []),
            ({}, {}, []),
        ],
    )
    def test_only_what_differs_is_found(self, one: Any, other: Any, found: list[tuple[Any, ...]]) -> None:
        assert [(change.key, *change.values) for change in changes((one, other))] == found

    def test_an_inserted_key_is_one_line_and_moves_nothing(self) -> None:
        one = {"model": {f"k{number}": number for number in range(50)}}
        other = {"model": {"inserted": {"deep": {"x": 1}}, **one["model"]}}
        assert [change.key for change in changes((one, other))] == ["model.inserted"]

    def test_groups_come_in_their_order_and_other_keys_after_them(self) -> None:
        one = {"seed": 0, "model": 1, "dataset": 1, "mine": 1}
        other = {"seed": 1, "model": 2, "dataset": 2, "mine": 2}
        assert [change.key for change in changes((one, other))] == ["dataset", "model", "seed", "mine"]

    def test_three_sides_are_compared_at_once(self) -> None:
        found = list(changes(({"a": 1}, {"a": 1}, {"a": 2})))
        assert [change.values for change in found] == [(1, 1, 2)]

    @pytest.mark.parametrize(
        ("values", "kind"),
        [((ABSENT, 1), "added"), ((1, ABSENT), "removed"), ((1, 2), "changed"), ((1, None), "changed")],
    )
    def test_the_kind_is_seen_from_the_first_side(self, values: tuple[Any, ...], kind: str) -> None:
        assert Change("a", values).kind == kind

    @pytest.mark.parametrize(
        ("one", "other", "gone", "come"),
        [
            ([1, 2, 3], [1, 3], [2], []),
            (["a"], ["b", "a"], [], ["b"]),
            ([{"x": 1}, 2], [{"x": 2}, 2], [{"x": 1}], [{"x": 2}]),
            ([], [1], [], [1]),
        ],
    )
    def test_lists_are_compared_element_by_element(
        self, one: list[Any], other: list[Any], gone: list[Any], come: list[Any]
    ) -> None:
        assert elements(one, other) == (gone, come)

    def test_equal_dictionaries_are_the_same_in_any_order(self) -> None:
        assert same({"a": [1, {"b": 2}], "c": 3}, {"c": 3, "a": [1, {"b": 2}]})


class TestScores:
    def test_the_direction_is_that_of_the_metric(self) -> None:
        one, other = side(metrics={"test/r2": 0.5, "test/rmse": 1.0}), side(metrics={"test/r2": 0.6, "test/rmse": 1.1})
        found = {score.name: score.verdicts for score in scores.scores((one, other))}
        assert found == {"test/r2": ("better?",), "test/rmse": ("worse?",)}

    def test_the_objective_comes_first_and_costs_last(self) -> None:
        metrics = {"fit_seconds": 1.0, "test/mae": 1.0, "test/r2": 0.5, "validation/r2": 0.4, "r2": 0.4}
        found = [score.name for score in scores.scores((side(metrics=metrics), side(metrics=metrics)))]
        assert found == ["validation/r2", "test/r2", "test/mae", "fit_seconds"]

    def test_a_metric_of_one_side_only_has_no_difference(self) -> None:
        found = scores.scores((side(metrics={"test/r2": 0.5}), side(metrics={"test/roc_auc": 0.5})))
        assert [score.differences for score in found] == [(None,), (None,)]

    def test_within_two_standard_errors_it_is_noise(self) -> None:
        def scored(value: float, shift: float) -> Side:
            drawn = uncertainty.Replicates("rows", 1.0, {"r2": [value + shift * (number % 3) for number in range(20)]})
            return side(metrics={"test/r2": value}, replicates={"test": drawn}, record=record())

        found = scores.scores((scored(0.5, 0.0), scored(0.51, 0.01)))[0]
        assert found.verdicts == ("within noise",)
        assert scores.scores((scored(0.5, 0.0), scored(0.9, 0.01)))[0].verdicts == ("better",)

    def test_other_rows_are_not_compared_group_by_group(self) -> None:
        drawn = uncertainty.Replicates("rows", 1.0, {"r2": [0.5 + 0.01 * (number % 5) for number in range(20)]})
        others = uncertainty.Replicates("other rows", 1.0, drawn.metrics)
        here = side(metrics={"test/r2": 0.5}, replicates={"test": drawn}, record=record())
        there = side(metrics={"test/r2": 0.6}, replicates={"test": others}, record=record())
        assert scores.scores((here, here))[0].noise == (0.0,)
        assert (scores.scores((here, there))[0].noise[0] or 0) > 0

    def test_scores_of_other_data_are_neither_better_nor_worse(self) -> None:
        here = side(metrics={"test/r2": 0.5}, record=record())
        there = side(metrics={"test/r2": 0.6}, record=record(data_hash="other"))
        assert scores.scores((here, there))[0].verdicts == ("other data",)

    @pytest.mark.parametrize(("rows", "verdict"), [(2, "better?"), (3, "other data"), (None, "better?")])
    def test_fewer_rows_of_one_file_are_other_data(self, rows: int | None, verdict: str) -> None:
        here, there = (
            side(metrics={"test/r2": score}, record=record(), stood_on=Surroundings(data={"rows": count}))
            for score, count in ((0.5, 2), (0.6, rows))
        )
        assert scores.scores((here, there))[0].verdicts == (verdict,)

    def test_the_deviation_over_folds_tells_the_noise_of_trials(self) -> None:
        def trial(value: float) -> Side:
            return side({"split": {"folds": 5}}, {"cv/r2": value, "cv/r2_std": 0.1})

        found = scores.scores((trial(0.5), trial(0.55)))[0]
        assert found.noise == (pytest.approx(2.78 * (2 * 0.1**2 * 5 / 4 * (1 / 5 + 1 / 4)) ** 0.5),)
        assert found.verdicts == ("within noise",)

    def test_seconds_that_differ_by_a_little_are_noise(self) -> None:
        one, other, third, fourth = (side(metrics={"fit_seconds": value}) for value in (1.0, 1.1, 2.0, 1.05))
        assert scores.scores((one, other, third, fourth))[0].verdicts == (
            "within noise",
            "worse",
            "within noise",
        )

    def test_the_time_of_other_data_is_neither_better_nor_worse(self) -> None:
        here = side(metrics={"fit_seconds": 5.0}, record=record())
        there = side(metrics={"fit_seconds": 0.5}, record=record(data_hash="other"))
        assert scores.scores((here, there))[0].verdicts == ("other data",)

    def test_training_rows_have_no_verdict(self) -> None:
        found = scores.scores((side(metrics={"train/r2": 0.5}), side(metrics={"train/r2": 0.75})))[0]
        assert (found.differences, found.noise, found.verdicts) == ((0.25,), (None,), (None,))

    def test_scores_of_other_targets_have_no_difference_and_seconds_have(self) -> None:
        metrics = {"test/r2": 0.5, "train/r2": 0.5, "fit_seconds": 1.0}
        there = replace(record(), params={"dataset.target": "z"})
        found = scores.scores((side(metrics=metrics, record=record()), side(metrics=metrics, record=there)))
        assert [score.differences for score in found] == [(None,), (None,), (0.0,)]
        assert {score.verdicts for score in found} == {("other data",)}

    def test_what_is_no_number_has_no_verdict(self) -> None:
        found = scores.scores((side(metrics={"test/r2": float("nan")}), side(metrics={"test/r2": 0.5})))[0]
        assert (found.differences, found.verdicts) == ((None,), (None,))


class TestGrounds:
    def profiled(self, **columns: Any) -> Side:
        import pandas as pd

        table = pd.DataFrame(columns)
        told = {"fingerprint": str(hash(table.to_csv())), "target": "y", **profile(table)}
        return side(stood_on=Surroundings(data=told), record=record(data_hash=told["fingerprint"]))

    def test_columns_and_types_are_compared(self) -> None:
        here, there = self.profiled(x=[1, 2], gone=[1, 2]), self.profiled(x=[1.5, 2.0], rows=["a", "b"])
        found = {change.key: change.values for change in provenance.data((here, there))}
        assert found["data.columns.x"] == ("int64", "float64")
        assert found["data.columns.gone"] == ("int64", ABSENT)
        assert found["data.columns.rows"][0] is ABSENT
        assert "data.fingerprint" in found

    def test_code_is_compared_by_commit_dirty_file_and_source(self) -> None:
        diff = "diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n-old\n+new\n+more\n"
        here = side(stood_on=Surroundings(commit="a" * 40, branch="main", sources={"mine": "1"}))
        there = side(stood_on=Surroundings(commit="b" * 40, branch="main", dirty=diff, sources={"mine": "2"}))
        found = {change.key: change.values for change in provenance.code((here, there))}
        assert found["code.commit"] == ("a" * 10, "b" * 10)
        assert found["code.files.mine"] == ("1", "2")
        assert str(found["code.dirty.m.py"][1]).startswith("+2 -1 (")

    def test_a_changed_line_that_speaks_of_a_diff_is_no_file(self) -> None:
        diff = 'diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n+split("diff --git ")\n+more\n'
        sides = side(stood_on=Surroundings(commit="a")), side(stood_on=Surroundings(commit="a", dirty=diff))
        ((key, (_, told)),) = ((change.key, change.values) for change in provenance.code(sides))
        assert (key, told[:5]) == ("code.dirty.m.py", "+2 -0")

    def test_what_decides_no_result_is_shown_and_makes_no_difference(self) -> None:
        here = side(stood_on=Surroundings(commit="a", branch="main", sources={"mine": "1"}))
        there = side(stood_on=Surroundings(commit="a", branch="other", sources={"mine": "1"}, untracked=("notes.txt",)))
        found = compare((here, there))
        assert [change.key for change in found.code] == ["code.branch", "code.untracked"]
        assert found.is_same

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ({"gate": {"min": 1}}, {"gate": {"min": 2}}, True),
            ({"threads": 1}, {"threads": 2}, True),
            ({"model": {"search": {"a": 1}}}, {"model": {"search": {"a": 2}}}, True),
            ({"model": {"searching": 1}}, {"model": {"searching": 2}}, False),
            ({"seed": 1}, {"seed": 2}, False),
        ],
    )
    def test_only_what_a_run_is_makes_it_another(self, one: Any, other: Any, is_same: bool) -> None:
        assert compare((side(one), side(other))).is_same is is_same

    @pytest.mark.parametrize(
        ("group", "is_same"),
        [
            ("gate", True),
            ("stack", True),
            ("part@deployer.x", True),
            ("sweep", True),
            ("experiment", True),
            ("model", False),
        ],
    )
    def test_the_choices_of_what_comes_after_a_run_make_no_other_run(self, group: str, is_same: bool) -> None:
        sides = [Side("label", "name", Frozen({}, choices={group: option})) for option in "ab"]
        assert compare(sides).is_same is is_same

    def test_packages_are_compared_with_what_is_not_installed(self) -> None:
        here = side(stood_on=Surroundings(python="3.11.1", packages={"pandas": "3.0", "old": "1"}))
        there = side(stood_on=Surroundings(python="3.11.1", packages={"pandas": "3.1", "new": "1"}))
        found = {change.key: change.values for change in provenance.environment((here, there))}
        assert found == {
            "pandas": ("3.0", "3.1"),
            "old": ("1", "not installed"),
            "new": ("not installed", "1"),
        }


@pytest.fixture
def found() -> Comparison:
    one = side({"model": {"depth": 3, "drop": ["a", "b"]}, "note": "x | <y>"}, {"test/r2": 0.5})
    other = side({"model": {"depth": 4, "drop": ["b", "c"]}, "added": {"deep": 1}, "note": "z"}, {"test/r2": 0.75})
    return compare((one, other))


class TestRendering:
    def test_sections_come_in_the_order_of_questions(self, found: Comparison) -> None:
        assert [section.title for section in sections(found)] == ["values", "scores"]

    def test_a_list_is_shown_by_element(self, found: Comparison) -> None:
        rows = {cells[0]: cells[1:] for cells, _ in sections(found)[0].rows}
        assert rows["model.drop"] == ('["a", "b"]', "-a +c")
        assert rows["added"] == ("-", '{"deep": 1}')

    @pytest.mark.parametrize(
        ("one", "other", "cells"),
        [
            (1, "1", ("1", '"1"')),
            (None, "null", ("null", '"null"')),
            ("x" * 70 + "A", "x" * 70 + "B", ("…" + "x" * 15 + 'A"', "…" + "x" * 15 + 'B"')),
            ("a b", "a\nb", ('"a b"', '"a\\nb"')),
            ([{"name": "n" * 70, "k": 1}, 2], [{"name": "n" * 70, "k": 5}, 2], ("[{", "k 1 → 5")),
            ([1, 2, 3], [3, 1, 2], ("[1, 2, 3]", "in another order: [3, 1, 2]")),
            (["1"], [1], ('["1"]', '-"1" +1')),
        ],
    )
    def test_what_differs_looks_different(self, one: Any, other: Any, cells: tuple[str, str]) -> None:
        (((_, *found), _),) = sections(compare((side({"a": one}), side({"a": other}))))[0].rows
        assert found[0].startswith(cells[0])
        assert found[1] == cells[1]

    def test_the_noise_is_explained_where_it_is_shown(self) -> None:
        drawn = uncertainty.Replicates("rows", 1.0, {"r2": [0.5 + 0.01 * (number % 5) for number in range(20)]})
        told = {"metrics": {"test/r2": 0.5, "validation/r2": 0.5}, "replicates": {"test": drawn}}
        (table,) = sections(
            compare((side(**told), side(**{**told, "metrics": {"test/r2": 0.6, "validation/r2": 0.6}}))), True
        )
        assert "± noise: what other rows" in str(table.note)
        assert "?: noise not known" in str(table.note)

    def test_a_command_is_one_line_to_copy_however_narrow_the_terminal_is(self, found: Comparison) -> None:
        line = Line((), tuple(f"model.estimator.key_{number}=1" for number in range(9)))
        out = Console(record=True, width=40, color_system=None)
        terminal_output.show(replace(found, lines=(line,)), out)
        assert f"  mlrunner {' '.join(line.command)}" in out.export_text().splitlines()

    @pytest.mark.parametrize(
        ("word", "told"),
        [
            ("seed=1", "seed=1"),
            ("dataset.path='my table.csv'", "\"dataset.path='my table.csv'\""),
            ("a='$x'", None),
            ("a='!x'", None),
            ("a='\\'", None),
            ("a='\"'", None),
            ("a=[1]", None),
        ],
    )
    def test_words_are_quoted_as_a_person_would_and_a_shell_reads_them(self, word: str, told: str | None) -> None:
        assert shell([word]) == (told if told is not None else shlex.quote(word))
        assert (
            subprocess.run(["bash", "-c", f"printf %s {shell([word])}"], capture_output=True, text=True).stdout == word
        )

    def test_the_terminal_shows_signs_differences_and_verdicts(self, found: Comparison) -> None:
        out = Console(record=True, width=160, color_system=None)
        terminal_output.show(found, out)
        told = out.export_text()
        assert "~ model.depth" in told
        assert "+ added" in told
        assert "+0.25" in told
        assert "better?" in told

    def test_markdown_escapes_what_would_break_its_tables(self, found: Comparison) -> None:
        told = documents.as_markdown(found)
        assert "x \\| &lt;y>" in told
        assert all(line.count("|") - line.count("\\|") == 4 for line in told.splitlines() if line.startswith("|  note"))

    def test_markdown_keeps_the_marks_of_names_and_values(self) -> None:
        both = compare((side({"max_depth": 1, "_target_": "*a*"}), side({"max_depth": 2, "_target_": "`b`"})))
        told = documents.as_markdown(both)
        assert "| ~ max_depth | 1 | 2 |" in told
        assert r"| ~ \_target\_ | \*a\* | \`b\` |" in told

    def test_each_verdict_of_several_sides_is_coloured(self) -> None:
        found = compare([side(metrics={"fit_seconds": seconds}) for seconds in (2.0, 1.0, 3.0)])
        told = documents.as_html(found)
        assert '<td class="better">better</td>' in told
        assert '<td class="worse">worse</td>' in told
        out = Console(record=True, width=120, force_terminal=True)
        terminal_output.show(found, out)
        assert "\x1b[32mbetter" in out.export_text(styles=True)

    def test_a_page_escapes_markup_and_fetches_nothing(self, found: Comparison) -> None:
        told = documents.as_page(found)
        assert "x | &lt;y&gt;" in told
        assert "http" not in told
        assert told.startswith("<!doctype html>")

    def test_json_has_everything_in_full_and_tells_null_from_absent(self) -> None:
        both = compare((side({"a": None}), side({"b": float("inf")})))
        told = json.loads(documents.as_json(both))
        values = {change["key"]: change["values"] for change in told["values"]}
        assert values == {"a": [{"value": None}, {}], "b": [{}, {"value": None}]}
        assert told["same"] is False

    def test_what_follows_is_counted_where_nothing_else_differs(self) -> None:
        change = Change("model.depth", (1, 2), follows="model")
        out = Console(record=True, width=60, color_system=None)
        terminal_output.show(replace(compare((side(), side())), values=(change,)), out)
        assert "values\n  1 follow from model (--all)\n" in out.export_text()

    @pytest.mark.parametrize("width", [80, 120, 200])
    def test_every_side_fits_the_terminal(self, width: int) -> None:
        """Scores of several sides are laid out one below the other where they would be broken."""
        metrics = {f"test/{name}": 0.123456 for name in ("r2", "median_absolute_error")}
        letters = "abcd"
        found = compare([side({"model": {"key" * 9: f"/long/{name}" * 9}}, metrics) for name in letters])
        out = Console(record=True, width=width, color_system=None)
        terminal_output.show(found, out)
        told = out.export_text()
        assert all(len(line.rstrip()) <= width for line in told.splitlines())
        assert [name for name in "BCD" if f"{name} - A" in " ".join(told.split())] == list("BCD")
        assert all(f"{name}" in told.partition("values")[2].partition("scores")[0] for name in "ABCD")

    def test_a_table_as_wide_as_the_terminal_is_not_broken(self) -> None:
        found = compare([side(metrics={"test/median_absolute_error": value}) for value in (0.7344, 0.7049)])
        wide, exact = (Console(record=True, width=width, color_system=None) for width in (200, 71))
        for out in (wide, exact):
            terminal_output.show(found, out)
        told = [[line.rstrip() for line in out.export_text().splitlines()] for out in (wide, exact)]
        assert max(map(len, told[0])) == 71
        assert told[0] == told[1]

    @pytest.mark.parametrize("width", [30, 60, 70])
    def test_beside_scores_the_name_alone_is_broken(self, width: int) -> None:
        found = compare([side(metrics={"test/median_absolute_error": value}) for value in (0.7344, 0.7049)])
        out = Console(record=True, width=width, color_system=None)
        terminal_output.show(found, out)
        lines = out.export_text().partition("scores")[2].splitlines()
        (scored,) = [line.split() for line in lines if "0.7344" in line]
        assert scored[1:] == ["0.7344", "0.7049", "-0.0295", "-", "better?"]
        end = next(place for place, line in enumerate(lines) if "noise not known" in line)
        begin = [line.split()[0] for line in lines[2:end]]
        assert "".join(begin) == "test/median_absolute_error"
        assert all(part[-1] in "/_" for part in begin[:-1])
        assert max(map(len, lines[:end])) <= max(width, 60)

    def test_tables_one_below_the_other_are_apart(self) -> None:
        found = compare([side(metrics={"test/r2": value}) for value in (0.5, 0.6, 0.7)])
        out = Console(record=True, width=60, color_system=None)
        terminal_output.show(found, out)
        lines = [line.rstrip() for line in out.export_text().splitlines()]
        (second,) = [place for place, line in enumerate(lines) if "C - A" in line]
        assert lines[second - 1] == ""
        assert "0.6" in lines[second - 2]

    def test_a_comparison_is_its_text_and_short_where_it_is_named(
        self, found: Comparison, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        out = Console(record=True, width=240, color_system=None)
        terminal_output.show(found, out)
        assert str(found) == "\n".join(line.rstrip() for line in out.export_text().splitlines())
        assert repr(found) == "<Comparison of name and name>"

    def test_equal_sides_say_so(self) -> None:
        same_sides = compare((side({"a": 1}), side({"a": 1})))
        out = Console(record=True, width=100)
        terminal_output.show(same_sides, out)
        assert same_sides.is_same
        for told in (out.export_text(), documents.as_markdown(same_sides), documents.as_html(same_sides)):
            assert "Nothing differs that decides a result." in told

    @pytest.mark.parametrize(("known", "command"), [((), "-cd '/its own' model=mine"), (("/its own",), "model=mine")])
    def test_a_line_brings_the_folders_that_the_first_side_has_not(self, known: tuple[str, ...], command: str) -> None:
        sides = (Side("a", "a", Frozen({}, sources=known)), Side("b", "b", Frozen({})))
        line = Line(("model=mine",), ("model=mine", "seed=1"), ("x",), ("x", "y"), ("/its own",))
        told = dict(ending(replace(compare(sides), lines=(line,))))
        assert told == {
            "A becomes B with": command,
            "and no override of today's files sets, for A to be B exactly": "x, y",
            "B is": "mlrunner -cd '/its own' model=mine seed=1",
            "and no override of today's files sets, to be B exactly": "x",
        }

    @pytest.mark.parametrize(
        ("value", "text"), [(ABSENT, "-"), (None, "null"), ("", '""'), ("a\n b", "a b"), ("x" * 99, "x" * 59 + "…")]
    )
    def test_a_value_is_one_short_line(self, value: Any, text: str) -> None:
        assert shown(value) == text


class TestCompositions:
    @pytest.mark.parametrize(
        "words", [["-cd", "{}"], ["--config-dir", "{}"], ["--config-dir={}"], ["-cd={}"], ["seed=1", "-cd", "{}"]]
    )
    def test_a_folder_of_configuration_is_named_as_hydra_takes_it(self, words: list[str], tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "mine.yaml").write_text("defaults: [ridge]\nname: mine\n")
        found = of_composition([*[word.format(tmp_path) for word in words], "model=mine"]).frozen
        assert (found.config["model"]["name"], found.sources) == ("mine", (str(tmp_path),))

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["-cd"], "-cd names nothing, which is no folder"),
            (["--config-dir="], "--config-dir names nothing, which is no folder"),
            (
                ["-cd", "/not/there", "seed=1"],
                "-cd names /not/there, which is no folder; name one of configuration files",
            ),
        ],
    )
    def test_a_folder_that_is_not_there_is_refused(self, words: list[str], told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            of_composition(words)

    def test_wrong_overrides_are_all_told_each_with_the_nearest_right_one(self) -> None:
        with pytest.raises(ProblemsError) as told:
            of_composition(["modle=rf", "model=rff", "seed=1,2"])
        option, key, values = sorted(told.value.problems)
        assert values == "seed=1,2 holds several values, which only a grid takes; name one of them."
        assert "modle is not a key" in key
        assert "Did you mean 'model'?" in key
        assert "model=rff is not an option" in option
        assert "Did you mean 'rf'?" in option


@pytest.mark.parametrize(("raw", "follows"), [("${seed}", "seed"), ("${by.${seed}}", "seed"), ("${oc.env:X}", None)])
def test_a_value_follows_from_the_key_that_it_refers_to_and_is_shown_where_there_is_none(
    raw: str, follows: str | None
) -> None:
    sides = [
        Side("a", "a", Frozen({"seed": seed, "x": seed}, {"seed": seed, "x": raw}, choices={"model": "rf"}))
        for seed in (1, 2)
    ]
    found = {change.key: change.follows for change in compare(sides).values}
    assert found == {"seed": None, "x": follows}


def test_a_secret_of_a_composition_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the environment here, and a run's record has none to compare it with."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter1@host/db")
    monkeypatch.setenv("SECRET", "hunter2")
    typed = ["dataset=sql", "dataset.url='${oc.env:DATABASE_URL}'", "+stack.password='${oc.env:SECRET}'"]
    found = compare([of_composition([]), of_composition(typed)])
    for told in (documents.as_html(found, True), documents.as_json(found), documents.as_markdown(found, True)):
        assert "hunter" not in told
        assert "***" in told.replace("\\*", "*")
    (line,) = found.lines
    assert line is not None
    assert line.is_exact


def test_a_secret_that_was_typed_is_in_no_command() -> None:
    found = compare([of_composition([]), of_composition(["+dataset.options.password=hunter2"])])
    for told in (documents.as_html(found, True), documents.as_json(found), documents.as_markdown(found, True)):
        assert "hunter2" not in told


def test_a_search_is_told_with_its_sampler_its_goal_and_its_space() -> None:
    params = {"study": "s", "sampler._target_": "optuna.samplers.TPESampler", "goal.r2": "maximize", "space/x": "1,2"}
    sweep = replace(record(sweep_id="day/time"), params=params)
    assert _search(sweep, Mock(statuses=lambda sweeps: {sweeps[0]: {"FINISHED": 2}})) == {
        "sampler": {"_target_": "optuna.samplers.TPESampler"},
        "goal": {"r2": "maximize"},
        "space": {"x": "1,2"},
        "runs": {"FINISHED": 2},
    }


def test_each_side_is_composed_with_its_own_folder(tmp_path: Path) -> None:
    """An option of the same name stands in both folders, as in two versions of one."""
    for name, alpha in (("one", 2), ("two", 3)):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model" / "mine.yaml").write_text(
            f"defaults: [ridge, _self_]\nestimator: {{alpha: {alpha}}}\n"
        )
    sides = [of_composition(["-cd", str(tmp_path / name), "model=mine"]) for name in ("one", "two")]
    (line,) = compare(sides).lines
    assert line is not None
    assert (line.command, line.change, line.folders) == (("model=mine",), (), (str(tmp_path / "two"),))


class TestFiles:
    def test_in_a_file_that_is_no_composition_every_key_counts(self, tmp_path: Any) -> None:
        for name, text in (("a", "output: x\nthreads: 1\n"), ("b", "output: y\nthreads: 2\n")):
            (tmp_path / f"{name}.yaml").write_text(text)
        both = compare([of_file(tmp_path / "a.yaml"), of_file(tmp_path / "b.yaml")])
        assert [change.key for change in both.values] == ["output", "threads"]
        assert not both.is_same

    def test_two_files_are_compared_by_structure(self, tmp_path: Any) -> None:
        for name, text in (("a", "x: 1\nmodel: {d: 1}\n"), ("b", "new: 3\nx: 1\nmodel: {d: 2}\n")):
            (tmp_path / f"{name}.yaml").write_text(text)
        both = compare([of_file(tmp_path / "a.yaml"), of_file(tmp_path / "b.yaml")])
        assert [change.key for change in both.values] == ["model.d", "new"]
        assert both.lines == (None,)

    @pytest.mark.parametrize(
        ("text", "told"), [("- 1\n", "holds no keys"), ("a: [\n", "cannot be read as YAML"), (None, "does not exist")]
    )
    def test_what_is_no_composition_is_refused(self, text: str | None, told: str, tmp_path: Any) -> None:
        file = tmp_path / "a.yaml"
        if text is not None:
            file.write_text(text)
        with pytest.raises(ConfigError, match=told):
            of_file(file)

    def test_interpolations_of_a_file_are_resolved_where_they_can_be(self, tmp_path: Any) -> None:
        (tmp_path / "a.yaml").write_text("seed: 3\nsplit: {seed: '${seed}'}\nother: '${absent}'\n")
        found = of_file(tmp_path / "a.yaml").frozen.config
        assert found == {"seed": 3, "split": {"seed": 3}, "other": "${absent}"}


def test_one_side_is_not_enough() -> None:
    with pytest.raises(ConfigError, match="two sides at least"):
        compare([side()])
