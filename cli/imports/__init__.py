"""Imports of CSV files: `ltci import`, and the same for programs."""

from cli.imports.command import app
from cli.imports.progress import ImportProgress, ImportReport
from cli.imports.run import ImportStopped, run_import

__all__ = ["ImportProgress", "ImportReport", "ImportStopped", "app", "run_import"]
