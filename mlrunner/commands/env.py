"""`mlrunner env`: the environment in which the plain `zenml` and `mlflow` commands see the same stores."""

from __future__ import annotations

import argparse
import os
import shlex

from mlrunner.commands import stack

VARIABLES = (
    "ZENML_CONFIG_PATH",
    "ZENML_STORE_URL",
    "ZENML_ACTIVE_STACK_ID",
    "ZENML_ANALYTICS_OPT_IN",
    "MLFLOW_TRACKING_URI",
)


def main(arguments: list[str]) -> int:
    """Print `export` lines for `eval`."""
    parser = argparse.ArgumentParser(
        prog="mlrunner env",
        description="Print the variables that show the plain zenml and mlflow commands our stores.",
        epilog='use as: eval "$(mlrunner env)"',
    )
    parser.add_argument("overrides", nargs="*", help="like stack=mlflow_server stack.tracking_uri=URL")
    stack.activate(parser.parse_args(arguments).overrides)
    for name in VARIABLES:
        if name in os.environ:
            print(f"export {name}={shlex.quote(os.environ[name])}")
    return 0
