"""Read any tracking store through MLflow's client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import ConfigError, StoreError, first_line
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, Fields, Record, Store, filter_grammar, quote
from mlrunner.tracking.records.liveness import make_record
from mlrunner.tracking.records.record import INTERRUPTED, INTERRUPTED_TAG

PAGE = 1000  # runs or models a request


class MlflowStore(Store):
    """A tracking store behind MLflow's client."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.client = MlflowClient(uri)

    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        fields: Fields | None = None,  # noqa: ARG002 - MLflow returns all of them
    ) -> list[Record]:
        """See `Store.search`."""
        where = " and ".join(map(str, filter_grammar.parse(where)))  # with each key in quotes, as MLflow needs some
        sort = [str(key) for key in filter_grammar.parse_order(sort)]
        records: list[Record] = []
        token: str | None = None
        try:
            names = {str(item.experiment_id): str(item.name) for item in self.client.search_experiments()}
            while limit is None or len(records) < limit:
                size = PAGE if limit is None else min(PAGE, limit - len(records))
                page = self.client.search_runs(list(names), where, max_results=size, order_by=sort, page_token=token)
                read = [to_record(run, names) for run in page]
                records += [record for record in read if parents or not record.is_sweep]
                token = page.token
                if not token:
                    break
        except MlflowException as error:
            reason = first_line(error)
            if error.error_code == "INVALID_PARAMETER_VALUE":
                raise ConfigError(f"MLflow rejects the search: {reason}.") from error
            raise StoreError(f"MLflow's store {self.uri} does not answer: {reason}.") from error
        return records

    def count_statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """See `Store.count_statuses`."""
        counts: dict[str, dict[str, int]] = {}
        for sweep in sweeps:
            records = self.search(f"tags.`{SWEEP_TAG}` = {quote(sweep)} and tags.`{TRIAL_TAG}` IS NOT NULL")
            last: dict[str, Record] = {}
            for record in sorted(records, key=lambda each: (INTERRUPTED_TAG not in each.tags, each.start)):
                if WINNER_OF_TAG not in record.tags:
                    last[record.tags[TRIAL_TAG]] = record
            statuses = [INTERRUPTED if INTERRUPTED_TAG in each.tags else each.status for each in last.values()]
            counts |= {sweep: dict(Counter(statuses))} if statuses else {}
        return counts

    def read_aliases(self) -> list[tuple[str, str, int, str]]:
        """See `Store.read_aliases`."""
        return sorted(
            (str(model.name), str(alias), int(number), str(self.client.get_model_version(model.name, number).run_id))
            for model in list_registered_models(self.client)
            for alias, number in model.aliases.items()
        )


def list_registered_models(client: MlflowClient) -> Iterator[RegisteredModel]:
    """Read every registered model, page by page."""
    page = client.search_registered_models(max_results=PAGE)
    yield from page
    while page.token:
        page = client.search_registered_models(max_results=PAGE, page_token=page.token)
        yield from page


def to_record(run: Run, experiments: dict[str, str]) -> Record:
    """Convert MLflow's run; `experiments` gives names by id."""
    info, data = run.info, run.data
    return make_record(
        run_id=str(info.run_id),
        name=str(info.run_name or ""),
        status=str(info.status),
        start=int(info.start_time or 0),
        end=info.end_time,
        experiment=experiments.get(str(info.experiment_id), str(info.experiment_id)),
        artifact_uri=str(info.artifact_uri),
        params=dict(data.params),
        metrics={name: value for name, value in data.metrics.items() if value == value},
        tags=dict(data.tags),
    )
