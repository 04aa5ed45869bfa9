"""A client of a ZenML server."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any


class Zenml:
    """A ZenML server, asked through its own HTTP interface."""

    def __init__(self, url: str, password: str) -> None:
        self.url, self._password = url, password
        self.token: str | None = None

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        login = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", body, {"Content-Type": kind, **login})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def log_in(self) -> None:
        form = urllib.parse.urlencode({"username": "default", "password": self._password}).encode()
        self.token = self.ask("/login", form, "application/x-www-form-urlencoded")["access_token"]

    def new_key(self) -> str:
        account = self.ask("/service_accounts", json.dumps({"name": "runner", "active": True}).encode())["id"]
        key = json.dumps({"name": "key", "description": "of the tests"}).encode()
        return str(self.ask(f"/service_accounts/{account}/api_keys", key)["body"]["key"])

    def run(self, name: str) -> dict[str, Any]:
        """A run with its stack, and the status and outputs of its steps."""
        project = self.ask("/projects")["items"][0]["id"]
        run = self.ask(f"/runs?project={project}&name={name}&hydrate=true")["items"][0]
        steps = self.ask(f"/steps?project={project}&pipeline_run_id={run['id']}&hydrate=true&size=50")["items"]
        return {
            "status": run["body"]["status"],
            "stack": run["resources"]["stack"]["name"],
            "steps": {step["name"]: step["body"]["status"] for step in steps},
            "outputs": {step["name"]: sorted(step["resources"]["outputs"]) for step in steps},
        }
