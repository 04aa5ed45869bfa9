"""Record a composition in its MLflow run: name, tags, parameters, configuration, data, code and environment."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from cachetools import LRUCache, cached

from mlrunner.composition.option_files import read_option_files
from mlrunner.core.redaction import redact_override
from mlrunner.groups.dataset.profile import profile
from mlrunner.tracking import artifacts, provenance
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import (
    CONFIG_HASH_TAG,
    DATA_TAG,
    DIRECTION_TAG,
    FOLDER_TAG,
    LEFT_OUT_TAG,
    OVERRIDES_TAG,
    PARENT_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    USED_TAG,
    warning_tags,
)
from mlrunner.tracking.run_log import create_run, derive_sweep_id, ensure_experiment, flatten, log_dataset, log_params

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.composition.composition import Composition, Launch
    from mlrunner.groups.cleaning.column_use import ColumnUse

TAG_LENGTH = 5000  # characters; MLflow refuses longer values
MORE_LENGTH = 30  # characters of "and 1,234 more"
DATA_FILE, CODE_FILE, OPTIONS_FILE = "data.json", "environment/code.json", "environment/options.json"


def open_run(checked: Checked, start: int) -> str:
    """Create the MLflow run of a composition.

    Args:
        checked: Composition from `checks.check`.
        start: Start time in milliseconds since 1970.

    Returns:
        ID of the run.
    """
    composition = checked.composition
    experiment = ensure_experiment(composition.settings.tracking.experiment, checked.stack.artifact_location)
    tags = {**make_tags(composition, checked.data.fingerprint), **warning_tags(checked.notices)}
    tags |= describe_columns(checked.columns)
    return str(create_run(experiment, composition.name, tags, start).run_id)


def describe_columns(columns: ColumnUse) -> dict[str, str]:
    """Return tags with the columns that become features, and those that do not; `data.json` has the whole lists."""
    left_out = [f"{name} ({reason})" for name, reason in columns.left_out.items()]
    return {USED_TAG: _join(columns.used), LEFT_OUT_TAG: _join(left_out)}


def _join(names: list[str]) -> str:
    """Join names up to the length of a tag, and count the others."""
    text = ", ".join(names)
    if len(text) <= TAG_LENGTH:
        return text
    start = text[: TAG_LENGTH - MORE_LENGTH].rpartition(", ")[0]
    return f"{start} and {len(names) - start.count(', ') - 1:,} more"


def log_composition(run_id: str, checked: Checked) -> None:
    """Log the configuration as parameters, and the data set."""
    composition, data = checked.composition, checked.data
    log_params(run_id, {**composition.launch.choices, **flatten(composition.recorded)})
    log_dataset(run_id, data.dataset.label, composition.recorded["dataset"], data.fingerprint)


def make_tags(composition: Composition, fingerprint: str) -> dict[str, str]:
    """Make the tags of a run."""
    launch = composition.launch
    return {
        **provenance.source_tags(),
        **({PARENT_TAG: launch.parent} if launch.parent is not None else {}),
        **(_sweep_tags(launch.sweep or launch.folder.parent, launch.job) if launch.job is not None else {}),
        CONFIG_HASH_TAG: composition.config_hash,
        DATA_TAG: fingerprint,
        DIRECTION_TAG: composition.settings.direction,
        FOLDER_TAG: str(launch.folder),
        OVERRIDES_TAG: describe_overrides(launch),
        **{name: str(value) for name, value in composition.settings.tracking.tags.items()},
    }


def describe_overrides(launch: Launch) -> str:
    """Write the overrides that change the result as a JSON list that fits into a tag."""
    overrides = [redact_override(text) for text in launch.significant_overrides]
    while len(text := json.dumps(overrides)) > TAG_LENGTH:
        overrides = [*overrides[: len(overrides) // 2], "…"]
    return text


def _sweep_tags(sweep: Path, job: int) -> dict[str, str]:
    return {SWEEP_TAG: derive_sweep_id(sweep), TRIAL_TAG: str(job)}


def write_yaml(config: dict[str, Any]) -> str:
    """Write a resolved configuration as YAML."""
    plain = json.loads(json.dumps(config, default=str))
    return str(yaml.dump(plain, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def log_sources_and_data(run_id: str, checked: Checked) -> None:
    """Save a profile of the data, and a digest of each source file that the composition runs on."""
    data = checked.data
    description = {
        "fingerprint": data.fingerprint,
        "target": data.dataset.target,
        "use": asdict(checked.columns),
        **_profile(checked),
    }
    RECORDER.submit(artifacts.log_documents, run_id, {DATA_FILE: description, CODE_FILE: checked.source_digests})


def _table_key(checked: Checked) -> str:
    """Identify a table: the same file is read differently with other values of `dataset`."""
    return json.dumps([checked.data.fingerprint, checked.composition["dataset"]], default=str)


@cached(LRUCache(maxsize=1), key=_table_key)  # the runs of a grid share a table
def _profile(checked: Checked) -> dict[str, Any]:
    return profile(checked.data.table)


def log_environment(run_id: str, composition: Composition) -> None:
    """Save the configuration, the files of Hydra and of each option, the installed packages and the state of git."""
    git = provenance.read_git()
    texts = {
        "config.yaml": write_yaml(composition.recorded),
        "environment/requirements.txt": provenance.list_packages(),
        "environment/git.json": json.dumps({name: text for name, text in git.items() if name != "diff"}),
        "environment/dirty.diff": git.get("diff", ""),
        OPTIONS_FILE: json.dumps(read_option_files(composition.launch.folder), indent=2),
    }
    RECORDER.submit(artifacts.log_texts, run_id, texts)
    RECORDER.submit(artifacts.log_hydra_files, run_id, composition.launch.folder)
