"""What can be compared: runs, sweeps, compositions that were not run, YAML files."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.compose import composing, resolved
from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import SECRETS, redact
from mlrunner.evaluation import uncertainty
from mlrunner.evaluation.uncertainty import Replicates
from mlrunner.history.diff.command_line import diagnosed, parted
from mlrunner.tracking.records import Record, Store, lookup, read_yaml
from mlrunner.tracking.records import snapshot as reading
from mlrunner.tracking.records.snapshot import Frozen, Surroundings

SEARCH = "model.search"  # the ranges of a search decide no result of a run

SEARCHED = ("sampler.", "goal.", "space/")  # how the parameters of a search begin
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Side:
    """One of the things that are compared.

    Args:
        label: What it was called.
        name: What it is, for people.
        frozen: Its composition; of a sweep that of its winner, or of its best run.
        metrics: By part and name; none where nothing has run.
        replicates: Part to what tells how sure its scores are.
        surroundings: What it stood on; None where nothing has run.
        search: Of a sweep: what it searched, how, and how many trials there were; None for a run.
        record: The run; None where nothing has run.
    """

    label: str
    name: str
    frozen: Frozen
    metrics: dict[str, float] = field(default_factory=dict)
    replicates: dict[str, Replicates] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    search: dict[str, Any] | None = None
    record: Record | None = None

    @property
    def metric(self) -> str | None:
        """The metric of the objective; the first of several."""
        told = (self.frozen.config.get("objective") or {}).get("metric")
        return str(told[0] if isinstance(told, list) and told else told) if told is not None else None


def named(store: Store, name: str, home: Path) -> Side:
    """Find a YAML file, a run or a sweep.

    Raises:
        ConfigError: When there is none of that name.
    """
    file = Path(name)
    if file.suffix in SUFFIXES:
        return of_file(file)
    try:
        return of_record(name, lookup.find(store, name, home), store)
    except ConfigError as error:
        if "=" not in name:
            raise
        told = f"'{name}' is no run; a composition stands behind --, like mlrunner diff latest -- {shlex.quote(name)}."
        raise ConfigError(told) from error


def of_file(file: Path) -> Side:
    """Read a YAML file; one that Hydra wrote brings the choices that lie beside it.

    Raises:
        ConfigError: When it cannot be read, or holds no keys.
    """
    import yaml

    if not file.exists():
        raise ConfigError(f"{file} does not exist; name a file that holds keys and values.")
    try:
        raw = read_yaml(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"{file} cannot be read as YAML: {told}; name a file that holds keys and values.") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file} holds no keys; name a composition, like multirun/DAY/TIME/.hydra/config.yaml.")
    beside = {
        name: read_yaml(path.read_text()) if (path := file.parent / f"{name}.yaml").exists() else None
        for name in ("hydra", "overrides")
    }
    is_hydras = file.name == "config.yaml" and beside["hydra"] is not None
    hydra, overrides = (beside["hydra"], beside["overrides"]) if is_hydras else (None, None)
    try:
        config = resolved(OmegaConf.create(raw))
    except OmegaConfBaseException:  # a text with ${ that is no interpolation
        config = raw
    return Side(str(file), str(file), reading.frozen(config, raw, hydra, overrides))


def of_composition(overrides: Sequence[str]) -> Side:
    """Compose what would run.

    Raises:
        MlrunnerError: When it does not compose, or names a folder of configuration that is not there.
    """
    words, folders = parted(overrides)
    with composing(folders) as hydra:
        try:
            found = hydra.compose(words)
        except ConfigError as error:
            raise diagnosed(words, folders, error) from error
    # Runs are recorded without their secrets, and what is told of a comparison is passed on.
    found = replace(found, config=_hidden(found.config), sources=tuple(folders))
    name = redact(" ".join(" ".join(overrides).split())) or "default"
    return Side(name, f"the composition {name}" if overrides else "the default composition", found)


def _hidden(value: Any) -> Any:
    """Hide secrets among resolved values, as they are hidden in the record of a run."""
    if isinstance(value, dict):
        return {
            key: "***" if re.fullmatch(SECRETS, str(key)) and one is not None else _hidden(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    return redact(value) if isinstance(value, str) else value


def of_record(label: str, record: Record, store: Store) -> Side:
    """Read a run or a sweep.

    Raises:
        ConfigError: When the composition is not there.
    """
    leading = lookup.leading(store, record)
    name = f"{record.name or 'run'} ({record.place})"
    search = None
    if record.is_sweep:
        search = _search(record, store)
        name = f"{record.place} ({leading.name})"
    if leading.is_sweep:
        raise ConfigError(f"The sweep {record.place} has no run that came to its end; name one of its runs.")
    told = json.loads(leading.text("noise.json") or "{}")
    return Side(
        label=label,
        name=" ".join(name.split()),
        frozen=reading.of_record(leading),
        metrics=leading.metrics,
        replicates={part: uncertainty.read(one) for part, one in told.items()},
        surroundings=reading.surroundings(leading, store),
        search=search,
        record=leading,
    )


def _search(record: Record, store: Store) -> dict[str, Any]:
    """Describe a sweep: what it varied, how, and what became of its runs."""
    place = record.tags["mlrunner.sweep_id"]
    told: dict[str, Any] = {}
    for begin in SEARCHED:
        below = {name.removeprefix(begin): value for name, value in record.params.items() if name.startswith(begin)}
        told |= {begin[:-1]: below} if below else {}
    return told | {"runs": store.statuses([place]).get(place, {})}
