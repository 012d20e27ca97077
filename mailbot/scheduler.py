"""APScheduler ticks; what is due stands in the database. Any number of processes may tick."""

from __future__ import annotations

from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

SWEEP_SECONDS = 30


def start_scheduler(sweep: Callable[[], object]) -> BackgroundScheduler:
    """A running scheduler that calls `sweep` now and every half minute; one call at a time, none lost.

    Time that was slept through is one call afterwards: the database says what is due.
    """
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        sweep,
        "interval",
        seconds=SWEEP_SECONDS,
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    scheduler.start()
    return scheduler
