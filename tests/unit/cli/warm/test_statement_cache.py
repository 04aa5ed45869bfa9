"""Engines of SQLite that share their compiled statements, and nothing else."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import registry

from mlrunner.cli.warm import statement_cache
from mlrunner.cli.warm.statement_cache import ENGINES, STATEMENTS, SharedDialect

NUMBERS = Table("numbers", MetaData(), Column("number", Integer, primary_key=True))


def test_a_statement_is_compiled_once_for_all_engines(tmp_path: Path) -> None:
    registry.register("sqlite.shared", statement_cache.__name__, SharedDialect.__name__)
    engines = [create_engine(f"sqlite+shared:///{tmp_path}/{name}.db") for name in "ab"]
    found = []
    for number, engine in enumerate(engines, 1):
        NUMBERS.create(engine)
        with engine.begin() as connection:
            connection.execute(insert(NUMBERS), [{"number": number}])
            found.append((connection.execute(select(NUMBERS)).all(), len(STATEMENTS)))
    assert [rows for rows, _ in found] == [[(1,)], [(2,)]]
    assert found[0][1] == found[1][1] > 0
    assert set(engines) <= set(ENGINES)
    statement_cache.close_connections()
    assert [engine.pool.checkedin() for engine in engines] == [0, 0]  # type: ignore[attr-defined] # of a QueuePool


def test_dialects_with_other_options_share_nothing() -> None:
    assert SharedDialect() == SharedDialect()
    assert SharedDialect() != SharedDialect(json_serializer=str)
    assert hash(SharedDialect(json_serializer=str)) == hash(SharedDialect(json_serializer=str))
