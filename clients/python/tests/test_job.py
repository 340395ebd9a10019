"""What a job does about every kind of answer."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import milepost
from milepost import _buffer, _exit
from tests.fake_api import FakeApi

ENTRY = {"entity_type": "product", "error_type": "bad", "message": "No"}


class JobTest(unittest.TestCase):
    def setUp(self):
        pauses = mock.patch("milepost._http._FIRST_PAUSE", 0.01)
        pauses.start()
        self.addCleanup(pauses.stop)

    def api(self, *answers):
        api = FakeApi(*answers)
        self.addCleanup(api.close)
        return api

    def test_a_tight_loop_is_a_few_requests(self):
        api = self.api()
        with api.client().job("import", total_items=1_000) as job:
            for _ in job.track(range(1_000)):
                job.count(created=1)
        self.assertLessEqual(len(api.reports), 4)
        self.assertEqual(sum(body.get("processed_delta", 0) for body in api.bodies), 1_000)
        self.assertEqual(sum(body.get("counters", {}).get("created", 0) for body in api.bodies), 1_000)
        self.assertTrue(api.bodies[0]["mark_started"])
        self.assertTrue(api.bodies[-1]["mark_completed"])

    def test_a_failed_row_is_not_counted_as_done(self):
        api = self.api()
        with api.client().job("import") as job:
            for row in job.track(range(10)):
                job.error(entity_key="job", error_type="odd", message="Not about the row")
                if row == 3:
                    job.error(entity_key=row, **ENTRY)
        self.assertEqual(sum(body.get("processed_delta", 0) for body in api.bodies), 9)

    def test_all_attempts_of_a_report_are_the_same_request(self):
        api = self.api(503, (429, {"Retry-After": "0"}), (200, {"Content-Length": "9999"}), 500)
        job = api.client().job("import")
        self.assertTrue(job.complete())
        self.assertEqual(len(api.reports), 5)
        self.assertEqual(len(set(key for key, _ in api.reports)), 1)
        self.assertEqual(api.bodies, [{"mark_completed": True}] * 5)

    def test_retry_after_is_honored(self):
        api = self.api((503, {"Retry-After": "1"}))
        began = time.monotonic()
        self.assertTrue(api.client().job("import").complete())
        self.assertGreaterEqual(time.monotonic() - began, 1)

    def test_an_exception_fails_the_job_and_goes_on(self):
        api = self.api()
        with self.assertRaises(KeyError), api.client().job("import"):
            raise KeyError("sku")
        self.assertEqual(api.bodies[-1]["mark_failed"], "KeyError: 'sku'")

    def test_sigterm_fails_the_job(self):
        api = self.api()
        with self.assertRaises(SystemExit) as raised, api.client().job("import"):
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(5)
        self.assertEqual(raised.exception.code, 143)
        self.assertEqual(api.bodies[-1]["mark_failed"], "terminated by SIGTERM")

    def test_sigterm_during_the_last_report_is_held_until_that_is_acknowledged(self):
        def terminate():
            os.kill(os.getpid(), signal.SIGTERM)
            return 503

        api = self.api(terminate, 503)
        job = api.client().job("import")
        with self.assertRaises(SystemExit):
            job.complete()
        self.assertEqual(api.bodies, [{"mark_completed": True}] * 3)

    def test_sigterm_at_exit_does_not_keep_what_waits_from_being_sent(self):
        def terminate():
            os.kill(os.getpid(), signal.SIGTERM)
            return 503

        api = self.api(terminate)
        job = api.client().job("import")
        with mock.patch.object(_exit, "_open", {job._sender}):
            job.add(1)
            _exit._flush()
        self.assertEqual(api.bodies, [{"processed_delta": 1}] * 2)

    def test_a_bad_field_does_not_take_the_rest_with_it(self):
        fault = {"detail": [{"loc": ["body", "errors", 0, "details"]}]}
        api = self.api(200, (422, {}, fault))
        with api.client(reports_per_second=0.1).job("import") as job, self.assertLogs("milepost") as logs:
            job.flush()
            job.error(entity_key=0, **ENTRY)
            job.error(entity_key=1, **ENTRY)
            job.add(2)
            job.flush()
        self.assertEqual([error["entity_key"] for error in api.bodies[2]["errors"]], ["1"])
        self.assertEqual(api.bodies[2]["processed_delta"], 2)
        self.assertNotEqual(api.reports[1][0], api.reports[2][0])
        self.assertEqual(job.dropped, 1)
        self.assertEqual(api.bodies[-1]["warnings"][0]["error_type"], "entries_dropped")
        self.assertIn("left out", logs.output[0])

    def test_a_refused_key_ends_the_reports_but_not_the_work(self):
        api = self.api((401, {}, {"detail": "Invalid API key"}))
        with self.assertLogs("milepost", "ERROR") as logs:
            with api.client().job("import") as job:
                job.flush()
                job.add(1)
        self.assertEqual(len(api.reports), 1)
        self.assertTrue(job.closed)
        self.assertIn("not sent: that it started: 401 Invalid API key", logs.output[0])

    def test_a_strict_client_raises(self):
        api = self.api((401, {}, {"detail": "Invalid API key"}))
        job = api.client(strict=True).job("import")
        with self.assertLogs("milepost"), self.assertRaises(milepost.Refused):
            job.complete()
        job = api.client(strict=True).job("import")
        with self.assertRaises(ValueError):
            job.add(-1)

    def test_a_strict_client_raises_what_was_left_out_of_the_last_report(self):
        api = self.api((422, {}, {"detail": [{"loc": ["body", "errors", 0, "details"]}]}))
        job = api.client(strict=True).job("import")
        job.error(entity_key=1, **ENTRY)
        with self.assertLogs("milepost"), self.assertRaises(milepost.Refused):
            job.complete()
        self.assertEqual(api.bodies[-1], {"mark_completed": True})

    def test_bad_values_are_logged_and_left_out(self):
        api = self.api()
        with self.assertLogs("milepost") as logs, api.client().job("import") as job:
            job.add(-1)
            job.processed("5")
            job.total(2**63)
            job.metadata(["not", "a", "mapping"])
            job.count(**{"x" * 65: 1}, **{f"n{i}": 1 for i in range(51)})
        self.assertEqual(len(logs.output), 5)
        self.assertEqual(len(api.bodies[-1]["counters"]), 50)

    def test_what_is_reported_after_the_end_is_not_left_out_silently(self):
        api = self.api()
        with api.client().job("import") as job:
            pass
        with self.assertLogs("milepost") as logs:
            job.add(1)
            job.stage("late")
        self.assertEqual(len(logs.output), 1)
        self.assertIn("after the end", logs.output[0])

    def test_giving_up_says_what_was_not_sent(self):
        api = self.api(*[503] * 100)
        with self.assertLogs("milepost", "ERROR") as logs:
            with api.client(give_up_after=0.3).job("import") as job:
                job.add(1)
                job.error(entity_key=1, **ENTRY)
        self.assertIn("not sent: 1 errors, counts, that it started, that it is complete", logs.output[0])

    def test_an_outage_shorter_than_the_work_loses_nothing(self):
        api = self.api(*[503] * 100)
        job = api.client(give_up_after=0.1).job("import")
        job.add(1)
        self.assertFalse(job.flush())
        job.add(1)
        api.answers.clear()
        self.assertTrue(wait_for(job.flush))
        self.assertTrue(job.complete())
        self.assertEqual(sum(body.get("processed_delta", 0) for _, body in dict(api.reports).items()), 2)

    def test_a_canceled_job_is_told_the_rest_once_and_without_marks(self):
        cancelled = (409, {"Job-Status": "cancelled"}, {"detail": "Job is cancelled"})
        api = self.api(200, cancelled, 200, 409)
        rows = 0
        with self.assertLogs("milepost"), self.assertRaises(milepost.JobClosed):
            with api.client(reports_per_second=50).job("import") as job:
                for _ in job.track(itertools.count()):
                    rows += 1
                    if rows == 1:
                        job.error(entity_key="job", error_type="odd", message="No")
        self.assertTrue(job.cancelled)
        self.assertEqual(len(api.reports), 3)
        # A mark makes a canceled job refuse the whole report.
        self.assertTrue(api.bodies[1]["mark_started"])
        self.assertNotIn("mark_started", api.bodies[2])
        accepted = [api.bodies[0], api.bodies[2]]
        self.assertEqual(sum(body.get("processed_delta", 0) for body in accepted), rows)
        self.assertEqual(sum(len(body.get("errors", [])) for body in accepted), 1)

    def test_a_bad_field_does_not_take_the_last_report_of_a_canceled_job_with_it(self):
        cancelled = (409, {"Job-Status": "cancelled"}, {"detail": "Job is cancelled"})
        too_many = (422, {}, {"detail": [{"loc": ["body", "counters"]}]})
        api = self.api(cancelled, too_many)
        job = api.client().job("import")
        job.add(5, created=1)
        with self.assertLogs("milepost"):
            job.complete()
        self.assertEqual(api.bodies[-1], {"processed_delta": 5})
        self.assertEqual(len(api.reports), 3)

    def test_a_job_that_is_completed_after_it_was_canceled_stays_canceled(self):
        cancelled = (409, {"Job-Status": "cancelled"}, {"detail": "Job is cancelled"})
        api = self.api(cancelled)
        job = api.client().job("import")
        job.add(1)
        with self.assertLogs("milepost"):
            self.assertFalse(job.complete())
        self.assertTrue(job.cancelled)
        self.assertEqual(api.bodies[-1], {"processed_delta": 1})

    def test_a_cancellation_is_learned_from_an_accepted_report(self):
        api = self.api((200, {"Job-Status": "cancelled"}))
        job = api.client().job("import")
        job.add(1)
        job.flush()
        with self.assertLogs("milepost"), self.assertRaises(milepost.JobClosed), job:
            job.raise_if_closed()
        self.assertEqual(api.bodies, [{"processed_delta": 1}])

    def test_a_full_buffer_holds_the_caller_up_once_and_then_drops(self):
        api = self.api(*[503] * 100)
        job = api.client(give_up_after=0.2).job("import")
        with self.assertLogs("milepost") as logs:
            began = time.monotonic()
            while job.dropped < 100:
                job.error(entity_key=1, **ENTRY)
            self.assertLess(time.monotonic() - began, 5)
            api.answers.clear()
            self.assertTrue(wait_for(job.flush))
            self.assertTrue(job.complete())
        errors = sum(len(body.get("errors", [])) for body in dict(api.reports).values())
        # What fills the buffer, and what was under way.
        self.assertGreaterEqual(errors, _buffer.MAX_WAITING_ENTRIES)
        self.assertIn("dropped 100 errors and warnings", api.bodies[-1]["warnings"][0]["message"])
        self.assertIn("the buffer is full", logs.output[0])

    def test_threads_may_share_a_job(self):
        api = self.api()
        with api.client().job("import") as job:
            threads = [threading.Thread(target=lambda: [job.add(1) for _ in range(1_000)]) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(sum(body.get("processed_delta", 0) for body in api.bodies), 4_000)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
    def test_a_forked_child_sends_only_its_own(self):
        api = self.api()
        with api.client(reports_per_second=0.1).job("import") as job:
            job.flush()
            job.add(5)
            child = os.fork()
            if child == 0:
                job.add(1)
                job.__exit__(None, None, None)
                os._exit(0)
            os.waitpid(child, 0)
        self.assertEqual(sorted(body.get("processed_delta", 0) for body in api.bodies), [0, 1, 5])
        self.assertEqual(sum("mark_completed" in body for body in api.bodies), 1)

    def test_what_was_not_sent_at_exit_is_in_the_log_file(self):
        api = self.api(*[503] * 100)
        with tempfile.NamedTemporaryFile() as log:
            url = f"http://127.0.0.1:{api.port}"
            subprocess.run([sys.executable, "-c", EXIT, url, log.name], check=True, timeout=30)
            self.assertIn(b"not sent: counts", log.read())

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
    def test_a_child_of_multiprocessing_sends_what_it_reported_on_a_job_of_its_own(self):
        api = self.api((lambda: time.sleep(0.1) or 200))
        child = multiprocessing.get_context("fork").Process(target=lambda: api.client().resume("job_1").add(1))
        child.start()
        child.join()
        # The first report is the one by which it resumes the job.
        self.assertEqual(api.bodies, [{}, {"processed_delta": 1}])

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
    def test_sigterm_ends_the_worker_of_a_pool_at_once(self):
        api = self.api()

        def work():
            api.client().resume("job_1")
            os._exit(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)

        child = multiprocessing.get_context("fork").Process(target=work, daemon=True)
        child.start()
        child.join()
        self.assertEqual(child.exitcode, 0)

    def test_a_job_whose_thread_cannot_start_says_so_when_it_is_opened(self):
        api = self.api()
        no_thread = mock.Mock(Thread=mock.Mock(side_effect=RuntimeError("can't start new thread")))
        with mock.patch("milepost._sender.threading", no_thread), self.assertRaises(RuntimeError):
            api.client().job("import")

    def test_the_job_of_a_repeated_key_is_gone_on_with_as_it_is_now(self):
        api = self.api()
        api.create_headers = {"Idempotency-Replayed": "true"}
        api.job["processed_items"] = 4
        job = api.client().job("import", idempotency_key="monday")
        self.assertEqual(api.bodies, [{}])
        self.assertEqual(job.state["processed_items"], 4)
        api.answers = [(409, {"Job-Status": "completed"}, {"detail": "Job is completed"})]
        with self.assertRaises(milepost.JobClosed):
            api.client().job("import", idempotency_key="monday")

    def test_creating_says_clearly_why_it_cannot(self):
        with self.assertRaisesRegex(milepost.Unreachable, "127.0.0.1:9 gave no answer"):
            milepost.Client("http://127.0.0.1:9", "mp_secret", give_up_after=0.1).job("import")
        with self.assertRaisesRegex(ValueError, "MILEPOST_URL"):
            milepost.Client("", "mp_secret")
        for url in ["http://", "http://exa mple.com", "http://127.0.0.1:9?x=1", "127.0.0.1:9"]:
            with self.assertRaisesRegex(ValueError, "MILEPOST_URL"):
                milepost.Client(url, "mp_secret")
        for option in ["reports_per_second", "give_up_after", "attempt_timeout"]:
            with self.assertRaisesRegex(ValueError, option):
                milepost.Client("http://127.0.0.1:9", "mp_secret", **{option: 0})
        with self.assertRaisesRegex(ValueError, "organization"):
            milepost.Client("http://127.0.0.1:9", "mp_secret", organization="a\nb")
        with self.assertRaisesRegex(ValueError, "Idempotency-Key"):
            milepost.Client("http://127.0.0.1:9", "mp_secret").job("import", idempotency_key="a\nb")
        with self.assertRaisesRegex(ValueError, "MILEPOST_API_KEY") as raised:
            milepost.Client("http://127.0.0.1:9", "mp\nsecret")
        self.assertNotIn("secret", str(raised.exception))


EXIT = """
import milepost, logging, sys
logging.basicConfig(filename=sys.argv[2], filemode="w")
milepost.Client(sys.argv[1], "mp_secret", give_up_after=0.1).job("import").add(1)
"""


def wait_for(condition):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
    return False


if __name__ == "__main__":
    unittest.main()
