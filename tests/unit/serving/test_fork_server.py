"""Requests in processes of their own: answered, killed at the time limit, and ended with the server."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from tests.support.front_door import PROJECT
from tests.support.http_client import wait_until

SCRIPT = """
import asyncio, os, psutil, time
from concurrent.futures import ThreadPoolExecutor
from mlrunner.serving.fork_server import ChildEndedError, ForkServer

def handle(request: bytes) -> bytes:
    if request == b"sleep":
        while True: pass
    if request == b"die":
        os._exit(3)
    return request[::-1] + str(os.getpid()).encode()

fork_server = ForkServer(handle)

async def main():
{body}

asyncio.run(main())
"""


def run(body: str) -> str:
    """Run a script in a process without threads, as a server is when it forks."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    command = [sys.executable, "-c", SCRIPT.replace("{body}", lines)]
    return subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False, timeout=60).stdout


def test_each_request_has_a_process_of_its_own() -> None:
    printed = run("""
large = os.urandom(3_000_000)
answers = await asyncio.gather(*(fork_server.call(large, 30.0) for _ in range(3)))
assert all(answer.startswith(large[::-1]) for answer in answers)
pids = {answer[3_000_000:] for answer in answers}
print(len(pids - {str(os.getpid()).encode()}))
""")
    assert printed == "3\n"


@pytest.mark.parametrize(("request_", "error"), [("sleep", "TimeoutError"), ("die", "ChildEndedError")])
def test_a_request_that_does_not_end_or_dies_is_an_error_and_leaves_no_process(request_: str, error: str) -> None:
    printed = run(f"""
try:
    await fork_server.call(b"{request_}", 0.2)
except ({error},) as raised:
    print(type(raised).__name__)
print((await fork_server.call(b"ab", 30.0))[:2].decode())
template = psutil.Process(fork_server.pid)
while template.children(): time.sleep(0.01)
fork_server.close()
print(psutil.pid_exists(template.pid))
""")
    assert printed == f"{error}\nba\nFalse\n"


def test_template_and_child_end_with_a_server_that_is_killed() -> None:
    printed = run("""
task = asyncio.create_task(fork_server.call(b"sleep", 60.0))
template = psutil.Process(fork_server.pid)
while not template.children(): await asyncio.sleep(0.01)
print(template.pid, template.children()[0].pid, flush=True)
os.kill(os.getpid(), 9)
""")
    pids = [int(pid) for pid in printed.split()]
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), 5.0)
