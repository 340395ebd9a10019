"""The rules of merging and cutting to size, without a network."""

import copy
import json
import random
import unittest

from milepost._buffer import MAX_WAITING_ENTRIES, MAX_WAITING_REPORTS, Buffer
from milepost._report import MAX_DETAILS_BYTES, MAX_ENTRIES, Report, encode_entry, to_json


def merged(*reports):
    buffer = Buffer()
    for report in reports:
        buffer.put(report)
    return sent(buffer)


def sent(buffer):
    """The bodies of all requests that the buffer makes."""
    bodies = []
    while not buffer.is_empty:
        bodies.append(json.loads(buffer.take().encode()))
    return bodies


def entry(n, **more):
    return encode_entry(n, "bad", "No", "product", None, more or None)


def any_report(chance):
    n, name = chance.randrange(5), chance.choice("ab")
    return chance.choice(
        [
            Report(total_items=n),
            Report(processed_items=n),
            Report(processed_delta=n),
            Report(processed_delta=n, counters={name: n}),
            Report(stage=name),
            Report(message=name),
            Report(metadata={chance.choice([name, "stage", "last_message"]): to_json(n)}),
            Report(errors=[entry(n) for n in range(n)]),
            Report(warnings=[entry(n)] * 200),
        ]
    )


def applied(bodies):
    """A job after these reports, by the API's rules (docs/rules.md)."""
    job = {
        "processed": 0,
        "total": 0,
        "counters": {},
        "metadata": {},
        "stages": [],
        "errors": [],
        "warnings": [],
    }
    for body in bodies:
        job["total"] = body.get("total_items", job["total"])
        job["processed"] = body.get("processed_items", job["processed"]) + body.get("processed_delta", 0)
        for name, n in body.get("counters", {}).items():
            job["counters"][name] = job["counters"].get(name, 0) + n
        job["metadata"].update(body.get("metadata_patch", {}))
        if "stage" in body:
            job["metadata"]["stage"] = body["stage"]
            if job["stages"][-1:] != [body["stage"]]:
                job["stages"].append(body["stage"])
        if "message" in body:
            job["metadata"]["last_message"] = body["message"]
        job["errors"] += body.get("errors", [])
        job["warnings"] += body.get("warnings", [])
    return job


class Merging(unittest.TestCase):
    def test_the_last_count_stands_and_additions_add_up(self):
        self.assertEqual(
            merged(Report(processed_items=1), Report(processed_items=5)), [{"processed_items": 5}]
        )
        self.assertEqual(
            merged(Report(processed_delta=1), Report(processed_delta=5)), [{"processed_delta": 6}]
        )
        counters = merged(Report(counters={"a": 1}), Report(counters={"a": 2, "b": 1}))
        self.assertEqual(counters, [{"counters": {"a": 3, "b": 1}}])

    def test_a_count_and_an_addition_are_never_in_one_report(self):
        self.assertEqual(
            merged(Report(processed_items=5), Report(processed_delta=2)), [{"processed_items": 7}]
        )
        self.assertEqual(
            merged(Report(processed_delta=2), Report(processed_items=5)), [{"processed_items": 5}]
        )

    def test_metadata_is_merged_and_the_last_message_stands(self):
        bodies = merged(
            Report(metadata={"a": b"1", "b": b"1"}, message="one"),
            Report(metadata={"b": b"2"}, message="two"),
        )
        self.assertEqual(bodies, [{"metadata_patch": {"a": 1, "b": 2}, "message": "two"}])

    def test_every_stage_is_sent_in_order_with_what_belongs_to_it(self):
        bodies = merged(
            Report(mark_started=True),
            Report(stage="one"),
            Report(processed_delta=1),
            Report(stage="one"),
            Report(stage="two"),
            Report(processed_delta=1),
            Report(mark_completed=True),
        )
        self.assertEqual(
            bodies,
            [
                {"mark_started": True, "processed_delta": 1, "stage": "one"},
                {"processed_delta": 1, "stage": "two", "mark_completed": True},
            ],
        )

    def test_whatever_is_merged_the_job_is_as_if_each_call_had_been_sent(self):
        for seed in range(200):
            chance = random.Random(seed)
            reports = [any_report(chance) for _ in range(chance.randrange(1, 30))]
            alone = applied(body for report in reports for body in merged(copy.deepcopy(report)))
            buffer, bodies = Buffer(), []
            for report in reports:
                buffer.put(report)
                if chance.random() < 0.1:
                    bodies.append(json.loads(buffer.take().encode()))
            self.assertEqual(applied([*bodies, *sent(buffer)]), alone, f"seed {seed}")

    def test_a_loop_over_stages_keeps_as_many_as_a_timeline_has(self):
        bodies = merged(*[Report(stage=str(n)) for n in range(1_000)])
        self.assertEqual(len(bodies), MAX_WAITING_REPORTS)
        self.assertEqual(bodies[-1], {"stage": "999"})

    def test_entries_are_split_by_number_and_the_end_comes_last(self):
        bodies = merged(
            Report(processed_delta=1),
            *[Report(errors=[entry(n)]) for n in range(2 * MAX_ENTRIES + 1)],
            Report(mark_failed="no"),
        )
        self.assertEqual([len(body["errors"]) for body in bodies], [MAX_ENTRIES, MAX_ENTRIES, 1])
        self.assertEqual([body.get("mark_failed") for body in bodies], [None, None, "no"])
        self.assertEqual([body.get("processed_delta") for body in bodies], [1, None, None])
        keys = [error["entity_key"] for body in bodies for error in body["errors"]]
        self.assertEqual(keys, [str(n) for n in range(2 * MAX_ENTRIES + 1)])

    def test_entries_are_split_by_bytes_so_that_every_body_is_below_1_MB(self):
        # Control characters take six bytes each: no entry can be larger.
        worst = encode_entry(
            "\0" * 9_999, "\0" * 9_999, "\0" * 99_999, "\0" * 9_999, "\0" * 9_999, {"a": "ü" * 8_000}
        )
        buffer = Buffer()
        patch = {"a": to_json("\0" * 10_000)}
        buffer.put(
            Report(metadata=patch, stage="\0" * 4_096, message="\0" * 4_096, mark_failed="\0" * 16_384)
        )
        for _ in range(20):
            buffer.put(Report(errors=[worst], warnings=[worst, worst]))
        sizes = []
        while not buffer.is_empty:
            sizes.append(len(buffer.take().encode()))
        self.assertLess(max(sizes), 1024 * 1024)
        self.assertEqual((buffer.entries, buffer.bytes), (0, 0))

    def test_the_buffer_is_full_by_number_or_bytes(self):
        buffer = Buffer()
        for n in range(MAX_WAITING_ENTRIES):
            self.assertFalse(buffer.is_full)
            buffer.put(Report(errors=[entry(n)]))
        self.assertTrue(buffer.is_full)
        buffer.take()
        self.assertFalse(buffer.is_full)

    def test_what_was_put_back_comes_first_and_all_becomes_one(self):
        buffer = Buffer()
        buffer.put(Report(stage="one", processed_delta=1))
        taken = buffer.take()
        buffer.put(Report(stage="two", processed_delta=2, mark_completed=True))
        buffer.put_back(taken)
        buffer.merge()
        last = buffer.take().without_marks()
        self.assertEqual(json.loads(last.encode()), {"stage": "two", "processed_delta": 3})
        self.assertTrue(buffer.is_empty)


class Refusals(unittest.TestCase):
    def test_only_the_refused_parts_are_left_out(self):
        report = Report(
            processed_delta=1, counters={"a": 1, "b": 1}, errors=[entry(0), entry(1)], mark_completed=True
        )
        faults = [{"loc": ["body", "errors", 1, "message"]}, {"loc": ["body", "counters", "a"]}]
        rest = report.without(faults)
        self.assertEqual(
            rest, Report(processed_delta=1, counters={"b": 1}, errors=[entry(0)], mark_completed=True)
        )

    def test_entries_and_metadata_are_left_out_if_the_api_names_no_part(self):
        report = Report(processed_delta=1, metadata={"a": b"1"}, errors=[entry(0)])
        self.assertEqual(report.without([]), Report(processed_delta=1))
        self.assertIsNone(Report(processed_delta=1).without([]))


class Cutting(unittest.TestCase):
    def test_texts_are_cut_to_the_bounds_of_the_api(self):
        body = json.loads(encode_entry(5, "t" * 5_000, ValueError("x" * 20_000), "product", None, None))
        self.assertEqual(body["entity_key"], "5")
        self.assertEqual((len(body["error_type"]), len(body["message"])), (4_096, 16_384))

    def test_large_details_are_cut_off_and_never_refused(self):
        details = json.loads(entry(1, text="ü" * 20_000))["details"]
        self.assertLess(len(to_json(details)), MAX_DETAILS_BYTES)
        self.assertTrue(details["cut_off"].startswith('{"text":"ü'))

    def test_any_value_becomes_json(self):
        loop = {}
        loop["loop"] = loop
        deep = []
        for _ in range(100_000):
            deep = [deep]
        self.assertEqual(json.loads(to_json({"a": float("nan"), "b": float("inf")})), {"a": None, "b": None})
        self.assertEqual(json.loads(to_json({"at": Exception("x"), ("a",): 1})), {"at": "x"})
        self.assertEqual(json.loads(to_json("half \ud800 pair")), "half ? pair")
        self.assertEqual(json.loads(to_json({"who": Unprintable()})), {"who": "<unprintable Unprintable object>"})
        self.assertIn("not_json", json.loads(to_json({"n": 10**5_000})))
        self.assertIn("not_json", json.loads(to_json(loop)))
        self.assertIn("not_json", json.loads(to_json(deep)))

    def test_an_entry_is_made_of_any_values(self):
        body = json.loads(encode_entry(Unprintable(), None, "", None, None, "not a mapping"))
        self.assertEqual(body["entity_key"], "<unprintable Unprintable object>")
        self.assertEqual(body["details"], {"value": "not a mapping"})

    def test_what_is_nested_too_deeply_for_the_api_is_left_out_alone(self):
        deep = "["
        for _ in range(499):
            deep = [deep]
        self.assertEqual(json.loads(to_json({"a": deep})), {"not_json": "nested too deeply"})
        flat = [{"a": '[{\\"['}] * 1_000
        self.assertEqual(json.loads(to_json(flat)), flat)


class Unprintable:
    def __str__(self):
        raise RuntimeError("no text")


if __name__ == "__main__":
    unittest.main()
