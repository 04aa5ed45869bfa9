"""Proof that a server is the one that its deployment started, and not another process on the port of one that ended.

A server gets a secret token when it starts, and answers a challenge with it. The token itself never crosses the
connection.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from mlrunner.core import loopback

PATH = "/identity"


def create_token() -> str:
    """Create a token."""
    return secrets.token_hex(16)


def instance_name(token: str) -> str:
    """Return the public name of a server, which its command line and `/version` show."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def create_challenge() -> tuple[str, str]:
    """Create a challenge.

    Returns:
        The challenge, and the path that requests its proof.
    """
    challenge = secrets.token_hex(16)
    return challenge, f"{PATH}?challenge={challenge}"


def prove(token: str, challenge: str) -> str:
    """Return the proof that only a process that knows the token can give."""
    return hmac.new(token.encode(), challenge.encode(), "sha256").hexdigest()


def is_proof(proof: object, token: str, challenge: str) -> bool:
    """Check a proof."""
    return isinstance(proof, str) and hmac.compare_digest(proof.encode(), prove(token, challenge).encode())


def is_own(url: str, token: str, timeout: float = 2.0) -> bool:
    """Check that the server with this token answers at an address, itself or behind its gateway.

    Args:
        url: Address.
        token: Token of the server.
        timeout: Maximum seconds.
    """
    challenge, path = create_challenge()
    status, proof = loopback.request_json(f"{url}{path}", timeout=timeout)
    return status == 200 and is_proof(proof, token, challenge)
