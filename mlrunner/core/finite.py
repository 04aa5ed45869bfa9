"""Find predictions that are no answers: NaN, infinite or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def find_invalid(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return a mask of the values that are NaN, infinite or missing, with the shape of `values`."""
    import numpy as np

    if values.dtype.kind in "fc":
        return np.asarray(~np.isfinite(values))
    if values.dtype.kind != "O":
        return np.zeros(values.shape, dtype=bool)
    import pandas as pd

    return np.asarray(pd.isna(values))


def describe_invalid(count: int, rows: int, values: npt.NDArray[Any]) -> str:
    """Return words such as `predicts NaN in 16 of 8,000 rows`.

    Args:
        count: Number of rows without a valid prediction.
        rows: Number of all rows.
        values: Their predictions.
    """
    import numpy as np

    is_infinite = values.dtype.kind == "f" and bool(np.isinf(values).any())
    return f"predicts {'NaN or infinity' if is_infinite else 'NaN'} in {count:,} of {rows:,} rows"
