"""`mlrunner playground`: what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import playground
from mlrunner.cli.playground.client import ServiceError
from mlrunner.core.errors import ConfigError
from tests.support.playground import Serving, write_deployment


def test_a_missing_streamlit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"install it with pip install 'mlrunner\[playground\]'\.$") as caught:
        playground.main([])
    assert caught.value.exit_code == 2


def test_an_unknown_name_is_refused(home: Path) -> None:
    del home
    with pytest.raises(ConfigError, match=r"no deployment 'house'; .* Did you mean 'houses'\?"):
        playground.main(["house", "--no-browser"])


def test_a_stopped_deployment_is_refused(home: Path) -> None:
    write_deployment(home / ".mlrunner" / "deployments", 1, is_stopped=True)
    with pytest.raises(ServiceError, match=r"^houses is stopped; .* mlrunner deploy --restart houses\.$"):
        playground.main(["--no-browser"])


def test_a_deployment_that_never_served_is_refused(home: Path) -> None:
    (home / ".mlrunner" / "deployments" / "houses" / "state.json").unlink()
    with pytest.raises(ServiceError, match=r"^houses has never served"):
        playground.main(["--no-browser"])


def test_a_taken_port_is_refused(home: Path, running: Serving) -> None:
    del home
    with pytest.raises(ConfigError, match=rf"^--port={running.port} cannot be used \(.*in use.*\); choose another"):
        playground.main(["--no-browser", "--port", str(running.port)])


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_an_impossible_port_is_refused(home: Path, port: str) -> None:
    del home
    with pytest.raises(ConfigError, match=rf"^--port={port} cannot be used \(ports end at 65535\)"):
        playground.main(["--no-browser", "--port", port])
