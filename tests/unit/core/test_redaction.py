"""Secrets in texts: URLs, keys of YAML, JSON and overrides."""

from __future__ import annotations

import pytest

from mlrunner.core.redaction import hide_group, redact, redact_override, redact_values, reveal_group


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
        ("postgresql+psycopg://u:SEK/RET3@h/db", "postgresql+psycopg://u:***@h/db"),
        ("postgresql://u:SEK@RET7@h/db", "postgresql://u:***@h/db"),
        ("mysql://u:1/2@h/db", "mysql://u:***@h/db"),
        ("postgresql://h/db?sslpassword=S6b&sslmode=require", "postgresql://h/db?sslpassword=***&sslmode=require"),
        ("https://h/t.csv?X-Amz-Signature=ab12&rows=5", "https://h/t.csv?X-Amz-Signature=***&rows=5"),
        ("https://account.example/t.csv?sv=1&sig=a%2Bb", "https://account.example/t.csv?sv=1&sig=***"),
        ("https://ghp_0123@host/t.csv", "https://***@host/t.csv"),
        ("storage_options: {secret: abc, anon: false}", "storage_options: {secret: ***, anon: false}"),
        ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=***"),
        ("Password=x PASSWD: y", "Password=*** PASSWD: ***"),
        ("sas_token='a b'", "sas_token=***"),
        ('{"Authorization": "Bearer abc"}', '{"Authorization": ***}'),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent with bearer abcdefgh123", "sent with bearer ***"),
        ("pull_secret=registry", "pull_secret=registry"),
        (
            "mlflow_server at http://127.0.0.1:5000, mail ada@host",
            "mlflow_server at http://127.0.0.1:5000, mail ada@host",
        ),
    ],
)
def test_redact(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_redacting_twice_changes_nothing() -> None:
    once = redact("password: secret\nurl: http://a:b@c\nstack.token=d,e=f")
    assert redact(once) == once


@pytest.mark.parametrize(
    ("override", "redacted"),
    [
        ("stack.password=a,b&c d", "stack.password=***"),
        ("stack.api_key=null", "stack.api_key=null"),
        ("stack.api_key=${oc.env:KEY}", "stack.api_key=${oc.env:KEY}"),
        ("dataset.url=mysql://u:p@h/d", "dataset.url=mysql://u:***@h/d"),
        ("seed=3", "seed=3"),
    ],
)
def test_an_override_is_hidden_as_a_whole(override: str, redacted: str) -> None:
    assert redact_override(override) == redacted


def test_values_lose_their_secrets_and_name_their_variables() -> None:
    values = {
        "url": "mysql://u:p@h",
        "path": "/data",
        "options": {"key": 1, "secret": "s"},
        "names": ["a", "http://u:p@h"],
    }
    assert redact_values({"dataset": values}, {"dataset.path": "${oc.env:DATA}"}) == {
        "dataset": {
            "url": "mysql://u:***@h",
            "path": "${oc.env:DATA}",
            "options": {"key": 1, "secret": "***"},
            "names": ["a", "http://u:***@h"],
        }
    }
    assert redact_values({"password": None}) == {"password": None}


def test_a_hidden_group_is_found_again_in_this_process() -> None:
    group = {"url": "mysql://u:p@h"}
    hidden = hide_group(group)
    assert hidden == {"url": "mysql://u:***@h"}
    assert reveal_group(hidden) == group
    assert hide_group({"path": "a"}) == reveal_group({"path": "a"}) == {"path": "a"}
