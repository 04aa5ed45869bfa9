"""Wait for an MLflow server that stops answering, and report it in one sentence if it stays away.

MLflow's own defaults repeat a request for four minutes.
"""

from __future__ import annotations

import http.client
import logging
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from mlrunner.core import environment

PROBE_SECONDS = 2.0
ONE_TRY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
# Seconds before each repetition of a request: 0, 6, 12 for a single run; 0, 2, 4, 8, 16, 32 for a sweep.
RUN_RETRIES = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
}
SWEEP_RETRIES = {**RUN_RETRIES, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "6", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}


def wait_longer() -> None:
    """Repeat the requests of this process and its children for a minute, unless the user has set for how long."""
    if all(environment.variable(name) in (None, value) for name, value in RUN_RETRIES.items()):
        environment.set_variables(SWEEP_RETRIES)


def announce_waiting() -> None:
    """Print one sentence when requests to MLflow's server are repeated, in place of urllib3's warnings of each."""
    logger = logging.getLogger("urllib3.connectionpool")
    logger.setLevel(logging.WARNING)
    logger.disabled = False  # Alembic's configuration of logging disables loggers
    logger.addFilter(_announce)  # a second call adds nothing


def _announce(record: logging.LogRecord) -> bool:
    """Print the sentence for the second repetition of a request: the first also mends a connection that idled."""
    arguments: Any = record.args
    if record.msg.startswith("Retrying (") and "/mlflow" in str(arguments[-1]) and len(arguments[0].history) == 2:
        print(f"mlrunner: {_describe_server()} does not answer; waiting for it.", file=sys.stderr, flush=True)
    return environment.is_verbose() or record.levelno >= logging.ERROR


def is_server_gone() -> bool:
    """Check whether MLflow is a server, and nothing answers at its address."""
    address = urlsplit(environment.tracking_uri() or "")
    if address.scheme not in ("http", "https") or address.hostname is None:
        return False
    place = address.netloc.rpartition("@")[2]  # without a login
    try:
        urllib.request.urlopen(f"{address.scheme}://{place}/health", timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:  # an answer
        return False
    except urllib.error.URLError as error:
        return isinstance(error.reason, ConnectionError | TimeoutError)
    except (http.client.HTTPException, ValueError):
        return False
    except OSError:
        return True
    return False


def is_outage(error: BaseException) -> bool:
    """Check whether an error, or its cause, is MLflow's for a server that has not answered any of its requests."""
    texts = (str(error), str(error.__cause__))
    return any(text.startswith("API request to ") and "Max retries exceeded" in text for text in texts)


def explain() -> str:
    """Return a sentence for a server that is gone."""
    return (
        f"{_describe_server()} does not answer any more, so the run is not recorded completely; start the server "
        "and run again, or go on with a sweep by mlrunner resume."
    )


def _describe_server() -> str:
    address = urlsplit(environment.tracking_uri() or "")
    return f"stack.tracking_uri={address.scheme}://{address.netloc.rpartition('@')[2]}"
