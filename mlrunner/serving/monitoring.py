"""What a server and a gateway count, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
CONTENT_TYPE = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class ServerMetrics:
    """Of one server process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlrunner_requests", "Requests for predictions, by HTTP status.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "mlrunner_request_seconds", "Time of a request.", buckets=SECONDS, registry=self.registry
        )
        self.rows = Counter("mlrunner_rows", "Rows predicted.", registry=self.registry)
        self.batches = Histogram(
            "mlrunner_batch_rows", "Rows that went to the model together.", buckets=ROWS, registry=self.registry
        )

    def batch(self, rows: int) -> None:
        """Count a batch."""
        self.rows.inc(rows)
        self.batches.observe(rows)

    def text(self) -> bytes:
        """Write all of it in Prometheus' form."""
        return generate_latest(self.registry)


class GatewayMetrics:
    """Of a gateway, over all the servers that came and went."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlrunner_gateway_requests",
            "Requests, by HTTP status and version.",
            ["code", "version"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "mlrunner_gateway_request_seconds", "Time of a request.", buckets=SECONDS, registry=self.registry
        )
        self.waiting = Gauge("mlrunner_gateway_requests_in_flight", "Requests under way.", registry=self.registry)
        self.switches = Counter("mlrunner_gateway_switches", "Changes of the server.", registry=self.registry)
        self.restarts = Counter("mlrunner_gateway_restarts", "Restarts asked for.", registry=self.registry)

    def text(self) -> bytes:
        """Write all of it in Prometheus' form."""
        return generate_latest(self.registry)
