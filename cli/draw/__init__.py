"""Draws of people for assessments: told as a file, and drawn again by anybody (抽取复核)."""

from cli.draw.commands import app

__all__ = ["app"]
