"""Uses the C interface as other languages do: through the shared library alone, by ctypes.

usage: ctypes_test.py LIBRARY
"""

import ctypes
import json
import math
import os
import socket
import sys
import tempfile
import unittest
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

library = ctypes.CDLL(sys.argv.pop(1))

OK, INVALID_ARGUMENT, NOT_FOUND = 0, 1, 2
MODE_OFF, MODE_ONLINE = 0, 3


class Decision(ctypes.Structure):
    _fields_ = [("key", c_void_p), ("variant", c_uint32), ("ticket", c_uint32)]


class Pin(ctypes.Structure):
    _fields_ = [("key", c_void_p), ("current", c_void_p), ("seen", c_uint32), ("variant", c_uint32)]


Supports = ctypes.CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_int64), c_size_t)
Log = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)

# Functions by their result, with the types of their arguments.
for result, functions in {
    c_int: {
        "options_create": [POINTER(c_void_p)],
        "options_set_background": [c_void_p, c_bool],
        "options_set_use_environment": [c_void_p, c_bool],
        "options_set_learning": [c_void_p, c_char_p, c_double],
        "options_set_log": [c_void_p, Log, c_void_p],
        "options_set_socket": [c_void_p, c_char_p, c_char_p],
        "selector_create": [c_void_p, POINTER(c_void_p)],
        "selector_mode": [c_void_p],
        "selector_define": [c_void_p, c_void_p, POINTER(c_void_p)],
        "selector_load": [c_void_p, c_char_p],
        "selector_save": [c_void_p, c_char_p],
        "spec_create": [c_char_p, POINTER(c_void_p)],
        "spec_add_size": [c_void_p, c_char_p, c_double, c_int],
        "spec_add_variant": [c_void_p, c_char_p],
        "spec_set_integer": [c_void_p, c_char_p, c_int64],
        "spec_set_supports": [c_void_p, Supports, c_void_p],
        "operation_explain": [c_void_p, POINTER(c_int64), c_size_t, POINTER(c_void_p)],
        "operation_counter": [c_void_p, c_char_p, POINTER(c_uint64)],
    },
    None: {
        "options_destroy": [c_void_p],
        "selector_destroy": [c_void_p],
        "spec_destroy": [c_void_p],
        "operation_record": [c_void_p, Decision, c_double],
        "operation_record_key": [c_void_p, POINTER(c_int64), c_size_t, c_uint32, c_double],
        "free": [c_void_p],
    },
    Decision: {"operation_select": [c_void_p, POINTER(c_int64), c_size_t]},
    Pin: {"operation_pin": [c_void_p, POINTER(c_int64), c_size_t]},
    c_bool: {"pin_stale": [Pin]},
    c_char_p: {"last_error": [], "version": []},
}.items():
    for name, arguments in functions.items():
        function = getattr(library, "adaptive_" + name)
        function.restype = result
        function.argtypes = arguments
        globals()[name] = function


def make(create, *arguments):
    handle = c_void_p()
    status = create(*arguments, byref(handle))
    if status != OK:
        raise RuntimeError(last_error().decode())
    return handle


class Interface(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.log = Log(lambda data, level, line: self.lines.append(line.decode()))
        options = make(options_create)
        options_set_background(options, False)
        options_set_use_environment(options, False)
        options_set_learning(options, b"timing_budget", 1.0)
        options_set_log(options, self.log, None)
        self.selector = make(selector_create, options)
        options_destroy(options)

    def tearDown(self):
        selector_destroy(self.selector)

    def define(self):
        spec = make(spec_create, b"sort")
        spec_add_size(spec, b"count", 1.0, 0)
        spec_add_variant(spec, b"merge")
        spec_add_variant(spec, b"radix")
        spec_set_integer(spec, b"bits", 8)
        self.supports = Supports(lambda data, variant, key, size: variant == 0 or key[0] % 8 == 0)
        spec_set_supports(spec, self.supports, None)
        operation = make(selector_define, self.selector, spec)
        spec_destroy(spec)
        return operation

    def launch(self, operation, key, calls):
        for call in range(calls):
            decision = operation_select(operation, key, len(key))
            if decision.ticket:
                latency_ns = [2e6, 1e6][decision.variant] * (1 + 0.01 * math.sin(call))
                operation_record(operation, decision, latency_ns)

        for call in range(20):  # as a tuner measures
            for variant, latency_ns in enumerate([2e6, 1e6]):
                operation_record_key(operation, key, len(key), variant, latency_ns * (1 + 0.01 * math.sin(call)))

    def test_learns_saves_and_starts_again(self):
        operation = self.define()
        key = (c_int64 * 1)(4096)
        before = operation_pin(operation, key, 1)
        self.launch(operation, key, 300)
        self.assertTrue(pin_stale(before))
        self.assertEqual(operation_pin(operation, key, 1).variant, 1)
        promotions = c_uint64()
        self.assertEqual(operation_counter(operation, b"promotions", byref(promotions)), OK)
        self.assertEqual(promotions.value, 1)
        self.assertTrue(any("merge -> radix" in line for line in self.lines), self.lines)

        text = make(operation_explain, operation, key, 1)
        self.assertIn(b"count=4096", ctypes.string_at(text))
        free(text)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "adapted.json").encode()
            self.assertEqual(selector_save(self.selector, path), OK)
            self.tearDown()
            self.setUp()
            self.assertEqual(selector_load(self.selector, path), OK)
        self.assertEqual(operation_pin(self.define(), key, 1).variant, 1)

    def test_a_variant_that_cannot_run_the_key_never_runs(self):
        operation = self.define()
        key = (c_int64 * 1)(4097)
        self.assertEqual({operation_select(operation, key, 1).variant for _ in range(50)}, {0})

    def test_a_socket_takes_the_kill_switch(self):
        options = make(options_create)
        self.assertEqual(options_set_socket(None, None, None), INVALID_ARGUMENT)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(options_set_socket(options, folder.encode(), b"served"), OK)
            selector = make(selector_create, options)
            options_destroy(options)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, connection.makefile("rw") as lines:
                connection.connect(os.path.join(folder, os.listdir(folder)[0]))
                for question in ({"ask": "status"}, {"ask": "mode", "mode": "off"}):
                    print(json.dumps({"version": 1, **question}), file=lines, flush=True)
                status, _ = json.loads(lines.readline()), lines.readline()
            self.assertEqual((status["name"], status["mode"]), ("served", "online"))
            self.assertEqual(selector_mode(selector), MODE_OFF)
            self.assertEqual(selector_mode(self.selector), MODE_ONLINE)
            selector_destroy(selector)
            self.assertEqual([name for name in os.listdir(folder) if name.endswith(".sock")], [])

    def test_errors_are_codes_with_a_text(self):
        self.assertEqual(selector_load(self.selector, b"no/such.json"), NOT_FOUND)
        self.assertIn(b"no/such.json", last_error())
        self.assertEqual(selector_load(None, b"table.json"), INVALID_ARGUMENT)
        self.assertRegex(version(), rb"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
