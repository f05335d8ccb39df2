from __future__ import annotations

import pytest
from launches import learn

import adaptive_selector as ads


def test_an_explanation_for_people_and_for_programs(gemm: ads.Operation) -> None:
    learn(gemm, 16, 4096, 4096, latencies=(20e-6, 10e-6))
    explanation = gemm.explain(16, 4096, 4096)
    assert explanation.operation == "gemm"
    assert explanation.key == "m=16 n=4096 k=4096"
    assert (explanation.mode, explanation.match, explanation.distance) == ("online", "default", 0.0)
    assert (explanation.incumbent, explanation.leader) == ("b", "b")
    assert explanation.calls > 1000
    assert [c.name for c in explanation.candidates] == ["a", "b"]
    b = explanation.candidates[1]
    assert b.lower < 10e-6 < b.upper
    assert b.available and b.count > 100
    event = explanation.history[0]
    assert (event.kind, event.from_variant, event.to_variant) == ("promotion", "a", "b")
    assert 0.45 < event.gain < 0.55
    text = str(explanation)
    assert "m=16 n=4096 k=4096" in text and "incumbent" in text and text == explanation.text()
    assert repr(explanation).startswith("<Explanation of gemm m=16")


def test_an_unseen_key_is_explained_without_a_state(gemm: ads.Operation) -> None:
    assert gemm.explain(1, 2, 3).calls == 0
    assert gemm.counters.keys == 0


def test_what_notebooks_show(selector: ads.Selector) -> None:
    operation = selector.define("gemm", ["m"], ["a<b>", "c"])
    learn(operation, 1, latencies=(20e-6, 10e-6))
    html = operation.explain(1)._repr_html_()
    assert "a&lt;b&gt;" in html and "a<b>" not in html
    assert "<table>" in html and html.count("<tr>") == 3
    assert "µs" in html


def test_counters(gemm: ads.Operation) -> None:
    gemm.record(gemm.select(1, 2, 3), seconds=1e-5)
    gemm.record(gemm.select(1, 2, 3), seconds=-1.0)
    counters = gemm.counters
    assert (counters.keys, counters.results, counters.results_invalid) == (1, 1, 1)
    assert counters.as_dict()["results"] == 1
    assert "results=1" in repr(counters)


def test_texts(selector: ads.Selector, gemm: ads.Operation) -> None:
    assert repr(gemm) == "Operation('gemm', 2 variants)"
    assert repr(selector).startswith("Selector(device='") and repr(selector).endswith("', mode='online')")
    assert gemm.name == "gemm" and gemm.selector is selector


def test_the_keys_that_were_met(selector: ads.Selector) -> None:
    operation = selector.define(
        "product", ["n", {"name": "type", "labels": ["half", "single"]},
                    {"name": "bits", "kind": "label_set", "labels": ["2", "4", "8"]}], ["a", "b"])
    assert operation.keys() == []
    operation.select(7, "single", ["2", "8"])
    operation.select(5, "half", [])
    operation.select(7, "single", ["8", "2"])
    assert operation.keys() == [(7, "single", ("2", "8")), (5, "half", ())]
    for key in operation.keys():
        assert operation.explain(*key).calls > 0


def test_an_operation_as_a_table_of_pandas(gemm: ads.Operation) -> None:
    pytest.importorskip("pandas")
    learn(gemm, 1, 2, 3, latencies=(20e-6, 10e-6))
    learn(gemm, 4, 5, 6, latencies=(10e-6, 20e-6))
    frame = gemm.to_pandas()
    assert list(frame.columns[:5]) == ["m", "n", "k", "variant", "incumbent"]
    assert list(zip(frame.m, frame.variant)) == [(1, "a"), (1, "b"), (4, "a"), (4, "b")]
    assert list(frame[frame.incumbent].variant) == ["b", "a"]
    assert 9e-6 < frame[frame.incumbent].location.min() and frame[frame.incumbent].location.max() < 11e-6
    empty = gemm.selector.define("other", ["n"], ["a"]).to_pandas()
    assert len(empty) == 0 and "location" in empty.columns
