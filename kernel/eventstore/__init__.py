"""The memory of a service: an append-only log of events in PostgreSQL.

What it promises, each with a test in `tests/store`:

* an acknowledged append is durable;
* an append is kept whole or not at all, over all its streams;
* a stream is at the version its writer expected, or the append is refused;
* the same request id gives the first answer, other content under it is refused;
* positions have no gaps, and time of recording never runs backwards;
* what was known at a moment is the log up to one position, and can be read as it was;
* every reader sees every event once, in one order, however many write;
* nothing can be updated or deleted, and each stream's hash chain shows what was tampered with;
* a reader learns when history was replaced by another;
* all this holds through lost connections and restarts of the database.
"""
