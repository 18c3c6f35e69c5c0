from tests.support.temporal import dev_server, skipping, town, town_with_traces

__all__ = ["dev_server", "skipping", "town", "town_with_traces"]
