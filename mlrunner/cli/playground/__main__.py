"""`python -m mlrunner.cli.playground`: the page under Streamlit, as long as whoever started it is there."""

from __future__ import annotations

import sys
from pathlib import Path

from mlrunner.serving.workers import end_with_parent


def main() -> None:
    """Serve the page; its settings are in the environment."""
    end_with_parent()
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("page.py"))]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
