"""Ctrl-C during a search."""

from __future__ import annotations

import os
import signal

import pytest

from mlrunner.search.interrupts import Interrupts


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_is_counted_and_the_second_is_raised() -> None:
    counts: list[int] = []
    interrupts, before = Interrupts(counts.append), signal.getsignal(signal.SIGINT)
    with interrupts.handled():
        press_ctrl_c()
        assert (interrupts.count, counts) == (1, [1])
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()
    assert counts == [1, 2]
    assert signal.getsignal(signal.SIGINT) is before
