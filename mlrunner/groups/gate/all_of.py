"""Gate with several conditions: `gate=all_of`."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from mlrunner.core.build import build, dataclass
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.groups.gate import Decision, Gate, GateInputs
from mlrunner.groups.gate.comparison import combine, refuse


@dataclass
class AllOf(Gate):
    """Gate that opens when each of its conditions does.

    Args:
        gates: Conditions by name, so that the command line can set one; a condition that is null, or whose required
            number is null, is left out.
    """

    gates: dict[str, dict[str, Any] | None]

    def __post_init__(self) -> None:
        """Build every condition, so that the mistakes of all are reported together.

        Raises:
            ProblemsError: When conditions cannot be built; one sentence for each mistake.
        """
        problems: list[str] = []
        for name in self.gates:
            try:
                self._build(name)
            except ProblemsError as error:
                problems += error.problems
            except MlrunnerError as error:
                problems.append(str(error))
        if problems:
            raise ProblemsError(problems)

    @cached_property
    def every_condition(self) -> dict[str, Gate]:
        """Conditions by name, including those whose required number is null."""
        gates = {name: self._build(name) for name in self.gates}
        return {name: gate for name, gate in gates.items() if gate is not None}

    @property
    def conditions(self) -> dict[str, Gate]:
        """Active conditions by name."""
        return {name: gate for name, gate in self.every_condition.items() if gate.missing_setting is None}

    def _build(self, name: str) -> Gate | None:
        settings, key = self.gates[name], f"gate.gates.{name}"
        if settings is None:
            return None
        if settings.get("_target_") is None:
            raise ProblemsError(
                [f"{key}._target_ is not set; name a class, like mlrunner.groups.gate.thresholds.Threshold."]
            )
        gate: Gate = build(settings, key, Gate)
        return gate

    @property
    def metrics(self) -> dict[str, str]:
        """See `Gate.metrics`."""
        return {
            f"gate.gates.{name}.{key.removeprefix('gate.')}": metric
            for name, gate in self.conditions.items()
            for key, metric in gate.metrics.items()
        }

    @property
    def needs_champion(self) -> bool:
        """See `Gate.needs_champion`."""
        return any(gate.needs_champion for gate in self.conditions.values())

    @property
    def needs_costs(self) -> bool:
        """See `Gate.needs_costs`."""
        return any(gate.needs_costs for gate in self.conditions.values())

    @property
    def missing_setting(self) -> str | None:
        """See `Gate.missing_setting`; `gates` when no condition is active."""
        return None if self.conditions else "gates"

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`; without an active condition, name the settings that activate one."""
        problems = [gate.problems(task, f"{key}.gates.{name}") for name, gate in self.conditions.items()]
        if problems:
            return [problem for condition in problems for problem in condition]
        unset = " or ".join(f"{key}.gates.{name}.{gate.missing_setting}" for name, gate in self.every_condition.items())
        hint = f"give a number to {unset}, or " if unset else ""
        return [f"{key}.gates sets no condition; {hint}choose gate=none."]

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`; the reason names the conditions that failed, or all when none did."""
        problems = self.problems()
        if problems:
            return refuse(problems)

        decisions = {name: gate.decide(candidate, champion) for name, gate in self.conditions.items()}
        return combine(Decision(deploy, f"{name}: {reason}") for name, (deploy, reason) in decisions.items())
