"""The decorators of all pipelines: without ZenML's logs, metadata and heartbeats, which MLflow and we record.

Modules with pipelines or steps do not import `annotations` from `__future__`: ZenML would build a pydantic model for
each annotation that is a text, a hundred in each run.
"""

from __future__ import annotations

from typing import Any

from zenml import pipeline
from zenml.enums import ExecutionMode

OPTIONS: dict[str, Any] = {
    "enable_step_logs": False,
    "enable_pipeline_logs": False,
    "enable_artifact_metadata": False,
    "enable_heartbeat": False,
}

static_pipeline = pipeline(execution_mode=ExecutionMode.FAIL_FAST, **OPTIONS)
dynamic_pipeline = pipeline(dynamic=True, **OPTIONS)
