"""The gate of several conditions: `gate=all_of`."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from mlrunner.core.build import build, dataclass
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.groups.gate import Decision, Evidence, Gate
from mlrunner.groups.gate.comparing import every, refusal


@dataclass
class AllOf(Gate):
    """Opens when each condition that is set does; one that is null, or whose own number is, is left out.

    A mapping and no list, so that a condition is set from the command line by its name.
    """

    gates: dict[str, dict[str, Any] | None]

    def __post_init__(self) -> None:
        """Build every condition, so that the mistakes in all of them are told together.

        Raises:
            ProblemsError: With one sentence for each.
        """
        wrong: list[str] = []
        for name in self.gates:
            try:
                self._build(name)
            except ProblemsError as error:
                wrong += error.problems
            except MlrunnerError as error:
                wrong.append(str(error))
        if wrong:
            raise ProblemsError(wrong)

    @cached_property
    def every_condition(self) -> dict[str, Gate]:
        """The conditions by name, those whose number is null included."""
        built = {name: self._build(name) for name in self.gates}
        return {name: gate for name, gate in built.items() if gate is not None}

    @property
    def conditions(self) -> dict[str, Gate]:
        """The conditions that are set, by name."""
        return {name: gate for name, gate in self.every_condition.items() if gate.unset is None}

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
        """The scores that the conditions read, by the key of each."""
        return {
            f"gate.gates.{name}.{key.removeprefix('gate.')}": metric
            for name, gate in self.conditions.items()
            for key, metric in gate.metrics.items()
        }

    @property
    def needs_champion(self) -> bool:
        """Whether any condition does."""
        return any(gate.needs_champion for gate in self.conditions.values())

    @property
    def needs_costs(self) -> bool:
        """Whether any condition does."""
        return any(gate.needs_costs for gate in self.conditions.values())

    @property
    def unset(self) -> str | None:
        """The conditions, while none is set."""
        return None if self.conditions else "gates"

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Tell the problems of each condition, or that none is set."""
        told = {name: gate.problems(task, f"{key}.gates.{name}") for name, gate in self.conditions.items()}
        if told:
            return [sentence for sentences in told.values() for sentence in sentences]
        unset = " or ".join(f"{key}.gates.{name}.{gate.unset}" for name, gate in self.every_condition.items())
        numbers = f"give a number to {unset}, or " if unset else ""
        return [f"{key}.gates sets no condition; {numbers}choose gate=none."]

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Ask every condition; the reason names those that failed, or all when none did."""
        wrong = self.problems()
        if wrong:
            return refusal(wrong)
        decisions = {name: gate.decide(candidate, champion) for name, gate in self.conditions.items()}
        return every(Decision(deploy, f"{name}: {reason}") for name, (deploy, reason) in decisions.items())
