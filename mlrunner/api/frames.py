"""Store a data frame as a Parquet file that is named after its content, so that runs on it can be repeated."""

from __future__ import annotations

import hashlib
import io
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.errors import ConfigError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

NAME_LENGTH = 16  # hexadecimal digits of a file's name


def store_frame(data: Any, home: Path) -> Path:
    """Store a data frame, once for each content.

    Args:
        data: Data frame of pandas, polars or any library with the Arrow PyCapsule or the dataframe interchange
            protocol. The index of pandas is no column; call `reset_index` to keep it.
        home: Folder that holds `.mlrunner/`.

    Returns:
        The file.

    Raises:
        ConfigError: When `data` is no data frame, or a column cannot be stored.
    """
    import pyarrow.parquet

    content = io.BytesIO()
    pyarrow.parquet.write_table(_to_arrow(data), content)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()[:NAME_LENGTH]
    file = home / ".mlrunner" / "frames" / f"{digest}.parquet"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{uuid.uuid4().hex}.part")  # two processes may store the same frame at once
        partial.write_bytes(content.getbuffer())
        partial.replace(file)  # another process never reads half a file
    return file


def _to_arrow(data: Any) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(data, pd.DataFrame):
            return pa.Table.from_pandas(data.rename(columns=str), preserve_index=False)
        if hasattr(data, "__arrow_c_stream__"):
            return pa.table(data)
        if hasattr(data, "__dataframe__"):
            from pyarrow.interchange import from_dataframe

            return from_dataframe(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError) as error:
        raise ConfigError(f"data cannot be stored as Parquet ({first_line(error)}); convert that column.") from error
    raise ConfigError(
        f"data is a {type(data).__name__}, which is no data frame; give one of pandas or polars, or write a file and "
        "name it with dataset=csv dataset.path=FILE."
    )


def write_overrides(data: Any, target: str | None, home: Path) -> list[str]:
    """Write the overrides that run on a data frame; it is stored.

    Args:
        data: Data frame, as `store_frame` takes it; None for none.
        target: Column to predict; None leaves `dataset.target` as it is.
        home: Folder that holds `.mlrunner/`.

    Raises:
        ConfigError: When `data` is no data frame, or a column cannot be stored.
    """
    from mlrunner.composition.override_syntax import write_value

    source = [] if data is None else ["dataset=parquet", f"dataset.path={write_value(str(store_frame(data, home)))}"]
    named = [] if data is None else ["dataset.name=frame"]
    return [*source, *named, *([] if target is None else [f"dataset.target={write_value(target)}"])]
