"""Metrics of selectors for Prometheus, by prometheus_client.

    from adaptive_selector import metrics

    metrics.register(selector)                       # with prometheus_client's registry, or one of your own

The names are those of the C++ library (docs/watching.md). Everything is collected when somebody asks; launches pay
nothing. In multi-process mode (PROMETHEUS_MULTIPROC_DIR, as inference engines use it) a collector of another process is
never asked: there, a thread writes the values to the files of that mode every few seconds.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Union

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import CollectorRegistry

from ._core import Selector, collect_metrics

__all__ = ["Registration", "SelectorCollector", "register"]

_Families = list[tuple[str, str, str, list[tuple[dict[str, str], float]]]]
_Mode = Literal["sum", "livesum", "livemax"]

#: How the values of several processes become one. What a process has saved stays when it ends.
_GAUGE_MODES: dict[str, _Mode] = {
    "adaptive_keys": "livesum",
    "adaptive_confirmed_keys": "livesum",
    "adaptive_saved_seconds_total": "sum",
    "adaptive_epoch": "livemax",
    "adaptive_stale_graphs": "livesum",
    "adaptive_info": "livemax",
}


class SelectorCollector:
    """Collects a selector's metrics for a registry. Does not keep the selector alive."""

    def __init__(
        self,
        selector: Selector,
        *,
        labels: Mapping[str, str] | None = None,
        stale_graphs: Callable[[], int] | None = None,
    ) -> None:
        """labels: of every sample, such as {"device": "0"}.
        stale_graphs: returns the number of captured graphs whose pin is stale; without it that metric is left out."""
        self._selector = weakref.ref(selector)
        self._labels = dict(labels or {})
        self._stale_graphs = stale_graphs

    def families(self) -> _Families | None:
        """Name, help, type and samples of every metric; None once the selector is gone."""
        selector = self._selector()
        if selector is None:
            return None
        return collect_metrics(selector, self._labels, self._stale_graphs() if self._stale_graphs else None)

    def collect(self) -> Iterator[Union[CounterMetricFamily, GaugeMetricFamily]]:
        for name, text, kind, samples in self.families() or []:
            labels = list(samples[0][0]) if samples else []
            family: Union[CounterMetricFamily, GaugeMetricFamily] = (
                CounterMetricFamily(name, text, labels=labels)
                if kind == "counter"
                else GaugeMetricFamily(name, text, labels=labels)
            )
            for values, number in samples:
                family.add_metric(list(values.values()), number)
            yield family

    def describe(self) -> Iterator[Union[CounterMetricFamily, GaugeMetricFamily]]:
        return self.collect()


class Registration:
    """What `register` has set up. `close` undoes it."""

    def __init__(self, collector: SelectorCollector, registry: CollectorRegistry, interval: float | None) -> None:
        self._collector = collector
        self._registry = registry
        self._metrics: dict[str, prometheus_client.Counter | prometheus_client.Gauge] = {}
        self._counted: dict[tuple[str, tuple[str, ...]], float] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if interval is None:
            registry.register(collector)
            return
        self.update()
        self._thread = threading.Thread(target=self._run, args=(interval,), name="adaptive metrics", daemon=True)
        self._thread.start()
        atexit.register(self.update)

    def update(self) -> None:
        """In multi-process mode: writes the present values now. Otherwise nothing is to be done."""
        if self._thread is None and self._closed.is_set():
            return
        with self._lock:
            families = self._collector.families()
            if families is None:
                self._closed.set()
                return
            for name, text, kind, samples in families:
                self._write(name, text, kind, samples)

    def close(self) -> None:
        """Ends the registration. In multi-process mode the values that were written stay in the files."""
        if self._thread is None:
            if not self._closed.is_set():
                self._registry.unregister(self._collector)
            self._closed.set()
            return
        self.update()
        self._closed.set()
        atexit.unregister(self.update)
        self._thread.join()
        for metric in self._metrics.values():
            self._registry.unregister(metric)
        self._metrics.clear()

    def _run(self, interval: float) -> None:
        while not self._closed.wait(interval):
            self.update()

    def _write(self, name: str, text: str, kind: str, samples: list[tuple[dict[str, str], float]]) -> None:
        if not samples:
            return
        metric = self._metrics.get(name)
        if metric is None:
            labels = list(samples[0][0])
            metric = (
                prometheus_client.Counter(name, text, labels, registry=self._registry)
                if kind == "counter"
                else prometheus_client.Gauge(
                    name, text, labels, registry=self._registry, multiprocess_mode=_GAUGE_MODES[name]
                )
            )
            self._metrics[name] = metric
        if name == "adaptive_info":
            self._forget_info(metric, samples)
        for values, number in samples:
            one = metric.labels(*values.values()) if values else metric
            if isinstance(one, prometheus_client.Gauge):
                one.set(number)
                continue
            # A counter of the selector begins at zero again after a reset.
            key = (name, tuple(values.values()))
            before = self._counted.get(key, 0.0)
            one.inc(number - before if number >= before else number)
            self._counted[key] = number

    def _forget_info(
        self, metric: prometheus_client.Counter | prometheus_client.Gauge, samples: list[tuple[dict[str, str], float]]
    ) -> None:
        # The files of multi-process mode keep every combination of labels: a former one becomes 0.
        now = {("adaptive_info", tuple(values.values())) for values, _ in samples}
        for key in [key for key in self._counted if key[0] == "adaptive_info" and key not in now]:
            former = metric.labels(*key[1])
            if isinstance(former, prometheus_client.Gauge):
                former.set(0)
            del self._counted[key]
        for key in now:
            self._counted[key] = 1.0


def register(
    selector: Selector,
    *,
    registry: CollectorRegistry | None = None,
    labels: Mapping[str, str] | None = None,
    stale_graphs: Callable[[], int] | None = None,
    interval: float = 5.0,
) -> Registration:
    """Makes a selector's metrics part of a registry, prometheus_client's own by default.

    labels: of every sample; needed where several selectors of a process share a registry.
    stale_graphs: returns the number of captured graphs whose pin is stale.
    interval: seconds between two writes in multi-process mode.

    In multi-process mode, call it after the process has forked, once for each registry and process, or with
    registries of their own."""
    if interval <= 0:
        raise ValueError("interval is not above 0")
    collector = SelectorCollector(selector, labels=labels, stale_graphs=stale_graphs)
    multiprocess = "PROMETHEUS_MULTIPROC_DIR" in os.environ or "prometheus_multiproc_dir" in os.environ
    return Registration(
        collector, prometheus_client.REGISTRY if registry is None else registry, interval if multiprocess else None
    )
