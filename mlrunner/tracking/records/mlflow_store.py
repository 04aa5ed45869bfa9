"""Read any store of MLflow's through its client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.tracking.records import SWEEP, TRIAL, WINNER_OF, Only, Record, Store, filter_grammar, quoted

PAGE = 1000  # runs or models a request


class ClientStore(Store):
    """MLflow's own client on a store.

    Args:
        uri: Of the tracking store.
    """

    def __init__(self, uri: str) -> None:
        mlflow.set_tracking_uri(uri)
        self.uri = uri
        self.client = MlflowClient(uri)

    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        only: Only | None = None,  # noqa: ARG002 - MLflow answers with all there is
    ) -> list[Record]:
        """See `Store.search`."""
        where = " and ".join(map(str, filter_grammar.parse(where)))  # keys in quotes, for MLflow takes some only so
        sort = [str(key) for key in filter_grammar.parse_order(sort)]
        found: list[Record] = []
        token: str | None = None
        try:
            names = {str(one.experiment_id): str(one.name) for one in self.client.search_experiments()}
            while limit is None or len(found) < limit:
                size = PAGE if limit is None else min(PAGE, limit - len(found))
                page = self.client.search_runs(list(names), where, max_results=size, order_by=sort, page_token=token)
                records = [record_of(run, names) for run in page]
                found += [record for record in records if parents or not record.is_sweep]
                token = page.token
                if not token:
                    break
        except MlflowException as error:
            if error.error_code == "INVALID_PARAMETER_VALUE":
                raise ConfigError(f"MLflow does not take this: {str(error).splitlines()[0]}") from error
            raise StoreError(f"MLflow's store {self.uri} does not answer: {str(error).splitlines()[0]}") from error
        return found

    def statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """See `Store.statuses`."""
        found: dict[str, dict[str, int]] = {}
        for sweep in sweeps:
            for record in self.search(f"tags.`{SWEEP}` = {quoted(sweep)} and tags.`{TRIAL}` IS NOT NULL"):
                if WINNER_OF not in record.tags:
                    counts = found.setdefault(sweep, {})
                    counts[record.status] = counts.get(record.status, 0) + 1
        return found

    def aliases(self) -> list[tuple[str, str, int, str]]:
        """See `Store.aliases`."""
        return sorted(
            (str(model.name), str(alias), int(number), str(self.client.get_model_version(model.name, number).run_id))
            for model in registered(self.client)
            for alias, number in model.aliases.items()
        )


def registered(client: MlflowClient) -> Iterator[RegisteredModel]:
    """Read every model of the registry, page by page."""
    page = client.search_registered_models(max_results=PAGE)
    yield from page
    while page.token:
        page = client.search_registered_models(max_results=PAGE, page_token=page.token)
        yield from page


def record_of(run: Run, experiments: dict[str, str]) -> Record:
    """Turn MLflow's run into plain values."""
    info, data = run.info, run.data
    return Record(
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
