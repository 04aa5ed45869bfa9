"""Name the option of a pandas reader that makes it fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from mlrunner.core.errors import ConfigError, MlrunnerError, first_line
from mlrunner.groups.dataset.parsing import explain_parser_error

Options = dict[str, Any]
Read = Callable[[Options], pd.DataFrame]


def read_with_options(read: Read, options: Options) -> pd.DataFrame:
    """Read a table with the options of a pandas reader.

    Raises:
        ConfigError: When the reader fails only because of an option.
    """
    try:
        return read(options)
    except MlrunnerError:
        raise
    except Exception as error:
        if explain_parser_error("", error) is None:
            _refuse_option(read, options, error)
        raise


def _refuse_option(read: Read, options: Options, error: Exception) -> None:
    """Refuse the option without which the reader does not fail."""
    for name, value in options.items():
        try:
            read({key: each for key, each in options.items() if key != name})
        except Exception:
            continue
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        raise ConfigError(
            f"dataset.options.{name}={text} is not possible: {first_line(error)}; correct it, or leave it out."
        ) from error
