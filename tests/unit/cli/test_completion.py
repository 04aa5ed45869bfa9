"""What a shell completes: verbs, flags, runs, sweeps and deployments, beside what Hydra completes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from mlrunner.cli import commands, completion
from mlrunner.composition import stores
from tests.support.front_door import PROJECT, environment
from tests.support.run_stores import NamedRuns

PROGRAM = Path(sys.executable).parent / "mlrunner"
SWEEP = "2026-11-25/17-43-06-708940"
LIMIT = 0.3  # seconds that a person at the keyboard waits for; a busy machine gets more


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a few runs, a search and a deployment."""
    place = tmp_path_factory.mktemp("completed")
    (place / ".mlrunner" / "deployments" / "olist").mkdir(parents=True)
    (place / ".mlrunner" / "deployments" / "olist" / "history.jsonl").touch()
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{place}/.mlrunner/mlflow.db")
    made = NamedRuns(place)
    made.add("model=rf,max_depth=3")
    made.add("with space")
    made.add("trial", sweep_id=SWEEP, trial_number="0")
    made.add("parent", sweep_id=SWEEP)
    made.client.create_registered_model("olist")
    made.client.create_model_version("olist", "file:///m-x", made.ids["model=rf,max_depth=3"])
    made.client.set_registered_model_alias("olist", "champion", "1")
    yield place
    mlflow.set_tracking_uri(before)


@pytest.fixture
def typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MLRUNNER_HOME", str(home))
    monkeypatch.setenv("MLRUNNER_PROJECT", str(PROJECT))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return monkeypatch


def completed(
    typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, shell: str = "bash"
) -> list[str]:
    typed.setenv("COMP_LINE", line)
    typed.setattr(completion, "ask_hydra", lambda *_: ["model=", "deployer="])
    assert completion.print_candidates(["-sc", f"query={shell}"]) == 0
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("mlrunner ", {*commands.VERBS, "model=", "deployer="}),
        ("mlrunner de", {"deploy", "model=", "deployer="}),
        ("mlrunner ru", {"runs"}),
        ("mlrunner model=r", {"model=", "deployer="}),
        ("mlrunner -m ", {"model=", "deployer="}),
        ("mlrunner stop ", {"olist"}),
        ("mlrunner stop x", set()),
        ("mlrunner predict --name ", {"olist"}),
        ("mlrunner resume 2026", {SWEEP}),
        ("mlrunner runs ", {SWEEP}),
        ("mlrunner deploy 2026", {SWEEP, f"{SWEEP}/0"}),
        ("mlrunner prune 2026", {SWEEP, f"{SWEEP}/0"}),
        ("mlrunner prune latest model=", {"model=rf,max_depth=3"}),
        ("mlrunner ui model=", {"model=rf,max_depth=3"}),
        ("mlrunner deploy model=", {"model=rf,max_depth=3"}),
        ("mlrunner diff model=rf,max_depth=3 model=", {"model=rf,max_depth=3"}),
        ("mlrunner deploy latest model=", {"model="}),
        ("mlrunner diff latest -- mod", {"model="}),  # of which Hydra tells, and not the run of that name
        ("mlrunner runs --columns id,st", {"id,status"}),
        ("mlrunner sweeps --columns tri", {"trials"}),
        ("mlrunner runs --sort to", {"took"}),
        ("mlrunner prune --status failed,ki", {"failed,killed"}),
        ("mlrunner prune --older ", set()),
        ("mlrunner report latest -o ", set()),
        ("mlrunner prune --json 2026", {SWEEP, f"{SWEEP}/0"}),
        ("mlrunner env ", set()),
    ],
)
def test_what_may_follow(
    typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, some: set[str]
) -> None:
    assert set(completed(typed, capsys, line)) == some


@pytest.mark.parametrize("words", [[], ["latest"]], ids=["first", "last"])
@pytest.mark.parametrize("verb", completion.BARE)
def test_the_stack_is_completed_beside_names(typed: pytest.MonkeyPatch, verb: str, words: list[str]) -> None:
    typed.setattr(completion, "ask_hydra", lambda *_: ["stack=local"])
    assert list(completion.list_candidates(verb, words, "stack=")) == ["stack=local"]


def test_runs_have_all_their_names(typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = completed(typed, capsys, "mlrunner deploy ")
    assert found[:4] == ["latest", "best", "champion", "olist@champion"]
    assert found[4:6] == [SWEEP, f"{SWEEP}/0"]
    assert len(found) == 8
    assert all(len(name) == 8 and name.isalnum() for name in found[6:])  # each run once
    assert "space" not in found
    digits = next(name for name in found if len(name) == 8 and name != "champion")
    assert completed(typed, capsys, f"mlrunner deploy {digits[:5]}") == [digits]


def test_the_cursor_counts_and_not_the_end(typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed.setenv("COMP_POINT", str(len("mlrunner st")))
    assert completed(typed, capsys, "mlrunner st olist") == ["stack", "status", "stop", "model=", "deployer="]


@pytest.mark.parametrize("verb", commands.VERBS)
def test_every_verb_tells_its_flags(typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    found = completed(typed, capsys, f"mlrunner {verb} --")
    assert "--help" in found
    assert all(flag.startswith("--") and flag[2:].replace("-", "").isalpha() for flag in found)


def test_fish_wants_lines(typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed.setenv("COMP_LINE", "mlrunner ro")
    completion.print_candidates(["-sc", "query=fish"])
    assert capsys.readouterr().out == "rollback\n"


def test_bash_gets_what_follows_its_own_breaks(typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed.setattr(completion, "_is_zsh", lambda: False)
    assert completed(typed, capsys, "mlrunner deploy olist@ch") == ["@champion"]
    assert completed(typed, capsys, "mlrunner deploy oli") == ["olist@champion"]
    assert completed(typed, capsys, "mlrunner deploy olist@ch", "fish") == ["olist@champion"]
    typed.setattr(completion, "_is_zsh", lambda: True)
    assert completed(typed, capsys, "mlrunner deploy olist@ch") == ["olist@champion"]


@pytest.mark.parametrize(
    "arguments", [["-sc", "install=bash"], ["-sc"], ["-sc", "query=bash", "model=rf"], [], ["runs"]], ids=" ".join
)
def test_only_a_query_is_answered(typed: pytest.MonkeyPatch, arguments: list[str]) -> None:
    typed.setenv("COMP_LINE", "mlrunner ")
    assert not completion.is_request(arguments)
    assert completion.is_request(["-sc", "query=bash"])
    typed.delenv("COMP_LINE")
    assert not completion.is_request(["-sc", "query=bash"])


def test_a_store_that_is_a_server_is_not_asked(typed: pytest.MonkeyPatch) -> None:
    typed.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert completion.read_labels("") == []


def test_old_runs_are_found_by_what_is_typed(home: Path) -> None:
    store = stores.open_store(home)
    assert store.list_labels("model=rf", 1) == ["model=rf,max_depth=3"]
    assert store.list_labels("", 1)[0] == SWEEP


def asked(home: Path, shell: str, line: str) -> str:
    """Ask as a shell does, in a process of its own."""
    variables = environment(home, COMP_LINE=line)
    command = [str(PROGRAM), "-sc", f"query={shell}"]
    return subprocess.run(command, capture_output=True, text=True, env=variables, check=True, cwd=PROJECT).stdout


def test_hydra_completes_beside_the_verbs(home: Path) -> None:
    found = asked(home, "bash", "mlrunner de").split()
    assert found[0] == "deploy"
    assert "deployer=" in found
    assert asked(home, "fish", "mlrunner model=rid").splitlines() == ["model=ridge"]


def test_it_answers_before_one_gets_impatient(home: Path) -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        asked(home, "bash", "mlrunner deploy ")
        took.append(time.perf_counter() - began)
    assert min(took) < 3 * LIMIT


def in_shell(home: Path, command: list[str], script: str) -> str:
    """Run a script in a real shell that finds the program."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(home, PATH=path, HOME=str(home), ZDOTDIR=str(home))
    done = subprocess.run([*command, script], capture_output=True, text=True, env=variables, cwd=PROJECT, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


BASH = """
eval "$(mlrunner -sc install=bash)"
ask() {
    COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; words=($COMP_LINE); COMP_CWORD=$((${#words[@]} - 1))
    if [[ "$1" == *' ' ]]; then ((COMP_CWORD++)); fi
    hydra_bash_completion
    echo "${COMPREPLY[@]}"
}
"""
ASKED = {
    "mlrunner rol": "rollback",
    "mlrunner resume 20": SWEEP,
    "mlrunner stop ": "olist",
    "mlrunner deploy model=r": "model=rf,max_depth=3",
    "mlrunner history --js": "--json",
}


def test_bash_itself(home: Path) -> None:
    script = "\n".join([BASH, *(f"ask '{line}'" for line in ASKED)])
    assert in_shell(home, ["bash", "-c"], script).splitlines() == list(ASKED.values())


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_itself(home: Path) -> None:
    asked = {**ASKED, "mlrunner deploy olist@": "olist@champion"}
    script = "; ".join(["mlrunner -sc install=fish | source", *(f"complete -C '{line}'" for line in asked)])
    assert in_shell(home, ["fish", "-c"], script).splitlines() == list(asked.values())


TERMINAL = """
import os, pty, re, select, sys, time
shell, setup, *lines = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(shell.split()[0], shell.split())
def read(until, seconds=30):
    told, end = b"", time.time() + seconds
    while time.time() < end and not re.search(until, told):
        if select.select([terminal], [], [], 0.2)[0]:
            told += os.read(terminal, 65536)
    return told
read(rb"[%#$]")
os.write(terminal, setup.encode() + b"; echo READY$((1))\\n")
read(rb"READY1")
read(rb"[%#$] ", 1)
for line in lines:
    os.write(terminal, line.encode())
    read(re.escape(line.split()[-1].encode()))
    os.write(terminal, b"\\t")
    read(rb"[\\w\\a]")
    time.sleep(0.3)
    os.write(terminal, b"\\x01echo GOT:\\n")
    print(re.search(rb"\\nGOT:([^\\r\\n]*)", read(rb"\\nGOT:[^\\n]*\\n"))[1].decode())
    read(rb"[%#$] ", 1)
"""
INSTALL = 'eval "$(mlrunner -sc install=bash)"'


@pytest.mark.parametrize(
    ("shell", "setup"),
    [
        ("bash --norc -i", INSTALL),
        ("zsh -f -i", f"autoload -Uz compinit bashcompinit; compinit -u; bashcompinit; {INSTALL}"),
    ],
    ids=["bash", "zsh"],
)
def test_the_tab_key(home: Path, shell: str, setup: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell.split()[0]} is not installed")
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(home, PATH=path, HOME=str(home), ZDOTDIR=str(home), TERM="dumb")
    command = [sys.executable, "-c", TERMINAL, shell, setup, "mlrunner rol", "mlrunner deploy olist@"]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=PROJECT, timeout=120)
    told = [line.split() for line in done.stdout.splitlines()]
    assert told == [["mlrunner", "rollback"], ["mlrunner", "deploy", "olist@champion"]], done.stderr
