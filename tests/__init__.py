"""Tests of mlrunner."""

from tests.support.memory import use_memory

use_memory()  # before another module creates temporary files
