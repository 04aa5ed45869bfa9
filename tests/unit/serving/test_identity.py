"""A server proves that it knows the token of its deployment."""

from __future__ import annotations

import pytest

from mlrunner.core import loopback
from mlrunner.serving import identity
from tests.support.http_server import answering
from tests.support.version_server import VersionServer


def test_only_the_token_proves_it() -> None:
    token = identity.create_token()
    challenge, path = identity.create_challenge()
    assert path == f"/identity?challenge={challenge}"
    proof = identity.prove(token, challenge)
    assert identity.is_proof(proof, token, challenge)
    others = (token, identity.instance_name(token), identity.prove(identity.create_token(), challenge), None, 5, "\xe9")
    assert not any(identity.is_proof(other, token, challenge) for other in others)
    assert not identity.is_proof(proof, token, identity.create_challenge()[0])  # a proof is not valid twice


def test_a_server_is_known_by_its_token() -> None:
    with VersionServer("token") as url:
        assert identity.is_own(url, "token")
        assert not identity.is_own(url, "another token")
    assert not identity.is_own(f"http://127.0.0.1:{loopback.free_port()}", "token")


@pytest.mark.parametrize("body", [b"ok", b"null", b'{"instance": "token"}', b"\xff"])
def test_an_answer_of_another_program_is_no_proof(body: bytes) -> None:
    with answering(200, body) as url:
        assert not identity.is_own(url, "token")
