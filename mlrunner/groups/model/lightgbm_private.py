"""Read LightGBM's other names for its parameters, which it does not publish; read in LightGBM 4.7.0."""

from __future__ import annotations

from importlib import import_module


def parameter_aliases() -> set[str] | None:
    """Return every name of every parameter that LightGBM accepts as a keyword argument, like `feature_fraction`.

    Returns:
        Names; None when the installed release does not have the private table.
    """
    table = getattr(import_module("lightgbm.basic"), "_ConfigAliases", None)
    read = getattr(table, "_get_all_param_aliases", None)
    if read is None:
        return None
    aliases: dict[str, list[str]] = read()
    return {alias for name, others in aliases.items() for alias in (name, *others)}
