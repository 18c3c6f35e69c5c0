"""What every service stands on: events, keys, rules, money, days and the wire."""
