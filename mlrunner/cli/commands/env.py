"""`mlrunner env`: the environment in which the plain `zenml` and `mlflow` commands see the same stores."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.parser import Parser

PLAIN = (
    "ZENML_CONFIG_PATH",
    "ZENML_STORE_URL",
    "ZENML_ACTIVE_STACK_ID",
    "ZENML_ANALYTICS_OPT_IN",
    "MLFLOW_TRACKING_URI",
)
SECRET = ("ZENML_STORE_API_KEY", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def main(arguments: list[str]) -> int:
    """Print `export` lines for `eval`."""
    parser = Parser(
        prog="mlrunner env",
        description="Print the variables that show the plain zenml and mlflow commands our stores.",
        epilog='use as: eval "$(mlrunner env)"',
    )
    parser.add_argument("overrides", nargs="*", help="like stack=mlflow_server stack.tracking_uri=URL")
    overrides = parser.parse_args(arguments).overrides
    before = dict(os.environ)
    stack.activate(overrides)
    print("\n".join(write_exports(before, os.environ)))
    return 0


def write_exports(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Write what a shell needs to see the stores; a secret that it has already is not shown again.

    Args:
        before: The environment of the shell.
        after: The one in which the stores are open.
    """
    told = [name for name in PLAIN if name in after]
    told += [name for name in SECRET if name in after and before.get(name) != after[name]]
    return [f"export {name}={shlex.quote(after[name])}" for name in told]
