"""Designated care: providers, caregivers, plans, visits, and whether a visit counts (定点服务)."""
