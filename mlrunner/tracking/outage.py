"""An MLflow server that does not answer any more: how long requests are repeated, and what is said then.

MLflow's own defaults repeat a request for four minutes.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mlrunner.core import environment

PROBE_SECONDS = 2.0
ONE_TRY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


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
    """Check whether an error is MLflow's for a server that has not answered any of its requests."""
    return str(error).startswith("API request to ") and "Max retries exceeded" in str(error)


def explain() -> str:
    """Return a sentence for a server that is gone."""
    address = urlsplit(environment.tracking_uri() or "")
    place = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
    return (
        f"stack.tracking_uri={place} does not answer any more, so the run is not recorded completely; start the server "
        "and run again, or go on with a sweep by mlrunner resume."
    )
