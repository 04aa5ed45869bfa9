"""Completion in a shell: the line at the cursor, the form of each shell's answer, and real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlrunner.cli import completion
from tests.support.cli_home import RUN, SWEEP, CliHome
from tests.support.front_door import PROJECT, environment

PROGRAM = Path(sys.executable).parent / "mlrunner"
LIMIT = 0.9  # seconds of the fastest of five answers on a busy machine; alone it takes a third

pytestmark = pytest.mark.usefixtures("cli_home")


def complete(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, shell: str = "bash"
) -> str:
    monkeypatch.setenv("COMP_LINE", line)
    assert completion.print_candidates(["-sc", f"query={shell}"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("mlrunner ru", ["runs"]),
        ("mlrunner de", ["deploy", "deployer.", "deployer="]),
        ("mlrunner model=rid", ["model=ridge"]),
        ("mlrunner -m model=rid", ["model=ridge"]),
        ("mlrunner stop ", ["olist"]),
        ("mlrunner deploy model=r", [RUN]),
    ],
)
def test_a_line_is_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, first: list[str]
) -> None:
    assert complete(monkeypatch, capsys, line).split() == first


def test_the_line_ends_at_the_cursor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COMP_POINT", str(len("mlrunner rol")))
    assert complete(monkeypatch, capsys, "mlrunner rol olist") == "rollback\n"


def test_fish_gets_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert complete(monkeypatch, capsys, "mlrunner ro", "fish") == "rollback\n"
    assert complete(monkeypatch, capsys, "mlrunner deploy olist@ch", "fish") == "olist@champion\n"


def test_bash_gets_the_rest_of_its_own_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complete(monkeypatch, capsys, "mlrunner deploy olist@ch") == "@champion\n"
    assert complete(monkeypatch, capsys, "mlrunner deploy oli") == "olist@champion\n"


def test_a_name_completes_without_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    folder = tmp_path / ".mlrunner" / "deployments" / "wine\x1b[2J"
    folder.mkdir(parents=True)
    (folder / "history.jsonl").touch()
    assert complete(monkeypatch, capsys, "mlrunner stop wi") == "wine[2J\n"


@pytest.mark.parametrize(
    "arguments", [["-sc", "install=bash"], ["-sc"], ["-sc", "query=bash", "model=rf"], [], ["runs"]], ids=" ".join
)
def test_only_a_query_is_a_request(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("COMP_LINE", "mlrunner ")
    assert not completion.is_request(arguments)
    assert completion.is_request(["-sc", "query=bash"])
    monkeypatch.delenv("COMP_LINE")
    assert not completion.is_request(["-sc", "query=bash"])


@pytest.mark.slow
def test_an_answer_takes_less_than_a_second(cli_home: CliHome) -> None:
    variables = environment(cli_home.path, COMP_LINE="mlrunner deploy ")
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([PROGRAM, "-sc", "query=bash"], capture_output=True, env=variables, check=True, cwd=PROJECT)
        durations.append(time.perf_counter() - start)
    assert min(durations) < LIMIT


def run_shell(home: Path, command: list[str], script: str) -> str:
    """Run a script in a real shell that finds the program."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(home, PATH=path, HOME=str(home), ZDOTDIR=str(home))
    shell = subprocess.run([*command, script], capture_output=True, text=True, env=variables, cwd=PROJECT, timeout=60)
    assert shell.returncode == 0, shell.stderr
    return shell.stdout


BASH = """
eval "$(mlrunner -sc install=bash)"
ask() {
    COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; words=($COMP_LINE); COMP_CWORD=$((${#words[@]} - 1))
    if [[ "$1" == *' ' ]]; then ((COMP_CWORD++)); fi
    hydra_bash_completion
    echo "${COMPREPLY[@]}"
}
"""
ANSWERS = {
    "mlrunner rol": "rollback",
    "mlrunner resume 20": SWEEP,
    "mlrunner stop ": "olist",
    "mlrunner deploy model=r": RUN,
    "mlrunner history --js": "--json",
}


@pytest.mark.slow
def test_bash_completes(cli_home: CliHome) -> None:
    script = "\n".join([BASH, *(f"ask '{line}'" for line in ANSWERS)])
    assert run_shell(cli_home.path, ["bash", "-c"], script).splitlines() == list(ANSWERS.values())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(cli_home: CliHome) -> None:
    answers = {**ANSWERS, "mlrunner deploy olist@": "olist@champion"}
    script = "; ".join(["mlrunner -sc install=fish | source", *(f"complete -C '{line}'" for line in answers)])
    assert run_shell(cli_home.path, ["fish", "-c"], script).splitlines() == list(answers.values())


TERMINAL = """
import os, pty, re, select, sys, time
shell, setup, *lines = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(shell.split()[0], shell.split())
def read(until, seconds=30):
    output, end = b"", time.time() + seconds
    while time.time() < end and not re.search(until, output):
        if select.select([terminal], [], [], 0.2)[0]:
            output += os.read(terminal, 65536)
    return output
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "setup"),
    [
        ("bash --norc -i", INSTALL),
        ("zsh -f -i", f"autoload -Uz compinit bashcompinit; compinit -u; bashcompinit; {INSTALL}"),
    ],
    ids=["bash", "zsh"],
)
def test_the_tab_key_completes(cli_home: CliHome, shell: str, setup: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell.split()[0]} is not installed")
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    home = str(cli_home.path)
    variables = environment(cli_home.path, PATH=path, HOME=home, ZDOTDIR=home, TERM="dumb")
    command = [sys.executable, "-c", TERMINAL, shell, setup, "mlrunner rol", "mlrunner deploy olist@"]
    child = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=PROJECT, timeout=120)
    lines = [line.split() for line in child.stdout.splitlines()]
    assert lines == [["mlrunner", "rollback"], ["mlrunner", "deploy", "olist@champion"]], child.stderr
