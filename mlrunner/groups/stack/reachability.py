"""Check that a server answers, within seconds: the retries of ZenML's and MLflow's clients take minutes.

Only the standard library is imported, so that an absent server is reported before ZenML and MLflow are loaded.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.error
import urllib.request

from mlrunner.core.errors import ConfigError, StoreError

TIMEOUT_SECONDS = 5.0
NOT_FOUND = 404


def is_remote(uri: str) -> bool:
    """Check whether an address is a server's, and not a database's."""
    return uri.startswith(("http://", "https://"))


def remove_login(url: str) -> str:
    """Return a URL without user and password."""
    return re.sub(r"^([\w+.-]+://)[^/?#]*@", r"\1", url)


def fetch_page(url: str, key: str, path: str = "") -> bytes | None:
    """Fetch a page of a server, without logging in.

    Args:
        url: Address of the server; user and password in it are not sent.
        key: Configuration key of the address, for the messages.
        path: Path of the page below the address; the default is the address itself.

    Returns:
        The page; empty for a 404, None for any other refusal or an unknown certificate, since ZenML and MLflow may
        have a login or a certificate authority of their own.

    Raises:
        ConfigError: When the URL is not an HTTP address.
        StoreError: When no HTTP server answers.
    """
    address = remove_login(url)
    if not is_remote(url):
        raise _invalid_address(address, key)
    try:
        with urllib.request.urlopen(address.rstrip("/") + path, timeout=TIMEOUT_SECONDS) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        return b"" if error.code == NOT_FOUND else None
    except (ValueError, http.client.InvalidURL) as error:
        raise _invalid_address(address, key) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return None
        cause = getattr(reason, "strerror", None) or reason
        raise StoreError(
            f"{key}={address} does not answer ({cause}); start the server, or correct the address."
        ) from error
    except http.client.HTTPException as error:
        raise StoreError(f"{key}={address} is not an HTTP server; correct the address.") from error


def _invalid_address(address: str, key: str) -> ConfigError:
    return ConfigError(f"{key}={address} is not a server's address; write it like http://127.0.0.1:5000.")


def refuse_other_server(url: str) -> None:
    """Refuse an address `stack.url` where something other than a ZenML server answers.

    Raises:
        ConfigError: When the URL is not an HTTP address.
        StoreError: When nothing answers, or another server.
    """
    page = fetch_page(url, "stack.url", "/api/v1/info")
    if page is not None and "auth_scheme" not in _parse_fields(page):
        raise StoreError(f"stack.url={remove_login(url)} answers, but is not a ZenML server; correct the address.")


def _parse_fields(page: bytes) -> dict[str, object]:
    try:
        fields = json.loads(page)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
