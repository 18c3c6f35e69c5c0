"""The use cases of enrollment: where rules, events and streams meet."""
