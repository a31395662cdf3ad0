"""Importing the server makes and starts nothing: what it keeps belongs to what is made later."""

import subprocess
import sys

#: Modules that another program reads, such as gunicorn, and that are what they make.
ENTRIES = ("vantage6.api.http.gunicorn_settings", "vantage6.workers.run", "vantage6.workers.flower")

SEARCH = """
import importlib, pkgutil, sys, threading
from concurrent.futures import Executor

import argon2

hashed = []
argon2.PasswordHasher.hash = lambda *_, **__: hashed.append(1)
KINDS = (type(threading.Lock()), type(threading.RLock()), threading.Thread, Executor)
FILLED_LATER = (list, dict, set)

for name in ("api", "broker", "models", "server", "workers"):
    package = importlib.import_module(f"vantage6.{name}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if found.name not in sys.argv[1:] and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
for name, module in sorted(sys.modules.items()):
    if not name.startswith("vantage6."):
        continue
    for key, value in vars(module).items():
        is_empty = type(value) in FILLED_LATER and not value and not key.startswith("__")
        if isinstance(value, KINDS) or is_empty:
            print(f"{name}.{key} is a {type(value).__name__}")
print(f"threads: {threading.active_count()}, hashes: {len(hashed)}")
"""


def test_a_module_holds_no_lock_no_thread_and_nothing_to_be_filled():
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, *ENTRIES], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["threads: 1, hashes: 0"]
