"""The demo: forty-nine people in two cities, two years in two minutes, on the real stack."""
