"""The version of mlrunner, and those of the frameworks it is made of."""

from __future__ import annotations

from mlrunner import __version__

FRAMEWORKS = ("hydra-core", "zenml", "mlflow", "optuna", "scikit-learn")


def describe(is_verbose: bool) -> str:
    """Return the answer to `--version`: one line, with `-v` further ones for Python and the frameworks.

    Args:
        is_verbose: Whether `-v` was given.
    """
    import platform
    from importlib import metadata  # with `email`, which takes a third of the time of --help

    lines = [f"mlrunner {__version__}"]
    if is_verbose:
        lines.append(f"python {platform.python_version()}")
        lines += [f"{name} {metadata.version(name)}" for name in FRAMEWORKS]
    return "\n".join(lines)
