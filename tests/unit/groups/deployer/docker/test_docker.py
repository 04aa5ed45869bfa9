"""`deployer=docker`: what a container may do, how it comes back, and what is left behind when it cannot start."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core import loopback
from mlrunner.core.build import build
from mlrunner.core.containers.pins import get_local_target
from mlrunner.core.errors import DeployError, ProblemsError
from mlrunner.groups.deployer import docker
from mlrunner.groups.deployer.docker import PORTS, DockerDeployer, engine, find_free_port
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.serving import identity
from tests.support.released import BASE, HOME, REPOSITORY

Compose = Callable[[list[str]], DictConfig]
GONE = Server(1, "http://127.0.0.1:1", "no-such-container", "t")
Served = tuple[DockerDeployer, Server]
NOWHERE = "unix:///nowhere.sock"


def deployer(folder: Path | str, **settings: Any) -> DockerDeployer:
    given: dict[str, Any] = {
        "name": "tests",
        "folder": str(folder),
        "host": loopback.HOST,
        "port": loopback.free_port(),
        "workers": 1,
        "start_timeout": 60,
        "request_timeout": 30,
        "body_limit": 4,
        "row_limit": 1000,
        "batch_rows": 100,
        "unknown_categories": "refuse",
        "base": BASE,
        "image": REPOSITORY,
        "memory": "1g",
        "cpus": 1,
        "restart": "unless-stopped",
    }
    return DockerDeployer(**{**given, **settings})


class TestSettings:
    def option(self, compose: Compose, *overrides: str) -> DockerDeployer:
        cfg = compose(["deployer=docker", "dataset=diabetes", *overrides])
        built: DockerDeployer = build(resolve_group(cfg, "deployer"), "deployer", DockerDeployer)
        return built

    def test_the_option_serves_the_data_set_s_model_on_a_base_with_this_python(self, compose: Compose) -> None:
        built = self.option(compose)
        assert (built.name, built.image) == ("diabetes", "mlrunner-diabetes")
        assert built.base_name == f"python:{get_local_target().minor}-slim"
        assert self.option(compose, "deployer.base=a/b:c").base_name == "a/b:c"

    @pytest.mark.parametrize("typed", ["no", "false", '"no"'])
    def test_no_is_a_word_and_not_false(self, typed: str, compose: Compose) -> None:
        assert self.option(compose, f"deployer.restart={typed}").restart == "no"

    @pytest.mark.parametrize(
        "override", ["memory=lots", "memory=1Gi", "cpus=0", "restart=always", "image=''", "port=0", "name=a/b"]
    )
    def test_what_docker_does_not_take_is_refused_at_once(self, override: str, compose: Compose) -> None:
        with pytest.raises(ProblemsError, match=f"deployer.{override.partition('=')[0]}="):
            self.option(compose, f"deployer.{override}")

    def test_a_container_gets_the_token_in_its_environment_and_the_server_its_settings(self, tmp_path: Path) -> None:
        settings = deployer(tmp_path, cpus=1.5, workers=2)._container_settings(
            Release("tests", 3, tmp_path), "0123456789", 20_001
        )
        assert settings["name"] == "mlrunner-tests-3-01234567"
        assert settings["environment"] == {"MLRUNNER_TOKEN": "0123456789", "OMP_NUM_THREADS": "2"}
        assert settings["command"][:6] == ["--host", "0.0.0.0", "--port", "8080", "--workers", "2"]
        assert settings["ports"] == {"8080/tcp": (loopback.HOST, 20_001)}
        assert (settings["mem_limit"], settings["memswap_limit"], settings["nano_cpus"]) == ("1g", "1g", 1_500_000_000)
        assert settings["labels"][HOME] == str(tmp_path)

    def test_without_limits_none_are_given(self, tmp_path: Path) -> None:
        settings = deployer(tmp_path, memory=None, cpus=None)._container_settings(
            Release("tests", 3, tmp_path), "0123", 20_001
        )
        assert {"mem_limit", "memswap_limit", "nano_cpus"}.isdisjoint(settings)
        assert "OMP_NUM_THREADS" not in settings["environment"]


class TestPorts:
    def test_a_port_is_below_those_that_connections_take_by_themselves(self) -> None:
        assert find_free_port() in PORTS

    def test_one_that_somebody_listens_on_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server((loopback.HOST, 0)) as taken:
            port = taken.getsockname()[1]
            monkeypatch.setattr(docker, "PORTS", range(port, port + 20))
            assert all(find_free_port() != port for _ in range(50))

    def test_when_all_are_taken_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server((loopback.HOST, 0)) as taken:
            port = taken.getsockname()[1]
            monkeypatch.setattr(docker, "PORTS", range(port, port + 1))
            with pytest.raises(DeployError, match="are in use"):
                find_free_port()


class TestWithoutAnEngine:
    @pytest.fixture(autouse=True)
    def nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", NOWHERE)

    def test_it_is_a_problem_before_anything_is_run(self, tmp_path: Path) -> None:
        (problem,) = deployer(tmp_path).problems()
        assert problem.startswith(f"Docker's engine does not answer at DOCKER_HOST={NOWHERE}; start it")

    def test_nothing_starts_and_nothing_is_alive(self, tmp_path: Path) -> None:
        with pytest.raises(DeployError, match="does not answer"):
            deployer(tmp_path).start(Release("tests", 1, tmp_path), "t")
        with pytest.raises(DeployError, match="does not answer"):
            deployer(tmp_path).stop(GONE)
        assert not deployer(tmp_path).is_alive(GONE)
        assert "does not answer" in deployer(tmp_path).log(GONE)


class TestCrashLoops:
    @pytest.mark.parametrize(
        ("running", "restarting", "restarts", "alive"),
        [
            (True, False, 0, True),
            (True, False, 9, True),
            (False, False, 0, False),
            (True, True, 1, True),
            (True, True, docker.CRASH_LIMIT, False),
        ],
    )
    def test_what_is_about_to_be_started_again_is_alive_unless_it_crashes_in_a_loop(
        self,
        running: bool,
        restarting: bool,
        restarts: int,
        alive: bool,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        state = {"State": {"Running": running, "Restarting": restarting}, "RestartCount": restarts}
        client = SimpleNamespace(
            containers=SimpleNamespace(get=lambda _: SimpleNamespace(attrs=state)), close=lambda: None
        )
        monkeypatch.setattr("mlrunner.core.containers.engine._client", lambda: client)
        assert deployer(tmp_path).is_alive(GONE) == alive


@pytest.fixture
def home(tmp_path: Path, client: Any) -> Iterator[Path]:
    """A folder whose containers are removed."""
    yield tmp_path
    for container in containers(client, tmp_path):
        container.remove(force=True)


def containers(client: Any, home: Path) -> list[Any]:
    return list(client.containers.list(all=True, filters={"label": f"{HOME}={home}"}))


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return result


def version(server: Server) -> Any:
    status, answer = loopback.request_json(f"{server.url}/version", timeout=2.0)
    return answer if status == 200 else None


@pytest.fixture(scope="module")
def served(tag: str, released: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests that only look."""
    del tag
    built = deployer(tmp_path_factory.mktemp("home"))
    server = built.start(released, "token-of-the-module")
    until(lambda: version(server))
    yield built, server
    built.stop(server)


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestServing:
    def test_it_answers_as_itself_and_as_the_model_does(self, served: Served, released: Release) -> None:
        _, server = served
        assert version(server)["instance"] == identity.instance_name("token-of-the-module")
        status, answer = loopback.request_json(f"{server.url}/invocations", released.example)
        assert status == 200
        assert answer["predictions"] == pytest.approx(released.expected, rel=1e-6)

    def test_it_becomes_healthy(self, client: Any, served: Served) -> None:
        def health() -> bool:
            state = client.containers.get(served[1].handle).attrs["State"]
            return bool(state["Health"]["Status"] == "healthy")

        until(health, 20)

    def test_it_may_do_nothing_but_serve(self, client: Any, served: Served) -> None:
        container = client.containers.get(served[1].handle)

        def run(command: str) -> tuple[int, str]:
            code, out = container.exec_run(["sh", "-c", command])
            return code, out.decode().strip()

        assert run("id -u; id -g") == (0, "10001\n10001")
        for folder in ("/", "/release", "/opt/mlrunner/site", "/etc"):
            code, said = run(f"touch {folder}/x")
            assert code != 0, folder
            assert "Read-only file system" in said
        assert run("touch /tmp/x && echo written") == (0, "written")
        status = dict(
            line.split(":\t") for line in run("grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/1/status")[1].splitlines()
        )
        assert status == {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1"}

    def test_it_is_limited_and_reached_from_this_machine_only(self, client: Any, served: Served) -> None:
        host = client.containers.get(served[1].handle).attrs["HostConfig"]
        assert (host["Memory"], host["NanoCpus"]) == (2**30, 10**9)
        assert host["PortBindings"]["8080/tcp"][0]["HostIp"] == loopback.HOST
        assert host["RestartPolicy"]["Name"] == "unless-stopped"

    def test_the_token_is_the_container_s_and_not_the_image_s(self, client: Any, served: Served) -> None:
        container = client.containers.get(served[1].handle)
        assert "MLRUNNER_TOKEN=token-of-the-module" in container.attrs["Config"]["Env"]
        assert "token-of-the-module" not in str(container.image.attrs) + str(container.image.history())

    def test_a_sound_deployer_has_no_problems_and_one_that_asks_too_much_has(self, client: Any, tmp_path: Path) -> None:
        del client
        assert deployer(tmp_path).problems() == []
        (problem,) = deployer(tmp_path, cpus=4096).problems()
        assert problem.startswith("deployer.cpus=4096 is more than the")


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestComingAndGoing:
    def test_one_that_was_killed_comes_back_at_its_address(self, client: Any, home: Path, released: Release) -> None:
        built = deployer(home)
        server = built.start(released, "killed")
        until(lambda: version(server))
        first = client.containers.get(server.handle).attrs["State"]["Pid"]
        os.kill(first, signal.SIGKILL)
        until(lambda: client.containers.get(server.handle).attrs["State"]["Pid"] not in (0, first))
        assert until(lambda: version(server))["instance"] == identity.instance_name("killed")
        assert built.is_alive(server)

    def test_stopping_is_quick_frees_all_and_may_be_done_twice(
        self, client: Any, home: Path, released: Release
    ) -> None:
        built = deployer(home)
        server = built.start(released, "stopped")
        until(lambda: version(server))
        began = time.monotonic()
        built.stop(server)
        assert time.monotonic() - began < engine.STOP_TIMEOUT / 2
        built.stop(server)
        assert containers(client, home) == []
        assert (built.is_alive(server), built.log(server)) == (False, "")
        with socket.create_server((loopback.HOST, int(server.url.rpartition(":")[2]))):
            pass

    def test_a_port_that_was_taken_in_the_meantime_is_changed(
        self, client: Any, home: Path, released: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server((loopback.HOST, 0)) as taken:
            ports = [taken.getsockname()[1], find_free_port()]
            monkeypatch.setattr(docker, "find_free_port", lambda: ports.pop(0))
            server = deployer(home).start(released, "moved")
        assert ports == []
        assert [container.id for container in containers(client, home)] == [server.handle]

    def test_where_no_port_can_be_had_nothing_is_left(
        self, client: Any, home: Path, released: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server((loopback.HOST, 0)) as taken:
            monkeypatch.setattr(docker, "find_free_port", lambda: taken.getsockname()[1])
            with pytest.raises(DeployError, match="in 5 attempts"):
                deployer(home).start(released, "nowhere")
        assert containers(client, home) == []

    def test_what_the_engine_refuses_is_one_sentence_and_leaves_nothing(
        self, client: Any, home: Path, released: Release
    ) -> None:
        with pytest.raises(DeployError, match=r"^Docker's engine says: .*CPUs.*\.$"):
            deployer(home, cpus=4096).start(released, "refused")
        assert containers(client, home) == []

    def test_a_base_that_cannot_be_had_starts_nothing(self, client: Any, home: Path, released: Release) -> None:
        built = deployer(home, base="localhost:1/nothing:1", image=f"{REPOSITORY}-none")
        (problem,) = built.problems()
        assert problem.startswith("deployer.base=localhost:1/nothing:1 is not on this machine")
        with pytest.raises(DeployError, match="cannot be pulled"):
            built.start(released, "none")
        assert containers(client, home) == []

    def test_one_that_cannot_serve_is_found_dead_and_its_log_tells_why(
        self, client: Any, home: Path, released: Release, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        broken = tmp_path_factory.mktemp("broken") / "9"
        shutil.copytree(released.folder, broken)
        (broken / "model" / "model.skops").write_bytes(b"no model")
        built = deployer(home)
        server = built.start(Release("tests", 9, broken), "broken")
        until(lambda: not built.is_alive(server))
        assert "cannot serve /release" in built.log(server)
        built.stop(server)
        assert containers(client, home) == []
