"""`mlrunner stack describe`: describe the active ZenML stack, as `zenml stack describe` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.cli.commands.parser import Parser

if TYPE_CHECKING:
    from mlrunner.groups.stack import Stack


def main(arguments: list[str]) -> int:
    """Print what `zenml stack describe` prints, for the stack of a run."""
    parser = Parser("stack", "Describe the ZenML stack that a run would use.")
    parser.add_argument("action", choices=["describe"])
    parser.add_argument("overrides", nargs="*", help="overrides of the stack, such as stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    activate(parsed.overrides)
    from zenml.cli.cli import cli

    cli.main(["stack", "describe"], prog_name="mlrunner", standalone_mode=False)
    return 0


def activate(overrides: list[str]) -> None:
    """Compose the `stack` group and activate the stack."""
    from mlrunner.composition.compose import compose_config
    from mlrunner.composition.resolve import resolve_group
    from mlrunner.core.build import build

    cfg = compose_config(overrides)
    stack: Stack = build(resolve_group(cfg, "stack"), "stack")
    stack.activate(Path(cfg.home))
