"""The use cases of designated care: where rules, store and deciders meet."""
