"""`mlrunner watch`: follow a search that another process runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import STUDY_TAG, Record, Store, lookup, separate_stack_overrides

if TYPE_CHECKING:
    from optuna import Study

STORAGE = "hydra.sweeper.storage="
EXAMPLES = f"""\
Nothing is written. On another machine, name the stores that the search uses.

examples:
  mlrunner watch
  mlrunner watch 2026-12-01/09-30-00-123456
  mlrunner watch my_study {STORAGE}postgresql+psycopg://db.example/optuna stack=team
"""


def main(arguments: list[str]) -> int:
    """Show the table of a search until no process works on it.

    Raises:
        ConfigError: When there is no such search, or its study cannot be read.
    """
    usage = f"mlrunner watch [-h] [--once] [SWEEP] [{STORAGE}URL] [stack=…]"
    parser = Parser("watch", "Follow a search that another process runs, the newest by default.", EXAMPLES, usage)
    parser.add_argument("words", nargs="*", metavar="SWEEP", help="DAY/TIME of the search, or the name of its study")
    parser.add_argument("--once", action="store_true", help="print the present state and end")
    parsed = parser.parse_intermixed_args(arguments)
    addresses = [word for word in parsed.words if word.startswith(STORAGE)]
    names, overrides = separate_stack_overrides([word for word in parsed.words if word not in addresses])
    if len(names) > 1 or len(addresses) > 1:
        raise ConfigError(f"mlrunner watch does not take '{(names or addresses)[-1]}'; it takes one search.")
    home = environment.home()
    record = _find_search(open_store(home, overrides), names[0] if names else None, home)
    return _follow(
        record, _load_study(record, addresses[0].removeprefix(STORAGE) if addresses else None, home), parsed.once
    )


def _find_search(store: Store, name: str | None, home: Path) -> Record:
    """Find the parent run of a search; of the newest without a name."""
    if name is None:
        record = store.find_first(f"tags.`{STUDY_TAG}` IS NOT NULL", lookup.NEWEST)
        if record is None:
            raise ConfigError("There is no search yet; mlrunner --multirun sweep=optuna starts one.")
        return record
    record = lookup.find(store, name, home)
    if STUDY_TAG not in record.tags or not record.is_sweep:
        raise ConfigError(f"'{name}' is no search, so it has no study; mlrunner runs {record.place} lists its runs.")
    return record


def _load_study(record: Record, address: str | None, home: Path) -> Study:
    """Load the study of a search from an address, or from where the search on this machine has put it."""
    name = record.tags[STUDY_TAG]
    study = (
        study_lookup.load_study(record, home) if address is None else study_lookup.load_study_at(address, home, name)
    )
    if study is None:
        raise ConfigError(
            f"The study {name} of {record.place} cannot be read here; give its address as {STORAGE}URL, or type "
            "mlrunner watch where the search runs."
        )
    return study


def _follow(record: Record, study: Study, once: bool) -> int:
    from mlrunner.search.observer import Observer
    from mlrunner.search.study_setup import SEARCH_ATTRIBUTE

    out, name = console(), record.place
    if SEARCH_ATTRIBUTE not in study.user_attrs:
        raise ConfigError(f"{name} has not started a trial yet; try again in a moment.")
    observer = Observer(study, out)
    if once:
        observer.read()
        out.print(observer.format_line(), markup=False)
        return 0
    observer.follow()
    n_finished, limit = observer.counts
    if limit is not None and n_finished < limit:
        out.print(f"No process works on {name} any more; mlrunner resume {name} goes on.", markup=False)
    return 0
