"""skops is imported without libraries that it does not need, and knows the same classes."""

import json
import subprocess
import sys

import skops.io._trusted_types

PROGRAM = """
import json, sys
from mlrunner.core.skops_format import import_skops
skops = import_skops()
from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES
loaded = [name for name in ("pytest", "dask", "torch") if name in sys.modules]
import pytest, sklearn.externals.array_api_compat.dask  # can be imported afterwards
print(json.dumps([loaded, SKLEARN_ESTIMATOR_TYPE_NAMES]))
"""


def test_neither_pytest_nor_dask_is_imported() -> None:
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded, names = json.loads(answer.stdout)
    assert loaded == []
    assert names == skops.io._trusted_types.SKLEARN_ESTIMATOR_TYPE_NAMES
