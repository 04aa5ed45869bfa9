"""Request bodies and expected predictions: `python rows.py URI TABLE FOLDER`, in the environment of the stores.

Writes `one.jsonl` (a raw row a body), `many.jsonl` (1,000 rows a body), `columns.json`, and `expected.json`: the
predictions of the model, loaded by MLflow, for the rows of `one.jsonl`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SINGLES, LARGE, BODIES = 200, 1000, 10


def main() -> None:
    """Write everything into the folder."""
    import mlflow
    import numpy as np
    import pandas as pd

    uri, table, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    names = mlflow.models.get_model_info(uri).signature.inputs.input_names()
    rows = pd.read_csv(table)[names].sample(SINGLES + LARGE * BODIES, random_state=0, ignore_index=True)
    records = json.loads(rows.to_json(orient="records"))
    singles, rest = records[:SINGLES], records[SINGLES:]
    write(folder / "one.jsonl", [[row] for row in singles])
    write(folder / "many.jsonl", [rest[start : start + LARGE] for start in range(0, len(rest), LARGE)])
    (folder / "columns.json").write_text(json.dumps(names))
    model: Any = mlflow.sklearn.load_model(uri)
    expected = np.ravel(model.predict(rows.head(SINGLES))).tolist()
    (folder / "expected.json").write_text(json.dumps(expected))


def write(path: Path, bodies: list[list[dict[str, Any]]]) -> None:
    """Write bodies in MLflow's protocol, one a line."""
    path.write_text("".join(json.dumps({"dataframe_records": rows}) + "\n" for rows in bodies))


if __name__ == "__main__":
    main()
