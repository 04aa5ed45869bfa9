"""The first contact with a server: seconds, not the minutes that the clients' own retries take.

Only the standard library is imported, so an absent server is told before ZenML and MLflow are loaded.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit

from mlrunner.core.errors import ConfigError, StoreError

SECONDS = 5.0
NOT_FOUND = 404


def is_remote(uri: str) -> bool:
    """Tell a server's address from a database's."""
    return uri.startswith(("http://", "https://"))


def without_login(url: str) -> str:
    """Take user and password out of a URL."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def reach(url: str, key: str, path: str = "") -> bytes | None:
    """Ask a server for a page.

    Args:
        url: The server's address.
        key: The configuration key that holds it, for the messages.
        path: What is asked for, below the address.

    Returns:
        The page, empty when there is none; None when the server answers something else: a refusal is an answer
        too, and a certificate that we do not know may be known to ZenML and MLflow, which are told about it in
        their own ways.

    Raises:
        ConfigError: When this is no address.
        StoreError: When nothing answers.
    """
    told = without_login(url)
    if not is_remote(url):
        raise _no_address(told, key)
    try:
        with urllib.request.urlopen(told.rstrip("/") + path, timeout=SECONDS) as answer:
            page: bytes = answer.read()
            return page
    except urllib.error.HTTPError as error:
        return b"" if error.code == NOT_FOUND else None
    except (ValueError, http.client.InvalidURL) as error:
        raise _no_address(told, key) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return None
        why = getattr(reason, "strerror", None) or reason
        raise StoreError(f"{key}={told} does not answer ({why}); start the server, or correct the address.") from error
    except http.client.HTTPException as error:
        raise StoreError(f"{key}={told} does not speak HTTP; correct the address.") from error


def _no_address(told: str, key: str) -> ConfigError:
    return ConfigError(f"{key}={told} is no address of a server; write it like http://127.0.0.1:5000.")


def refuse_other_server(url: str, key: str) -> None:
    """Refuse an address where something answers that is not ZenML.

    Raises:
        ConfigError: When this is no address.
        StoreError: When nothing or something else answers.
    """
    page = reach(url, key, "/api/v1/info")
    if page is not None and "auth_scheme" not in _fields(page):
        raise StoreError(f"{key}={without_login(url)} answers, but it is no ZenML server; correct the address.")


def _fields(page: bytes) -> dict[str, object]:
    try:
        found = json.loads(page)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
