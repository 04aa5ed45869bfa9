"""Candidates of a command line: flags, runs, sweeps and deployments of each verb."""

from __future__ import annotations

import pytest

from mlrunner.cli import candidates, commands
from tests.support.cli_home import RUN, SWEEP, CliHome

pytestmark = pytest.mark.usefixtures("cli_home")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("stop ", {"olist"}),
        ("stop x", set()),
        ("predict --name ", {"olist"}),
        ("resume 2026", {SWEEP}),
        ("runs ", {SWEEP}),
        ("deploy 2026", {SWEEP, f"{SWEEP}/0"}),
        ("prune latest model=", {RUN}),
        ("ui model=", {RUN}),
        (f"diff {RUN} model=", {RUN}),
        ("runs --columns id,st", {"id,status"}),
        ("sweeps --columns tri", {"trials"}),
        ("runs --sort to", {"took"}),
        ("prune --status failed,ki", {"failed,killed"}),
        ("prune --older ", set()),  # the value of a flag, without candidates
        ("report latest -o ", set()),
        ("prune --json 2026", {SWEEP, f"{SWEEP}/0"}),
        ("env ", set()),
        ("tag 2026", {SWEEP, f"{SWEEP}/0"}),
        ("tag latest inv", {"invalid="}),
    ],
)
def test_a_verb_has_candidates(line: str, expected: set[str]) -> None:
    verb, *words = line.split(" ")
    word = words.pop()
    found = candidates.list_candidates(verb, words, word)
    assert {text for text in found if text.startswith(word)} == expected


@pytest.mark.parametrize("words", [[], ["latest"]], ids=["first", "last"])
@pytest.mark.parametrize("verb", candidates.STACK_ONLY)
def test_hydra_completes_the_stack_beside_names(verb: str, words: list[str]) -> None:
    assert set(candidates.list_candidates(verb, words, "stack=lo")) == {"stack=local"}


@pytest.mark.parametrize(("verb", "words"), [("deploy", ["latest"]), ("diff", ["latest", "--"])])
def test_hydra_completes_overrides_of_a_verb(verb: str, words: list[str]) -> None:
    assert set(candidates.list_candidates(verb, words, "model=rid")) == {"model=ridge"}


def test_runs_have_all_their_names(cli_home: CliHome) -> None:
    names = list(candidates.list_candidates("deploy", [], ""))
    assert names[:6] == ["latest", "best", "champion", "olist@champion", SWEEP, f"{SWEEP}/0"]
    assert {cli_home.ids[RUN][:8], cli_home.ids["with space"][:8]} == set(names[6:])  # names with spaces are left out


@pytest.mark.parametrize("verb", commands.VERBS)
def test_every_verb_has_flags(verb: str) -> None:
    flags = candidates.list_flags(verb)
    assert {"-h", "--help"} <= set(flags)
    assert all(flag.lstrip("-").replace("-", "").isalpha() for flag in flags)


def test_a_server_is_not_asked_for_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert candidates.read_labels("") == []
