"""Fixtures of the tests of the verbs."""

from tests.support.playground import home as home
from tests.support.playground import running as running
