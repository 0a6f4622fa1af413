# SPDX-License-Identifier: MIT
"""Numbers for Prometheus: read by its own parser, against what was really allocated."""

import http.client

import dmabuf
import guest
import pytest
from guest import ctl
from held import close_all
from prometheus_client.openmetrics.parser import text_string_to_metric_families

MIB = 1 << 20


def samples(text):
    return {(sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


def metrics():
    return samples(guest.run("dmabufctl", "metrics", check=True).stdout)


def compare_with_pools(numbers):
    pools = ctl("pools")["pools"]
    assert {key[1]: value for key, value in numbers.items() if key[0] == "dmabufd_pool_used_bytes"
            } == {pool["name"]: pool["used"] for pool in pools}
    assert {key[1]: value for key, value in numbers.items() if key[0] == "dmabufd_pool_size_bytes"
            } == {pool["name"]: pool["size"] for pool in pools if pool["size"] is not None}


def test_metrics(client, free_camera):
    before = metrics()
    held = client.allocate(MIB, free_camera, count=3)
    pool = held[0].pool
    with pytest.raises(dmabuf.Error):
        client.allocate(1 << 40, free_camera)
    after = metrics()
    compare_with_pools(after)

    def grown(*key):
        return after[key] - before[key]

    assert grown("dmabufd_allocations_total", pool) == 3
    assert grown("dmabufd_allocated_bytes_total", pool) == 3 * MIB
    assert sum(grown(*key) for key in after if key[0] == "dmabufd_refusals_total") == 1
    assert grown("dmabufd_request_duration_seconds_count") == 2
    assert grown("dmabufd_request_duration_seconds_bucket", "+Inf") == 2
    assert grown("dmabufd_request_duration_seconds_sum") > 0
    assert (after["dmabufd_buffers",], after["dmabufd_buffer_bytes",]) == (3, 3 * MIB)
    assert after["dmabufd_module_loaded",] == 1
    listed = {(entry["name"], *entry["labels"].values()) for entry in ctl("metrics")["metrics"]}
    assert listed == set(after)
    close_all(held)


def test_metrics_name_the_reason(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=1M\n"), dmabuf.Connection() as client:
        for size, pool in ((2 * MIB, None), (8 * MIB, "system")):
            with pytest.raises(dmabuf.Error):
                client.allocate(size, free_camera, pool=pool)
        numbers = metrics()
        assert {key[1]: value for key, value in numbers.items()
                if key[0] == "dmabufd_refusals_total" and value} == {"quota": 1, "unsuitable": 1}


def scrape(path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", 9739, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def test_scrape_by_the_socket(client, free_camera):
    assert guest.systemctl("is-enabled", "dmabufd-metrics.socket",
                           check=False).stdout.strip() == "disabled"
    guest.systemctl("start", "dmabufd-metrics.socket")
    try:
        held = client.allocate(MIB, free_camera)
        status, kind, text = scrape("/metrics")
        assert status == 200
        assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        compare_with_pools(samples(text))
        assert scrape("/")[0] == 404
        assert scrape("/metrics", "POST")[0] == 404
        close_all(held)
    finally:
        guest.systemctl("stop", "dmabufd-metrics.socket")
