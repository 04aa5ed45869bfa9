"""f. Bare Optuna with two workers: threads with a study in memory, or processes with a journal file."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from typing import Any

import common as c


def main() -> None:
    """Search and report."""
    args = arguments()
    c.warm(args.model)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    began = time.perf_counter()
    data, prep = c.timed_prepare(args.data)
    study, fit = (by_threads if args.mode == "threads" else by_processes)(args, data)
    wall = time.perf_counter() - began
    name = f"f_optuna_{args.mode}" + (f"[{args.start}]" if args.mode == "processes" else "")
    c.report(name, wall, len(study.trials), study.best_value, fit, parallel=2, prep_s=prep)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = c.parser("optuna_parallel")
    parser.add_argument("--mode", choices=["threads", "processes"], default="threads")
    parser.add_argument("--start", choices=["fork", "forkserver", "spawn"], default="fork")
    return parser.parse_args()


def by_threads(args: argparse.Namespace, data: Any) -> tuple[Any, float]:
    """Search with two threads; the study, and the seconds of pure fit and score."""
    import optuna

    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=args.seed))
    study.optimize(objective_of(args, data), n_trials=args.n_trials, n_jobs=2)
    return study, c.SPENT["fit_s"]


def by_processes(args: argparse.Namespace, data: Any) -> tuple[Any, float]:
    """Search with two processes; the study, and the seconds of pure fit and score."""
    import optuna

    path = c.fresh_dir("f") + "/journal.log"
    study = optuna.create_study(study_name="s", direction="minimize", storage=journal(path))
    context = multiprocessing.get_context(args.start)
    queue = context.Queue()
    workers = [context.Process(target=worker, args=(path, number, args, data, queue)) for number in range(2)]
    for one in workers:
        one.start()
    fit = sum(queue.get() for _ in workers)
    for one in workers:
        one.join()
    return study, fit


def worker(path: str, number: int, args: argparse.Namespace, data: Any, queue: Any) -> None:
    """Run half of the trials, the later half the odd one as well, and tell the seconds of pure fit and score."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=args.seed + number)
    study = optuna.load_study(study_name="s", storage=journal(path), sampler=sampler)
    enough = optuna.study.MaxTrialsCallback(args.n_trials, states=None)
    share = (args.n_trials + number) // 2
    study.optimize(objective_of(args, data), n_trials=share, callbacks=[enough])
    queue.put(c.SPENT["fit_s"])


def objective_of(args: argparse.Namespace, data: Any) -> Any:
    """Make the objective, with one thread a fit."""
    return lambda trial: c.fit_score(args.model, c.suggest(trial, args.model), data, 1)[0]


def journal(path: str) -> Any:
    """Open the journal."""
    import optuna

    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))


if __name__ == "__main__":
    main()
