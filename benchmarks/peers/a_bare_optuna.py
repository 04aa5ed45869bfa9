"""a. The floor: a bare Optuna loop, the data prepared once, in memory."""

from __future__ import annotations

import time
from typing import Any

import common as c


def main() -> None:
    """Search and report."""
    args = c.parser("bare_optuna").parse_args()
    c.warm(args.model)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    began = time.perf_counter()
    data, prep = c.timed_prepare(args.data)

    def objective(trial: Any) -> float:
        return c.fit_score(args.model, c.suggest(trial, args.model), data, args.threads)[0]

    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=args.seed))
    study.optimize(objective, n_trials=args.n_trials)
    c.report("a_bare_optuna", time.perf_counter() - began, args.n_trials, study.best_value, prep_s=prep)


if __name__ == "__main__":
    main()
