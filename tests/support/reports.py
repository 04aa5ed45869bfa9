"""Content of reports, made without a real store."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from matplotlib.figure import Figure
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from mlrunner.core.outcome import Outcome
from mlrunner.evaluation.plots import search as search_plots
from mlrunner.groups.dataset.profile import profile
from mlrunner.history import report
from mlrunner.history.report.content import Content
from mlrunner.tracking.records import STUDY_TAG, TRIAL_TAG, Fields, Record, Store
from tests.support import outcomes
from tests.support.records import make_record

SWEEP = "2026-01-02/03-04-05-678901"


HOSTILE = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\"'"


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class ListStore(Store):
    """A store of records in memory.

    Args:
        records: Runs and parents of sweeps.
    """

    def __init__(self, *records: Record) -> None:
        self.records = list(records)

    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        fields: Fields | None = None,
    ) -> list[Record]:
        """Find a run by id, or all trials."""
        del sort, limit, parents, fields
        match = re.search(r"attributes.run_id = '(\w+)'", where)
        if match is not None:
            return [record for record in self.records if record.run_id == match[1]]
        return [record for record in self.records if TRIAL_TAG in record.tags]

    def count_statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count nothing."""
        return {sweep: {} for sweep in sweeps}

    def read_aliases(self) -> list[tuple[str, str, int, str]]:
        """Find none."""
        return []


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of all tags of a name."""
        return [attributes for tag, attributes in self.tags if tag == name]


def make_run(folder: Path, run_id: str = "a" * 32, **fields: Any) -> Record:
    """Make a run with a folder for its files."""
    (folder / run_id[:4]).mkdir(exist_ok=True)
    defaults: dict[str, Any] = {
        "name": "model=ridge",
        "end": 1_700_000_012_345,
        "artifact_uri": (folder / run_id[:4]).as_uri(),
        "params": {"dataset.name": "orders", "dataset.target": "price", "dataset.task": "regression", "model": "ridge"},
        "metrics": {"r2": 0.5, "validation/r2": 0.5, "test/r2": 0.4, "train/r2": 0.6, "train/rmse": 12345.6},
        "tags": {"mlrunner.model": "models:/m-1"},
    }
    return make_record(run_id=run_id, **{**defaults, **fields})


def make_outcome(number: int, value: float = 0.5, **fields: Any) -> Outcome:
    """Make the outcome of a job; fields replace the defaults."""
    place = {"name": f"model=ridge,alpha={number}", "run_id": f"{number:x}" * 32, "job": number, "folder": ""}
    scores = {"objective": value, "metrics": {"r2": value, "validation/r2": value}, "model_uri": None}
    durations = {"seconds": 2.0, "fit_seconds": 0.1 * (number + 1), "score_seconds": 0.1}
    return outcomes.make_outcome(**{**place, **scores, **durations, **fields})


def make_grid(folder: Path, outcomes: list[Outcome], best: int | None = 0, **tags: str) -> Content:
    """Gather a sweep of outcomes, one of which may be the best."""
    lead = make_run(folder, f"{best:x}" * 32 if best is not None else "f" * 32)
    all_tags = {"mlrunner.sweep_id": SWEEP, **tags}
    all_tags |= {"mlrunner.best_run_id": lead.run_id} if best is not None else {}
    parent = make_run(folder, "e" * 32, name="dataset=orders,model=ridge", params={}, metrics={}, tags=all_tags)
    return report.gather_content(parent, ListStore(parent, lead), outcomes)


def make_study(values: list[float]) -> optuna.Study:
    """Make a study with a complete trial for each value."""
    created = optuna.create_study(study_name="mine", direction="maximize")
    for k, value in enumerate(values):
        ranges = {name: FloatDistribution(0, 10_000) for name in ("a", "<b>&")}
        created.add_trial(create_trial(value=value, params={"a": k, "<b>&": 2.0 * k}, distributions=ranges))
    return created


@cache
def draw_figures(objective: str = "r2") -> dict[str, Figure]:
    """Draw the figures of a study of four trials."""
    return dict(search_plots.draw_search_figures(make_study([0.1, 0.5, 0.3, 0.2]), [objective]))


def make_search(folder: Path) -> Content:
    """Gather a search of two trials, with figures of four."""
    content = make_grid(folder, [make_outcome(0), make_outcome(1, 0.4)], **{STUDY_TAG: "mine"})
    return replace(content, figures=draw_figures())


def run_content(record: Record) -> Content:
    """Gather a run."""
    return report.gather_content(record, ListStore(record))


def make_hostile(folder: Path) -> Content:
    """Gather a search with an attack in each text."""
    best = make_outcome(0, name=f"model={HOSTILE},x={HOSTILE}")
    failed = make_outcome(1, math.nan, status="FAILED", error=HOSTILE, name=HOSTILE)
    content = make_grid(folder, [best, make_outcome(2, 0.1), failed], **{STUDY_TAG: HOSTILE})
    assert content.lead is not None
    (folder / "0000" / "environment").mkdir()
    (folder / "0000" / "environment" / "requirements.txt").write_text(f"# Python {HOSTILE}\nnumpy==<b>1</b>\n")
    params = {**content.lead.params, "dataset.name": HOSTILE, "dataset.target": HOSTILE, "cleaning": HOSTILE}
    lead = replace(content.lead, params=params, metrics={"r2": 0.1, f"test/{HOSTILE}": 1.0}, name=HOSTILE)
    lead = replace(lead, tags={**lead.tags, "mlrunner.gate.decision": "open", "mlrunner.gate.reason": HOSTILE})
    rows = pd.DataFrame({HOSTILE: [HOSTILE, "b", None], "n": [1.0, 2.0, 3.0]})
    note = {"fingerprint": "digest", "target": HOSTILE, **profile(rows)}
    (folder / "0000" / "data.json").write_text(json.dumps(note))
    lead = replace(lead, tags={**lead.tags, "mlrunner.data_hash": "digest"})
    subject = replace(content.subject, name=HOSTILE, params={f"space/{HOSTILE}": HOSTILE})
    return replace(content, subject=subject, lead=lead, figures=draw_figures(HOSTILE), verdict=HOSTILE)


def make_orders() -> pd.DataFrame:
    """Make a small table with missing values."""
    return pd.DataFrame({"price": [1.0, 2.0, 2.0, np.nan], "id": [1, 2, 3, 4], "town": ["a", "b", "a", None]})


def make_recorded(folder: Path, table: pd.DataFrame, **params: str) -> Content:
    """Gather a run that recorded a table."""
    record = make_run(folder, tags={"mlrunner.data_hash": "digest"})
    params = {**record.params, "dataset.target": "price", "dataset.name": "orders", "dataset.path": "a.csv", **params}
    note = {"fingerprint": "digest", "target": "price", **profile(table)}
    (folder / "aaaa" / "data.json").write_text(json.dumps(note))
    return run_content(replace(record, params=params))


def break_write(*_: Any) -> Path:
    """Fail like a full disk; the message contains a secret."""
    raise OSError("no space at\npostgresql://me:hunter2@host")
