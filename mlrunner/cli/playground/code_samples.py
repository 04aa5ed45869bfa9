"""The request of the form, to be pasted into a shell or a Python program."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from mlrunner.cli.playground.service import CSV, JSON

PYTHON = """import json
from urllib.request import Request, urlopen

row = {{
{row}
}}
body = json.dumps({{"dataframe_records": [row]}}).encode()
request = Request({url!r}, body, {{"Content-Type": {json!r}}})
with urlopen(request) as answer:
    print(json.load(answer)["predictions"])
"""


def curl(url: str, record: Mapping[str, Any]) -> str:
    """Write the request as a command; what it prints is the answer."""
    body = json.dumps({"dataframe_records": [record]}, ensure_ascii=False, indent=1)
    return f"curl -sS {shlex.quote(url)} -H 'Content-Type: {JSON}' -d {shlex.quote(body)}"


def curl_csv(url: str) -> str:
    """Write the command that sends a CSV file."""
    return f"curl -sS {shlex.quote(url)} -H 'Content-Type: {CSV}' --data-binary @rows.csv"


def python(url: str, record: Mapping[str, Any]) -> str:
    """Write the request as a program that needs nothing but Python."""
    row = "\n".join(f"    {name!r}: {value!r}," for name, value in record.items())
    return PYTHON.format(row=row, url=url, json=JSON)
