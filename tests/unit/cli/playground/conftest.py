"""Fixtures of the tests of the playground."""

from tests.support.playground import home as home
from tests.support.playground import running as running
from tests.support.playground import service as service
from tests.support.playground import store as store
