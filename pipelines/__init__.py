"""The ZenML pipelines, one file each: tables of contents, without a branch."""
