"""Messages for stores that do not open; opening them is tested in `tests/apps/test_servers.py`."""

from __future__ import annotations

import warnings
from types import ModuleType

import pytest
from alembic.util import CommandError
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from zenml.exceptions import AuthorizationException

from mlrunner.core.errors import StoreError

ADDRESS = "http://user:secret@127.0.0.1:5000"


@pytest.fixture(scope="module")
def stores() -> ModuleType:
    """Import the module without the deprecation warnings of its libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlrunner.groups.stack import stores
    return stores


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        (
            ADDRESS,
            MlflowException("no", error_code=PERMISSION_DENIED),
            "stack.tracking_uri=http://127.0.0.1:5000 does not accept stack.username and stack.password, or "
            "stack.token; correct them, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
        ),
        (
            "sqlite:////db",
            MlflowException("The schema is old.\nUpgrade it."),
            "stack.tracking_uri=sqlite:////db does not open: The schema is old; see -v.",
        ),
    ],
    ids=["login", "schema"],
)
def test_mlflow_error_is_one_sentence(
    uri: str, error: Exception, message: str, stores: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert str(stores._explain_mlflow_error(error)) == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            AuthorizationException("401"),
            "stack.api_key is not accepted by http://127.0.0.1:5000 (401); give the key of a service account of that "
            "server, or set ZENML_STORE_API_KEY.",
        ),
        (
            CommandError("Can't locate revision identified by '0.99.0'"),
            "ZenML's store was written by a newer ZenML (0.99.0); install the newer one, or set MLRUNNER_HOME to "
            "another folder.",
        ),
        (RuntimeError("it is locked.\nmore"), "ZenML's store does not open: it is locked; see stack.* and -v."),
    ],
    ids=["login", "newer", "locked"],
)
def test_zenml_error_is_one_sentence(
    error: Exception, message: str, stores: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENML_STORE_URL", ADDRESS)
    with pytest.raises(StoreError) as caught, stores._zenml_errors():
        raise error
    assert str(caught.value) == message
