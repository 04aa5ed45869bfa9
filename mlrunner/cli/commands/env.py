"""`mlrunner env`: print variables with which the `zenml` and `mlflow` commands use the stores of mlrunner."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.parser import Parser
from mlrunner.core import environment
from mlrunner.groups.stack.mlflow_private import ARTIFACT_ROOT

ZENML = ("ZENML_CONFIG_PATH", "ZENML_STORE_URL", "ZENML_ACTIVE_STACK_ID", "ZENML_ANALYTICS_OPT_IN")
SECRETS = ("ZENML_STORE_API_KEY", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")

BACKEND = "MLFLOW_BACKEND_STORE_URI"  # what `mlflow ui` and `mlflow server` read instead of MLFLOW_TRACKING_URI
ROOT = "MLFLOW_DEFAULT_ARTIFACT_ROOT"  # the same of the files of new experiments
DATABASES = ("sqlite", "mysql", "postgresql", "mssql")  # stores that they open; another address is a server's


def main(arguments: list[str]) -> int:
    """Print `export` lines for `eval` in a shell."""
    what = "Print the variables with which the zenml and mlflow commands use the stores of mlrunner."
    parser = Parser("env", what, 'use as: eval "$(mlrunner env)"')
    parser.add_argument("overrides", nargs="*", help="overrides of the stack, such as stack=mlflow_server")
    overrides = parser.parse_args(arguments).overrides
    before = environment.variables()
    stack.activate(overrides)
    print("\n".join(write_exports(before, environment.variables())))
    return 0


def write_exports(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Write the variables of the stores as `export` lines, without the secrets that the shell has already.

    Variables of the database of another stack, which `mlflow ui` would open, are unset.

    Args:
        before: Variables of the shell.
        after: Variables of a process that has opened the stores.
    """
    names = [name for name in (*ZENML, environment.TRACKING_VARIABLE) if name in after]
    names += [name for name in SECRETS if name in after and before.get(name) != after[name]]
    values = {name: after[name] for name in names}
    store, root = after.get(environment.TRACKING_VARIABLE, ""), after.get(ARTIFACT_ROOT)
    if store.startswith(DATABASES):
        values[BACKEND] = store
        values |= {} if root is None else {ARTIFACT_ROOT: root, ROOT: root}
    stale = [name for name in (BACKEND, ARTIFACT_ROOT, ROOT) if name in before and name not in values]
    exports = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return exports + [f"unset {name}" for name in stale]
