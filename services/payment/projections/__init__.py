"""Read models of payment: opaque ids, days and amounts, no personal data."""
