"""A table goes to each machine once, and not at all above the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.remote.table_files import digest_file
from mlrunner.search.remote.table_sender import TableSender


def test_a_table_is_sent_once_to_each_machine(tmp_path: Path) -> None:
    table = tmp_path / "table.arrow"
    table.write_bytes(b"rows")
    digest, sent = digest_file(str(table)), []
    sender = TableSender(1)

    def upload(*content: Any) -> int:
        sent.append(content)
        return len(sent)

    first, again, other = (sender.send((str(table),), machine, upload)[0] for machine in "aab")
    sender.forget("a")
    assert (first, again, other, sender.send((str(table),), "a", upload)[0]) == (1, 1, 2, 3)
    assert sent == [(digest, b"rows")] * 3
    assert sender.digests == {str(table): digest}


def test_a_table_above_the_limit_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.arrow"
    table.write_bytes(b"0" * 2_200_000)
    with pytest.raises(ConfigError) as caught:
        TableSender(2).send((str(table),), "a", lambda *_: None)
    assert str(caught.value) == (
        "executor.table_limit is 2 MB, but a table of 2.1 MB must go to workers that do not share this disk; raise the "
        "limit, or put MLRUNNER_HOME on a disk that the workers mount."
    )
