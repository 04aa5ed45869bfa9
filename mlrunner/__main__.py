"""Entry point of the command `mlrunner`: it handles signals before anything is imported that takes time."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line.

    Returns:
        The exit code; 128 + N for an interruption by signal N.
    """
    try:
        from mlrunner.core.exit_signals import exit_on_signals

        exit_on_signals()
        from mlrunner.cli import command_line

        return command_line.main()
    except KeyboardInterrupt:  # before the handlers were set
        return 130


if __name__ == "__main__":
    sys.exit(main())
