"""Metrics in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from mlrunner.serving.monitoring import GatewayMetrics, ServerMetrics


def read(text: bytes) -> dict[str, float]:
    samples = [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]
    return {"/".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def test_rows_and_batches_are_counted() -> None:
    metrics = ServerMetrics()
    for rows in (1, 3, 200):
        metrics.count_batch(rows)
    values = read(metrics.format())
    assert (values["mlrunner_rows_total"], values["mlrunner_batch_rows_count"]) == (204, 3)
    assert [values[f"mlrunner_batch_rows_bucket/{limit}"] for limit in ("1.0", "4.0", "256.0")] == [1, 2, 3]


def test_unknown_categories_are_counted_by_column() -> None:
    metrics = ServerMetrics()
    metrics.count_unknown({"town": 2})
    metrics.count_unknown({"town": 1, "kind": 1})
    values = read(metrics.format())
    assert values["mlrunner_unknown_categories_total/town"] == 3
    assert values["mlrunner_unknown_categories_total/kind"] == 1


def test_two_servers_of_one_process_count_separately() -> None:
    first, second = ServerMetrics(), ServerMetrics()
    first.requests.labels(200).inc()
    assert read(first.format())["mlrunner_requests_total/200"] == 1
    assert "mlrunner_requests_total/200" not in read(second.format())


def test_names_of_gateway_and_server_differ() -> None:
    assert not set(read(GatewayMetrics().format())) & set(read(ServerMetrics().format()))
