"""A table goes to each machine once, and not at all above the limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.remote.dask_tables import TableSender
from mlrunner.search.remote.table_files import digest_file
from mlrunner.search.remote.user_code import cache_folder
from tests.support.in_process_dask import open_cluster

pytestmark = pytest.mark.filterwarnings("ignore:::distributed")


def test_a_table_is_sent_once_to_each_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = tmp_path / "table.arrow"
    table.write_bytes(b"rows")
    with open_cluster() as client:
        sender = TableSender(client, 1)
        address = next(iter(client.scheduler_info()["workers"]))
        first, again = (sender.send((str(table),), address, "a")[0] for _ in range(2))
        other = sender.send((str(table),), address, "b")[0]
        assert (first is again, first is other) == (True, False)
        assert (first.result(), other.result()) == (None, None)
    digest = digest_file(str(table))
    assert sender.digests == {str(table): digest}
    assert (cache_folder("tables") / f"{digest}.arrow").read_bytes() == b"rows"


def test_a_table_above_the_limit_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.arrow"
    table.write_bytes(b"0" * 2_200_000)
    with pytest.raises(ConfigError) as caught:
        TableSender(None, 2).send((str(table),), "tcp://127.0.0.1:1", "a")
    assert str(caught.value) == (
        "executor.table_limit is 2 MB, but a table of 2.1 MB must go to workers that do not share this disk; raise the "
        "limit, or put MLRUNNER_HOME on a disk that the workers mount."
    )
