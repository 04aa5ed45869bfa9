"""The ZenML pipelines, one file each: the steps in their order."""
