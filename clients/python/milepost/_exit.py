"""What becomes of open jobs when the process exits, is terminated, or forks."""

import atexit
import contextlib
import importlib
import logging  # noqa: F401 - it registers its own end with `atexit`, which must come after ours
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from ._sender import Sender

_open: "set[Sender]" = set()
_is_holding = False
_is_held = False
#: The child process that flushes when it ends.
_flushing_pid: Optional[int] = None


class Terminated(SystemExit):
    """Raised in the main thread by SIGTERM, so that `with` blocks end and the interpreter exits in order."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


def watch(sender: "Sender") -> None:
    """
    Takes care of a sender until `forget`. SIGTERM would end the process without a word, so it is made an exception, where
    nobody else handles it. Only the main thread can.
    """
    _open.add(sender)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and not _is_daemonic() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def forget(sender: "Sender") -> None:
    _open.discard(sender)


def _terminate(_signal: int, _frame: Any) -> None:
    global _is_holding, _is_held
    if _is_holding:
        # A second one is not held.
        _is_holding, _is_held = False, True
    elif _open:
        raise Terminated
    else:
        # No job is open, so this is none of our business.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def holding_sigterm() -> Iterator[None]:
    """Lets the last report of a job go out first: the work is done, and interrupting now would lose that."""
    global _is_holding, _is_held
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _is_holding = True
    try:
        yield
    finally:
        _is_holding = False
    if _is_held:
        _is_held = False
        raise Terminated


def flush_in_child() -> None:
    """Has a child of multiprocessing flush when it ends: `atexit` runs in spawned ones only."""
    global _flushing_pid
    process: Any = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or _flushing_pid == os.getpid():
        return
    _flushing_pid = os.getpid()
    util: Any = importlib.import_module("multiprocessing.util")
    util.Finalize(None, _flush, exitpriority=0)


def _is_daemonic() -> bool:
    """
    Whether it is a child that multiprocessing itself ends by SIGTERM, and then waits for, such as the worker of a pool. A
    handler written in Python does not run while the process waits for a lock, so the parent might wait for ever.
    """
    process: Any = sys.modules.get("multiprocessing.process")
    return process is not None and bool(process.current_process().daemon)


def _flush() -> None:
    began = time.monotonic()
    # The process is about to end anyway: SIGTERM need not say so.
    with contextlib.suppress(Terminated), holding_sigterm():
        for sender in list(_open):
            sender.leave(began)


def _begin_in_fork() -> None:
    if signal.getsignal(signal.SIGTERM) is _terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for sender in list(_open):
        sender.begin_in_fork()


atexit.register(_flush)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_fork)
