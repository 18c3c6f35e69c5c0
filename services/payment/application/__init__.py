"""The use cases of payment: where rules, facts, events and streams meet."""
