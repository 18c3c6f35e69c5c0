"""Detectors of what looks wrong (风险筛查): versioned rules over the event log."""
