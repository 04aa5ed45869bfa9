"""Patches of ZenML, compared with the functions that they replace."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlrunner.groups.stack import zenml_patches
from mlrunner.groups.stack.zenml_patches import CACHED, PACKAGE_LOOKUP, cache_constant_answers, package_of_module


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """ZenML's own functions, restored after the test."""
    functions = {}
    for module, path in (*CACHED, PACKAGE_LOOKUP):
        place = zenml_patches._locate(module, path)
        assert place is not None, f"this ZenML has no {module}.{path}"
        owner, name = place
        functions[path] = getattr(owner, name)
        monkeypatch.setattr(owner, name, vars(owner).get(name, functions[path]))
    return functions


def replaced(module: str, path: str) -> Any:
    place = zenml_patches._locate(module, path)
    assert place is not None
    return getattr(*place)


def test_only_zenml_is_replaced_and_answers_stay_the_same(original: dict[str, Any]) -> None:
    distributions = importlib.metadata.packages_distributions
    cache_constant_answers()
    cache_constant_answers()
    assert importlib.metadata.packages_distributions is distributions
    assert replaced(*PACKAGE_LOOKUP) is package_of_module
    for module, path in CACHED:
        function = replaced(module, path)
        arguments = [test_only_zenml_is_replaced_and_answers_stay_the_same] if path == "get_source_code" else []
        assert function is not original[path]
        assert function(*arguments) == original[path](*arguments)
        assert function(*arguments) is function(*arguments)


@pytest.mark.parametrize("module", ["sklearn.svm", "mlrunner.core", "google.protobuf", "no_such"])
def test_package_of_a_module_is_zenml_s(module: str, original: dict[str, Any]) -> None:
    assert package_of_module(module) == original[PACKAGE_LOOKUP[1]](module_name=module)


def test_only_the_integrations_of_mlflow_and_of_object_stores_stay() -> None:
    from zenml.enums import StackComponentType
    from zenml.integrations.registry import integration_registry
    from zenml.stack.flavor_registry import FlavorRegistry

    before = dict(integration_registry.integrations)
    assert "xgboost" in before
    try:
        zenml_patches.remove_other_integrations()
        assert set(integration_registry.integrations) == {"mlflow", "s3", "gcp", "azure"}
        flavors = [flavor() for flavor in FlavorRegistry().integration_flavors]
        stores = {flavor.name for flavor in flavors if flavor.type == StackComponentType.ARTIFACT_STORE}
        assert stores == {"s3", "gcp", "azure"}
    finally:
        integration_registry.integrations.update(before)


def test_absent_names_are_left_out() -> None:
    assert zenml_patches._locate("zenml.no_such_module", "name") is None
    assert zenml_patches._locate("zenml.environment", "Environment.no_such_name") is None
    zenml_patches._replace("zenml.environment", "no_such_name", cache)


@pytest.mark.parametrize(
    ("revision", "url", "skipped"),
    [
        (importlib.metadata.version("zenml"), "sqlite:///{}/zenml.db", True),
        ("0.90.0", "sqlite:///{}/zenml.db", False),
        (None, "sqlite:///{}/zenml.db", False),
        (importlib.metadata.version("zenml"), "sqlite:///{}/other.db", False),
        (importlib.metadata.version("zenml"), "mysql://server/zenml.db", False),
    ],
    ids=["newest", "old", "empty", "absent", "server"],
)
def test_migrations_are_skipped_where_all_are_done(
    revision: str | None, url: str, skipped: bool, tmp_path: Path
) -> None:
    from zenml.constants import ENV_ZENML_DISABLE_DATABASE_MIGRATION as VARIABLE

    with closing(sqlite3.connect(tmp_path / "zenml.db")) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.executemany("INSERT INTO alembic_version VALUES (?)", [(revision,)] if revision else [])
    with zenml_patches.finished_migrations_skipped(url.format(tmp_path)):
        assert (VARIABLE in os.environ) is skipped
    assert VARIABLE not in os.environ
    assert [file.name for file in tmp_path.iterdir()] == ["zenml.db"]


def test_a_step_leaves_the_signal_handlers_as_they_are() -> None:
    from zenml.enums import ExecutionMode
    from zenml.orchestrators.signal_handler import SignalHandler

    def handlers() -> list[Any]:
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before, original = handlers(), SignalHandler.register
    handler = SignalHandler(None, ExecutionMode.STOP_ON_FAILURE)  # type: ignore[arg-type]
    try:
        original(handler)
        assert handlers() != before, "without the patch ZenML handles them"
        handler.unregister()
        zenml_patches.disable_signal_handling()
        assert handler.register() is handler
        assert handlers() == before
    finally:
        SignalHandler.register = original  # type: ignore[method-assign]
