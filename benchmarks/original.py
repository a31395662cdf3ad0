"""What the original does, to compare with; and how many times better ours should be."""

from dataclasses import dataclass

#: vantage6 3.11.1 and 4.15.2 on a machine with 2 cores, one uwsgi worker with gevent as their
#: own start script has it, log level WARNING, a new connection per request: requests per second.
#: By name of the measurement: 3.11.1 on SQLite and PostgreSQL, 4.15.2 on SQLite and PostgreSQL.
PER_SECOND = {
    "GET version": (2490, 2190, 2140, 2280),
    "GET rule/1": (106, 61, 79.4, 64.2),
    "login user": (4.15, 4.19, 4.22, 4.08),
    "login node, last of 10": (0.42, 0.44, 0.41, 0.43),
    "login node, last of 100": (0.04, 0.04, 0.04, 0.04),
    "GET version while 8 users log in": (0.5, 0.53, 0.52, 0.53),
    "GET organization (11 in list)": (19, 15.6, 65.8, 55.4),
    "GET organization/<id>": (46.7, 48, 69, 68.2),
    "POST task, 2 organizations, 1 client": (20.1, 26.8, 20.7, 23.9),
    "POST task, 2 organizations": (19.9, 25.2, 19.7, 22.2),
    "POST task, 10 organizations": (9.32, 8.03, 9.52, 10.8),
    "POST task, 100 organizations, 1 client": (1.12, 0.89, 1.21, 1.67),
    "POST task, 100 organizations": (1.12, 1.12, 1.31, 1.79),
    "PATCH result, 1 kB": (43.3, 41.9, 46, 47.9),
    "PATCH result, 1 MB": (29.2, 16.7, 29.1, 20.9),
    "PATCH result, 10 MB": (5.31, 3.25, 9.48, 4.12),
    "GET results of a task, 10 x 1 MB": (4.35, 4.01, 7.36, 8.42),
    "GET task page of 20, 1k tasks": (25.4, 15.6, 21.3, 13.8),
    "GET task page of 20, 10k tasks": (9.53, 6.4, 7.8, 6.25),
    "GET task page of 20, 50k tasks": (2.68, 2.04, 1.88, 1.6),
    "GET task page of 20 with results, 10k tasks": (2.77, 2.09, 7.61, 4.6),
    "GET result page of 20, 50k tasks": (3.72, 2.6, 8.22, 5.77),
    "node sync, 1k tasks": (48.6, 37.6, 49, 36.4),
    "node sync, 50k tasks": (1.64, 1.68, 2.28, 1.8),
    "GET organization/<id>, 50k tasks": (1.21, 1.07, 64.9, 46.5),
    "GET organization list, 50k tasks": (0.54, 0.48, 48.9, 42.5),
    "POST task, 2 organizations, 50k tasks": (12.3, 11.4, 19.8, 13.9),
}
#: Memory of all processes of the 3.11.1 server in MiB, shared pages counted in parts.
MEMORY_AT_REST, MEMORY_AFTER_LARGE_RESULTS = 130, 228

#: How many times the requests per second of 3.11.1 are wanted, by the start of the name; the
#: longest start that fits counts.
WANTED = {
    "GET rule": 10,
    "GET organization": 10,
    "GET results of a task": 5,
    "POST task": 10,
    "POST task, 100": 30,
    "PATCH result": 10,
    "PATCH result, 10 MB": 5,
    "GET task page of 20, 50k": 100,
    "GET result page of 20, 50k": 100,
    "node sync, 50k": 100,
    "GET organization/<id>, 50k": 100,
    "GET organization list, 50k": 100,
}
#: A request should take at most this many times what it takes at 1,000 tasks, at ten nodes, or
#: while nobody logs in.
GROWTH = 1.2


@dataclass(frozen=True)
class Original:
    """What to hold a measurement against."""

    per_second: float | None
    #: The same of 4.15.2.
    per_second_4: float | None
    wanted: float | None


def of(name: str, engine: str) -> Original:
    """Return what to hold a measurement on SQLite or PostgreSQL against."""
    column = ("SQLite", "PostgreSQL").index(engine)
    if name not in PER_SECOND:
        return Original(None, None, None)
    found = PER_SECOND[name]
    start = max((start for start in WANTED if name.startswith(start)), key=len, default="")
    return Original(found[column], found[column + 2], WANTED.get(start))
