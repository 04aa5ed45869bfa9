"""A process that an orchestrator has started in a container, for one step of a pipeline."""

from __future__ import annotations

from mlrunner.core import environment

VARIABLE = "MLRUNNER_ONE_STEP"
HANDED_OVER = (environment.VERBOSE_VARIABLE, environment.TRUSTED_VARIABLE)


def variables() -> dict[str, str]:
    """Return our variables of such a process; ZenML records them, and none is a secret."""
    own = {name: value for name in HANDED_OVER if (value := environment.variable(name)) is not None}
    return {**environment.DEFAULTS, **own, environment.HOME_VARIABLE: str(environment.home()), VARIABLE: "1"}


def is_here() -> bool:
    """Check whether this process is such a one."""
    return environment.variable(VARIABLE) is not None
