"""Durable processes on Temporal: they wait, remind and call; services decide."""

TASK_QUEUE = "ltci"
