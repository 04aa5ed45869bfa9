"""Fixtures of the tests of the command line."""

from tests.support.cli_home import cli_home as cli_home
from tests.support.cli_home import empty_home as empty_home
from tests.support.cli_home import recorded_home as recorded_home
