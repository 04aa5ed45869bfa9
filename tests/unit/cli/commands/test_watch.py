"""`mlrunner watch`: find the study of a search, and show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import watch
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import journal_path
from tests.support.recorded import Recorded


@pytest.fixture(autouse=True)
def home(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(recorded.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded.home


@pytest.mark.parametrize("by", ["nothing", "place", "id", "address"])
def test_a_finished_search_is_shown_once(
    by: str, recorded: Recorded, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = recorded.search["study_name"]
    words = {
        "nothing": [],
        "place": [name],
        "id": [recorded.search["parent_run_id"][:10]],
        "address": [name, f"hydra.sweeper.storage={journal_path(home, name)}"],
    }
    assert watch.main([*words[by], *(["--once"] if by != "nothing" else [])]) == 0
    n_trials = len(recorded.search["trials"])
    assert capsys.readouterr().out.startswith(f"{n_trials} of {n_trials} trials, 0 running, best ")


def test_a_single_run_and_a_missing_study_are_refused(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"' is no search, so it has no study; mlrunner runs .* lists its runs"):
        watch.main([recorded.single["run_id"]])
    name = recorded.search["study_name"]
    with pytest.raises(ConfigError, match=r"cannot be read here; give its address as hydra.sweeper.storage=URL"):
        watch.main([name, f"hydra.sweeper.storage={tmp_path / 'empty.journal'}"])
    assert list(tmp_path.iterdir()) == []  # watching writes nothing
    with pytest.raises(ConfigError, match=r"^mlrunner watch does not take 'two'; it takes one search"):
        watch.main(["one", "two"])


def test_without_a_search_there_is_nothing_to_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"^There is no search yet; mlrunner --multirun sweep=optuna starts one"):
        watch.main([])
