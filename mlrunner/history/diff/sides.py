"""Read the sides of a comparison: runs, sweeps, compositions that were not run, and YAML files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.compose import open_composer, resolve_partially
from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import redact, redact_values
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.evaluation import uncertainty
from mlrunner.evaluation.uncertainty import Replicates
from mlrunner.history.diff.command_line import explain_error, separate_folders
from mlrunner.tracking.records import Record, Store, lookup
from mlrunner.tracking.records import snapshot as reading
from mlrunner.tracking.records.record import REPLICATES_FILE, SWEEP_TAG
from mlrunner.tracking.records.snapshot import Provenance, Snapshot

SEARCH = "model.search"  # the ranges of a search do not affect the result of a run
SEARCH_PREFIXES = ("sampler.", "goal.", "space/")  # of the parameters of a search
# Of a run that did not finish, whose scores are missing or incomplete.
ENDINGS = {"FAILED": ", which failed", "KILLED": ", which was killed or pruned", "RUNNING": ", which is running"}
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        label: Name that the user gave.
        name: Description for people.
        snapshot: Composition; for a sweep that of its winner or best run.
        metrics: Metrics by part and name; empty if nothing was run.
        replicates: Replicates by part, from which the uncertainty of scores is computed.
        provenance: Data, code and environment; None if nothing was run.
        search: Space, sampler, goal and number of trials of a sweep; None for others.
        record: Run; None if nothing was run.
    """

    label: str
    name: str
    snapshot: Snapshot
    metrics: dict[str, float] = field(default_factory=dict)
    replicates: dict[str, Replicates] = field(default_factory=dict)
    provenance: Provenance | None = None
    search: dict[str, Any] | None = None
    record: Record | None = None

    @property
    def metric(self) -> str | None:
        """The metric of the objective; the first of several."""
        metric = (self.snapshot.config.get("objective") or {}).get("metric")
        return str(metric[0] if isinstance(metric, list) and metric else metric) if metric is not None else None


def find_side(store: Store, name: str, home: Path) -> Side:
    """Find a YAML file, a run or a sweep by name.

    Raises:
        ConfigError: If no file and no run has that name.
    """
    file = Path(name)
    if file.suffix in SUFFIXES:
        return read_file(file)
    try:
        return read_run(name, lookup.find(store, name, home), store)
    except ConfigError as error:
        if "=" not in name:
            raise
        hint = f"'{name}' is not a run; a composition goes after --, like mlrunner diff latest -- {shlex.quote(name)}."
        raise ConfigError(hint) from error


def read_file(file: Path) -> Side:
    """Read a YAML file; one that Hydra saved is read with the choices saved beside it.

    Raises:
        ConfigError: If it cannot be read, or contains no keys.
    """
    import yaml

    if not file.exists():
        raise ConfigError(f"{file} does not exist; name a YAML file of keys and values.")
    try:
        raw = read_yaml(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{file} cannot be read as YAML: {reason}; name a YAML file of keys and values.") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file} contains no keys; name a composition, like multirun/DAY/TIME/.hydra/config.yaml.")
    saved = {
        name: read_yaml(path.read_text()) if (path := file.parent / f"{name}.yaml").exists() else None
        for name in ("hydra", "overrides")
    }
    is_saved_by_hydra = file.name == "config.yaml" and saved["hydra"] is not None
    hydra, overrides = (saved["hydra"], saved["overrides"]) if is_saved_by_hydra else (None, None)
    try:
        config = resolve_partially(OmegaConf.create(raw))
    except OmegaConfBaseException:  # a text contains ${ without being an interpolation
        config = raw
    return Side(str(file), str(file), reading.make_snapshot(config, raw, hydra, overrides))


def compose_side(overrides: Sequence[str]) -> Side:
    """Compose a configuration without running it.

    Raises:
        MlrunnerError: If it cannot be composed, or a configuration folder does not exist.
    """
    words, folders = separate_folders(overrides)
    with open_composer(folders) as hydra:
        try:
            snapshot = hydra.compose(words)
        except ConfigError as error:
            raise explain_error(words, folders, error) from error
    # Runs are recorded without secrets, and a comparison is passed on to others.
    snapshot = replace(snapshot, config=redact_values(snapshot.config), sources=tuple(folders))
    name = redact(" ".join(" ".join(overrides).split())) or "default"
    return Side(name, f"the composition {name}" if overrides else "the default composition", snapshot)


def read_run(label: str, record: Record, store: Store) -> Side:
    """Read a run or a sweep.

    Raises:
        ConfigError: If its composition is missing.
    """
    run = lookup.resolve_sweep(store, record)
    ending = ENDINGS.get(record.status, "")
    name = f"{record.name or 'run'} ({record.place}){ending}"
    search = None
    if record.is_sweep:
        search = _describe_search(record, store)
        name = f"{record.place} ({run.name}){ending}"
    if run.is_sweep:
        raise ConfigError(f"The sweep {record.place} has no completed run; name one of its runs.")
    replicates = json.loads(run.read_text(REPLICATES_FILE) or "{}")
    return Side(
        label=label,
        name=" ".join(name.split()),
        snapshot=reading.read_snapshot(run),
        metrics=run.metrics,
        replicates={part: uncertainty.parse_replicates(values) for part, values in replicates.items()},
        provenance=reading.read_provenance(run, store),
        search=search,
        record=run,
    )


def _describe_search(record: Record, store: Store) -> dict[str, Any]:
    """Describe a sweep: its space, sampler, goal, and the statuses of its runs."""
    sweep = record.tags[SWEEP_TAG]
    search: dict[str, Any] = {}
    for prefix in SEARCH_PREFIXES:
        params = {name.removeprefix(prefix): value for name, value in record.params.items() if name.startswith(prefix)}
        search |= {prefix[:-1]: params} if params else {}
    return search | {"runs": store.count_statuses([sweep]).get(sweep, {})}
