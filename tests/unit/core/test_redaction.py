"""Secrets in texts: URLs, keys of YAML, JSON and overrides."""

from __future__ import annotations

import pytest

from mlrunner.core.redaction import redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgresql://ada:secret@host/db", "postgresql://ada:***@host/db"),
        ("postgresql+psycopg://ada:se:cr@et@host:5432/db", "postgresql+psycopg://ada:***@host:5432/db"),
        ("://:secret@host", "://:***@host"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////home/mlflow.db", "sqlite:////home/mlflow.db"),
        ("a http://x:y@h and http://u:v@h", "a http://x:***@h and http://u:***@h"),
        ("stack.password=secret,model=rf", "stack.password=***,model=rf"),
        ("- stack.token=secret\n- seed=1", "- stack.token=***\n- seed=1"),
        ("stack:\n  api_key: secret\n  name: x", "stack:\n  api_key: ***\n  name: x"),
        ("  password: two words, and more\nname: x", "  password: ***\nname: x"),
        ("password: 'it''s # secret'", "password: ***"),
        ("password: $ecret", "password: ***"),
        ('{"password": "secret", "name": "x"}', '{"password": ***, "name": "x"}'),
        ("password: null", "password: null"),
        ("password: ${oc.env:PASSWORD}", "password: ${oc.env:PASSWORD}"),
        ("stack.password=${oc.env:PASSWORD}", "stack.password=${oc.env:PASSWORD}"),
        ("the password of tokenizers: none", "the password of tokenizers: none"),
        ("max_tokens=5", "max_tokens=5"),
        ("", ""),
    ],
)
def test_redact(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_redacting_twice_changes_nothing() -> None:
    once = redact("password: secret\nurl: http://a:b@c\nstack.token=d,e=f")
    assert redact(once) == once
