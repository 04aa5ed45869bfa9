"""Prometheus metrics of the model server and of the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
CONTENT_TYPE = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class ServerMetrics:
    """Metrics of one server process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlrunner_requests", "Requests for predictions, by HTTP status.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "mlrunner_request_seconds",
            "Duration of a request in seconds.",
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.rows = Counter("mlrunner_rows", "Rows predicted.", registry=self.registry)
        self.unknown = Counter(
            "mlrunner_unknown_categories",
            "Categories that training did not see and that were accepted, by column.",
            ["column"],
            registry=self.registry,
        )
        self.batches = Histogram(
            "mlrunner_batch_rows", "Rows predicted in one batch.", buckets=ROWS_BUCKETS, registry=self.registry
        )

    def count_batch(self, rows: int) -> None:
        """Count the rows of a batch."""
        self.rows.inc(rows)
        self.batches.observe(rows)

    def count_unknown(self, counts: Mapping[str, int]) -> None:
        """Count categories that training did not see, by column."""
        for column, count in counts.items():
            self.unknown.labels(column).inc(count)

    def format(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


class GatewayMetrics:
    """Metrics of a gateway, over all servers that it has forwarded to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlrunner_gateway_requests",
            "Requests, by HTTP status and version.",
            ["code", "version"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "mlrunner_gateway_request_seconds",
            "Duration of a request in seconds.",
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.waiting = Gauge("mlrunner_gateway_requests_in_flight", "Requests in flight.", registry=self.registry)
        self.switches = Counter("mlrunner_gateway_switches", "Changes of the server.", registry=self.registry)
        self.restarts = Counter("mlrunner_gateway_restarts", "Restarts of the server.", registry=self.registry)

    def format(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
