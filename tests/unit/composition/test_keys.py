"""The names of groups and verbs are those of the folders and commands."""

from __future__ import annotations

from mlrunner.cli.commands import VERBS
from mlrunner.composition import keys
from mlrunner.core.project import CONF


def test_each_group_is_a_folder_of_the_configuration() -> None:
    assert all((CONF / group).is_dir() for group in keys.GROUPS)


def test_each_verb_is_a_command() -> None:
    assert set(keys.VERBS) == set(VERBS)
