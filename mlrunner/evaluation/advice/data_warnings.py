"""All warnings about a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice import columns, durations, leaks, order, targets, texts
from mlrunner.evaluation.advice.facts import TableFacts

Check = Callable[[TableFacts], Iterator[Notice]]
CHECKS: tuple[Check, ...] = (
    targets.warn_of_missing_target,
    targets.warn_of_many_classes,
    targets.warn_of_rare_classes,
    leaks.warn_of_leaks,
    leaks.warn_of_sums,
    durations.warn_of_durations,
    columns.warn_of_index,
    columns.warn_of_ids,
    columns.warn_of_constants,
    columns.warn_of_duplicates,
    texts.warn_of_numbers_as_text,
    order.warn_of_sorted_target,
    order.warn_of_sorted_time,
    order.warn_of_sorted_number,
)


def warn_of_data(facts: TableFacts, ignore: Collection[str] = ()) -> list[Notice]:
    """Return what a good colleague would say about a table.

    Args:
        facts: Table with its roles.
        ignore: Names of the warnings that are left out.
    """
    return [notice for check in CHECKS for notice in check(facts) if notice.name not in ignore]
