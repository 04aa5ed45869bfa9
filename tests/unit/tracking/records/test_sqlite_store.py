"""MLflow's SQLite store read without MLflow: the same runs in the same order as MLflow's own client finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from mlrunner.composition import stores
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.history.pruning import plan as planning
from mlrunner.history.pruning import protection
from mlrunner.tracking import records
from mlrunner.tracking.records import DATA_TAG, FOLDER_TAG, filter_grammar, lookup, mlflow_store, sqlite_store
from mlrunner.tracking.records.mlflow_store import MlflowStore
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG
from mlrunner.tracking.records.sqlite_store import SqliteStore

NAN, INFINITY = float("nan"), float("inf")
RUNS: list[dict[str, Any]] = [
    {"name": "default", "m": {"r2": 0.5, "test/r2": 0.4}, "p": {"model": "xgboost", "model.estimator.max_depth": "6"}},
    {"name": "model=rf", "m": {"r2": 0.31, "test/r2": 0.2}, "p": {"model": "rf", "a b": "x"}, "t": {DATA_TAG: "d"}},
    {"name": "model=RF", "m": {"r2": -0.5}, "p": {"model": "RF"}, "t": {"note": "50% of_it"}},
    {"name": "nan", "m": {"r2": NAN, "other": 0.0}, "p": {"model": "rf"}, "t": {"note": "500 ofXit"}},
    {"name": "infinite", "m": {"r2": INFINITY}, "p": {"model": "ridge"}, "t": {"note": "it's"}},
    {"name": "minus", "m": {"r2": -INFINITY, "loss": 1e-7}, "p": {"model": "rf"}, "t": {"note": 'a "b" c'}},
    {"name": "zero", "m": {"r2": 0.0, "loss": 12_345.0}, "t": {"note": "ünï Ünï", "x.y": "1"}},
    {"name": "bare", "t": {"note": ""}},
    {"name": "failed", "status": "FAILED", "m": {"r2": 0.31}, "t": {"mlrunner.sweep_id": "day/one"}},
    {"name": "killed", "status": "KILLED", "m": {"r2": 0.1}, "data": ("orders", "abc", "training")},
    {"name": "data", "m": {"r2": 0.2}, "data": ("orders", "abd", "testing"), "p": {"model": "and"}},
    {"name": "more", "m": {"r2": 0.2, "recall:5": 1.0}, "data": ("wine", "xyz", "training"), "t": {"note": "a and b"}},
    {"name": "same start", "start": 5_000, "m": {"loss": NAN}, "t": {"note": "(a, b)"}},
    {"name": "same start", "start": 5_000, "m": {"loss": 2.0}, "t": {"note": "a;b -- c"}},
    {"name": "deleted", "deleted": True, "m": {"r2": 0.9}},
    {"name": "elsewhere", "experiment": "other", "m": {"r2": 0.9}, "p": {"model": "rf"}},
    {"name": "gone", "experiment": "gone", "m": {"r2": 0.9}},
    {"name": "running", "status": "RUNNING", "m": {"r2": 0.25}},
]


class Made:
    """The same store, read in both ways."""

    def __init__(self, home: Path) -> None:
        self.home, self.uri = home, f"sqlite:///{home}/mlflow.db"
        mlflow.set_tracking_uri(self.uri)
        self.client = MlflowClient()
        self.ids: list[str] = []
        experiments = {name: self.client.create_experiment(name, home.as_uri()) for name in ("main", "other", "gone")}
        for number, told in enumerate(RUNS):
            self.add(experiments[told.get("experiment", "main")], 1_000 * (number + 1), told)
        self.add(experiments["main"], 30_000, {"name": self.ids[1][:6], "t": {FOLDER_TAG: str(home / "multirun/a")}})
        self.client.delete_experiment(experiments["gone"])
        self.ours, self.theirs = SqliteStore(home / "mlflow.db"), MlflowStore(self.uri)

    def add(self, experiment: str, began: int, told: dict[str, Any]) -> None:
        run = self.client.create_run(experiment, told.get("start", began), told.get("t", {}), told["name"])
        run_id = run.info.run_id
        metrics = [Metric(name, value, began, 0) for name, value in told.get("m", {}).items()]
        params = [Param(name, value) for name, value in told.get("p", {}).items()]
        self.client.log_batch(run_id, metrics, params)
        if "data" in told:
            name, digest, context = told["data"]
            entity = Dataset(name, digest, "local", "{}")
            self.client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", context)])])
        if (status := told.get("status", "FINISHED")) != "RUNNING":
            self.client.set_terminated(run_id, status, began + 10)
        if told.get("deleted"):
            self.client.delete_run(run_id)
        self.ids.append(run_id)

    def filled(self, text: str) -> str:
        return text.replace("ID0", self.ids[0]).replace("ID1", self.ids[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    before = mlflow.get_tracking_uri()
    yield Made(tmp_path_factory.mktemp("records"))
    mlflow.set_tracking_uri(before)


def by_mlflow(made: Made, where: str, sort: list[str]) -> list[str]:
    """Ask MLflow with the very words that were typed."""
    experiments = [one.experiment_id for one in made.client.search_experiments()]
    return [run.info.run_id for run in made.client.search_runs(experiments, where, order_by=sort)]


FILTERS = [
    "",
    "metrics.r2 > 0.3",
    "metrics.r2 >= 0.31",
    "metric.r2 < 0.3",
    "metrics.r2 <= -0.5",
    "metrics.`r2` = 0.2",
    "metrics.r2 != 0.2",
    "metrics.r2 = 0",
    "metrics.r2>-1e3",
    "metrics.r2 > 1E300",
    "metrics.loss < 2.",
    "metrics.loss > .5",
    "metrics.loss != 2",
    "metrics.`test/r2` > 0.1",
    'metrics."test/r2" > 0.1',
    "metrics.`recall:5` = 1",
    "metrics.nothing > 0",
    "params.model = 'rf'",
    'params.model = "rf"',
    "param.model != 'rf'",
    "parameters.model LIKE 'r%'",
    "params.model ilike 'R%'",
    "params.model.estimator.max_depth = '6'",
    "params.`a b` = 'x'",
    "params.model IS NULL",
    "params.model is not null",
    "params.model = 'and'",
    'tags.note = "it\'s"',
    "tags.note = 'a \"b\" c'",
    "tags.note = ''",
    "tags.note = 'a and b'",
    "tags.note = '(a, b)'",
    "tags.note = 'a;b -- c'",
    "tags.note LIKE '50% of_it'",
    "tags.note LIKE '%of_it'",
    "tags.note LIKE 'ü%'",
    "tags.note ILIKE 'Ü%'",
    "tag.`x.y` = '1'",
    "tags.x.y IS NOT NULL",
    "tags.`mlrunner.sweep_id` = 'day/one' and metrics.r2 > 0",
    "status = 'FAILED'",
    "attributes.status != 'FINISHED'",
    "attribute.status ILIKE 'f%'",
    "run_name = 'model=rf'",
    "attributes.`Run name` LIKE 'model%'",
    "attributes.run_id = 'ID0'",
    "attributes.run_id IN ('ID0', 'ID1')",
    'run_id in ("ID0")',
    "attributes.run_id NOT IN ('ID0',)",
    "attributes.start_time > 5000",
    "created <= 5000.5",
    "attributes.end_time > 3000",
    "attributes.artifact_uri LIKE '%/artifacts'",
    "attributes.user_id != ''",
    "dataset.name = 'orders'",
    "datasets.digest LIKE 'ab%'",
    "dataset.context = 'training'",
    "dataset.name IN ('orders', 'wine') AND dataset.context != 'testing'",
    "metrics.r2 > 0.1 AND params.model = 'rf' and status = 'FINISHED'",
]


@pytest.mark.parametrize("where", FILTERS)
def test_a_filter_finds_what_mlflow_finds(made: Made, where: str) -> None:
    told = made.filled(where)
    ours, theirs = made.ours.search(told), made.theirs.search(told)
    assert ours == theirs
    assert [record.run_id for record in ours] == by_mlflow(made, told, [])


def test_the_filters_tell_runs_apart(made: Made) -> None:
    found = {tuple(record.run_id for record in made.ours.search(made.filled(where))) for where in FILTERS}
    assert len(found) > 30


@pytest.mark.parametrize("where", ["metrics.test/r2 > 0.1", "metrics.test/r2 > +1E-1", "metrics.test/r2 < 1e+2"])
def test_a_key_of_ours_goes_without_quotes(made: Made, where: str) -> None:
    with pytest.raises(MlflowException):
        by_mlflow(made, where, [])
    assert made.ours.search(where) == made.theirs.search(where) != []


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("metrics.r2", "cannot be read at 'metrics.r2'"),
        ("metrics.r2 >", "cannot be read"),
        ("metrics.r2 > 0.3 or status = 'FAILED'", "at 'or status = 'FAILED'': clauses are joined by and"),
        ("metrics.r2 > 0x10", "cannot be read"),
        ("metrics.r2 > 0.3;", "cannot be read at ';'"),
        ("(metrics.r2 > 0.3)", "cannot be read"),
        ("not metrics.r2 > 0.3", "cannot be read"),
        ("0.3 < metrics.r2", "cannot be read"),
        ("metrics.r2 > nan", "cannot be read"),
        ("metrics.r2 > '5'", "metric r2 needs a number, got '5'"),
        ("metrics.r2 IN (1, 2)", "metric r2 cannot be compared by IN"),
        ("metrics.r2 IS NULL", "metric r2 cannot be compared by IS NULL"),
        ("params.model = rf", "cannot be read"),
        ("params.model = 5", "needs a text in quotes, like '5', got 5"),
        ("params.model > 'a'", "param model cannot be compared by >"),
        ("params.model NOT LIKE 'a'", "param model cannot be compared by NOT LIKE"),
        ("params.model IN ('a')", "param model cannot be compared by IN"),
        ("attributes.status IN ('FAILED')", "attribute status cannot be compared by IN"),
        ("attributes.run_id IN ()", r"needs a list like \('a', 'b'\), got \(\)"),
        ("attributes.run_id IN (a)", "needs a list"),
        ("attributes.start_time > '5'", "start_time needs a number of milliseconds since 1970, got '5'"),
        ("attributes.stauts = 'FAILED'", "runs have no attribute 'stauts'; .* Did you mean 'status'"),
        ("r2 > 0.3", "Metrics are written metrics.r2, parameters params.r2"),
        ("metrcs.r2 > 0.3", "'metrcs' is not a kind of key; .* Did you mean 'metrics'"),
        ("METRICS.r2 > 0.3", "'METRICS' is not a kind of key"),
        ("dataset.profile = 'x'", "runs have no dataset 'profile'; there are name, digest, context"),
        ("dataset.name > 'x'", "dataset name cannot be compared by >"),
    ],
)
def test_what_mlflow_refuses_is_refused(made: Made, where: str, told: str) -> None:
    with pytest.raises(MlflowException):
        by_mlflow(made, where, [])
    for store in (made.ours, made.theirs):
        with pytest.raises(ConfigError, match=told):
            store.search(where)


ORDERS = [
    ["metrics.r2"],
    ["metrics.r2 DESC"],
    ["metrics.`test/r2` desc"],
    ["metrics.loss ASC"],
    ["metrics.loss DESC", "metrics.r2"],
    ["params.model", "metrics.r2 DESC"],
    ['tags."note" DESC'],
    ["status", "run_name DESC"],
    ["attributes.start_time"],
    ["start_time DESC"],
    ["Created"],
    ["attributes.end_time DESC"],
    ["run_id DESC"],
]


@pytest.mark.parametrize("sort", ORDERS, ids=", ".join)
def test_an_order_is_mlflows(made: Made, sort: list[str]) -> None:
    ours, theirs = made.ours.search(sort=sort), made.theirs.search(sort=sort)
    assert ours == theirs
    assert [record.run_id for record in ours] == by_mlflow(made, "", sort)
    assert made.ours.search(sort=sort, limit=3) == made.theirs.search(sort=sort, limit=3) == ours[:3]


@pytest.mark.parametrize(
    "sort",
    [
        ["metrics.r2 DOWN"],
        ["metrics.r2, params.model"],
        [""],
        ["foo.bar"],
        ["attributes.experiment_id"],
        ["dataset.name"],
        ["metrics.r2", "metrics.r2 DESC"],
    ],
    ids=", ".join,
)
def test_an_order_that_mlflow_refuses_is_refused(made: Made, sort: list[str]) -> None:
    with pytest.raises(MlflowException):
        by_mlflow(made, "", sort)
    for store in (made.ours, made.theirs):
        with pytest.raises(ConfigError, match=r"--sort|is not a kind of key|runs have no attribute"):
            store.search(sort=sort)


COMPARED = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
MATCHED = st.sampled_from(["=", "!=", "LIKE", "ILIKE", "like"])
NUMBER = st.one_of(st.sampled_from([0.0, 0.2, 0.31, -0.5, 2.0]), st.floats(-2, 2, allow_nan=False)).map(repr)
WORD = st.sampled_from(["rf", "RF", "r%", "%", "_f", "ridge", "x", "", "FINISHED", "model=rf", "ü%"])
KEYS = st.sampled_from(["params.model", "tags.note", "attributes.status", "run_name", "dataset.name", "params.`a b`"])
METRICS = st.sampled_from(["metrics.r2", "metrics.loss", "metric.`test/r2`", "attributes.start_time"])
CLAUSES = st.one_of(
    st.tuples(METRICS, COMPARED, NUMBER).map(" ".join),
    st.tuples(KEYS, MATCHED, WORD.map(repr)).map(" ".join),
    st.tuples(st.sampled_from(["params.model", "tags.note"]), st.sampled_from(["IS NULL", "is not null"])).map(
        " ".join
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CLAUSES, max_size=3).map(" and ".join), st.sampled_from(ORDERS))
def test_any_filter_finds_what_mlflow_finds(made: Made, where: str, sort: list[str]) -> None:
    assert [record.run_id for record in made.ours.search(where, sort)] == by_mlflow(made, where, sort)


@settings(max_examples=300, deadline=None)
@given(st.text("metricspa.r2 '\"`()=<>!%and0123456789-_/é", max_size=40))
def test_no_text_is_read_in_another_way_than_mlflow_reads_it(where: str) -> None:
    try:
        ours = filter_grammar.parse(where)
    except ConfigError:
        return
    theirs = SearchUtils.parse_search_filter(" and ".join(map(str, ours)))
    assert [one["key"] for one in theirs] == [clause.field.key for clause in ours]
    assert [one["comparator"].upper() for one in theirs] == [clause.comparator for clause in ours]


def test_parents_of_sweeps_may_be_left_out_and_the_limit_still_holds(made: Made) -> None:
    for store in (made.ours, made.theirs):
        found = store.search(parents=False)
        assert "failed" not in [record.name for record in found]
        assert len(found) == len(store.search()) - 1
        assert store.search(parents=False, limit=9) == found[:9]


def test_runs_are_named_by_id_in_this_order(made: Made) -> None:
    wanted = [made.ids[3], "0" * 32, made.ids[1]]
    for store in (made.ours, made.theirs):
        assert [record.name for record in store.read_runs(wanted)] == ["nan", "model=rf"]
        assert store.read_runs([]) == []


def test_a_name_is_stronger_than_the_beginning_of_another_runs_id(made: Made) -> None:
    for store in (made.ours, made.theirs):
        assert lookup.find(store, made.ids[1][:6], made.home).name == made.ids[1][:6]
        assert lookup.find(store, made.ids[1][:7], made.home).name == "model=rf"


def test_the_latest_is_none_that_another_program_recorded(made: Made) -> None:
    for store in (made.ours, made.theirs):
        assert lookup.find(store, "latest", made.home).name == "model=rf"
        for name, told in (("latest~1", "fewer runs have finished"), ("best", "no run has finished yet;")):
            with pytest.raises(ConfigError, match=f"No run matches '{name}': .*{told}"):
                lookup.find(store, name, made.home)


def test_a_folder_is_found_by_every_way_to_it(made: Made) -> None:
    (made.home / "multirun" / "a").mkdir(parents=True)
    (made.home / "way").symlink_to(made.home / "multirun")
    for told in ("multirun/a/", "multirun/b/../a", "way/a"):
        assert lookup.find(made.ours, f"{made.home}/{told}", Path("/nowhere")).name == made.ids[1][:6]


def test_a_name_of_several_runs_removes_none(made: Made) -> None:
    assert planning.named(made.ours, ["zero"], made.home) == {made.ids[6]}
    with pytest.raises(ConfigError, match=r"2 runs are called same start: \w{8}, \w{8}; .* \"attributes.run_name = 's"):
        planning.named(made.ours, ["same start"], made.home)


def test_what_another_machine_deployed_lately_stays(made: Made, tmp_path: Path) -> None:
    for version, run_id in enumerate(made.ids[:3], 1):
        made.client.set_tag(run_id, DEPLOYMENT_TAG, "far")
        made.client.set_tag(run_id, DEPLOYED_VERSION_TAG, str(version))
    found = protection.protected(made.ours, tmp_path)
    assert {run_id: told for run_id, told in found.items() if "far" in told} == {
        made.ids[1]: "was deployed lately as far v2",
        made.ids[2]: "was deployed lately as far v3",
    }
    (tmp_path / ".mlrunner" / "deployments" / "far").mkdir(parents=True)
    (tmp_path / ".mlrunner" / "deployments" / "far" / "history.jsonl").touch()  # it is of this machine
    assert "far" not in str(protection.protected(made.ours, tmp_path))


def test_bare_records_are_the_same_runs_without_the_rest(made: Made) -> None:
    found = made.ours.search(fields=records.Fields())
    assert [record.run_id for record in found] == [record.run_id for record in made.ours.search()]
    assert all(not record.params and not record.metrics and not record.tags for record in found)


def test_labels_are_what_can_be_typed(made: Made) -> None:
    for store in (made.ours, made.theirs):
        assert store.list_labels("model", 10) == ["model=RF", "model=rf"]
        assert store.list_labels("day/", 10) == ["day/one"]
        assert store.list_labels("", 10, sweeps=True) == ["day/one"]
        assert store.list_labels(made.ids[0][:10], 10) == [made.ids[0][:10]]
        assert "same start" not in store.list_labels("", 100)
        assert len(store.list_labels("", 3)) <= 9


def test_statuses_and_champions_are_the_same(made: Made) -> None:
    assert made.ours.count_statuses(["day/one"]) == made.theirs.count_statuses(["day/one"]) == {}
    assert made.ours.find_champions() == made.theirs.find_champions() == {}


def test_without_a_store_nothing_is_found_and_nothing_made(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "mlflow.db")
    assert store.search("metrics.r2 > 1") == store.list_labels("", 5) == []
    assert store.count_statuses(["day/one"]) == store.find_champions() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_filter_is_refused_before_the_store_is_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        SqliteStore(tmp_path / "mlflow.db").search("what?")


def test_another_schema_is_left_to_mlflow(made: Made, tmp_path: Path) -> None:
    assert sqlite_store.can_read(made.ours.file)
    with sqlite_store.sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE runs (run_uuid TEXT)")
    database.close()
    assert not sqlite_store.can_read(tmp_path / "other.db")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to be looked at as one")
    with pytest.raises(StoreError, match="cannot be read: file is not a database"):
        SqliteStore(tmp_path / "mlflow.db").search()


def test_the_store_is_the_stacks_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert stores.tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/.mlrunner/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
    assert stores.tracking_uri(tmp_path) == "http://elsewhere:5000"


def test_every_page_of_the_registry_is_read(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_store, "PAGE", 1)
    for name, run_id in zip(("one", "two", "three"), made.ids, strict=False):
        made.client.create_registered_model(name)
        version = made.client.create_model_version(name, "file:///nowhere", run_id).version
        made.client.set_registered_model_alias(name, "champion", version)
    assert made.ours.find_champions() == made.theirs.find_champions()
    assert len(made.ours.find_champions()) == 3
    assert made.ours.read_aliases() == made.theirs.read_aliases()
