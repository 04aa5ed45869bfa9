"""python make_table.py ROWS OUT: the peers' table, as OUT.csv and OUT.parquet.

20 columns f00..f19 and `target`, 1 % gaps and 1 % repeated rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def main() -> None:
    """Write the table."""
    write(int(sys.argv[1]), sys.argv[2])


def write(rows: int, out: str) -> Path:
    """Write the table in both forms; the CSV's path."""
    table = make(rows)
    table.to_csv(out + ".csv", index=False)
    table.to_parquet(out + ".parquet", index=False)
    return Path(out + ".csv")


def make(rows: int) -> pd.DataFrame:
    """Draw the table."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 20))
    y = x[:, 0] * 3 + x[:, 1] * x[:, 2] * 2 + np.sin(x[:, 3] * 3) * 2 + np.abs(x[:, 4]) + 0.5 * x[:, 5] ** 2
    y += rng.normal(size=rows) * 0.5
    x[rng.random(x.shape) < 0.01] = np.nan
    table = pd.DataFrame(x, columns=[f"f{number:02d}" for number in range(20)]).round(6)
    table["target"] = y.round(6)
    return pd.concat([table, table.sample(rows // 100, random_state=0)], ignore_index=True)


if __name__ == "__main__":
    main()
