"""Versions of the stores."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.exceptions import MlflowException
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base

from mlrunner.core.errors import StoreError
from mlrunner.groups.stack import schema

OLD = "Detected out-of-date database schema (found version {}, but expected dc11669786a5). Take a backup"


def test_a_new_folder_has_the_layout_of_this_version(tmp_path: Path) -> None:
    schema.check_layout(tmp_path / "absent")
    schema.mark_layout(tmp_path)
    schema.mark_layout(tmp_path)
    assert (tmp_path / "layout").read_text() == "1\n"


@pytest.mark.parametrize("text", ["2", "x"])
def test_the_folder_of_a_newer_version_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "layout").write_text(text)
    message = rf"\.*was written by a newer mlrunner \(layout {text}; this one reads up to 1\); install the newer one,"
    for check in (schema.check_layout, schema.mark_layout):
        with pytest.raises(StoreError, match=message):
            check(tmp_path)


def make_old_database(file: Path) -> str:
    """Make MLflow's tables as they were before its newest migration, and return the newest revision."""
    uri = f"sqlite:///{file}"
    engine, config = sqlalchemy.create_engine(uri), _get_alembic_config(uri)
    Base.metadata.create_all(engine)
    scripts = ScriptDirectory.from_config(config)
    newest = str(scripts.get_current_head())
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, str(scripts.get_revision(newest).down_revision))
    engine.dispose()
    return newest


def test_an_older_database_of_mlflow_is_upgraded(tmp_path: Path) -> None:
    newest, uri = make_old_database(tmp_path / "mlflow.db"), f"sqlite:///{tmp_path}/mlflow.db"
    assert schema.upgrade_mlflow(uri, MlflowException(OLD.format("75868b020152")))
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]


@pytest.mark.parametrize(
    ("uri", "found", "message"),
    [
        (
            "sqlite:///a.db",
            "ffffffffffff",
            r"^MLflow's database was written by a newer MLflow \(schema f+\);",
        ),
        (
            "postgresql://h/d",
            "75868b020152",
            r"^MLflow's database has an older schema; make a copy ",
        ),
    ],
)
def test_another_database_is_refused(uri: str, found: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        schema.upgrade_mlflow(uri, MlflowException(OLD.format(found)))


def test_other_errors_are_left_alone() -> None:
    assert not schema.upgrade_mlflow("sqlite:///a.db", MlflowException("database is locked"))
    assert schema.explain_zenml_revision(RuntimeError("database is locked")) is None
