"""Decisions told to people: one of them (`ltci explain`), or a whole case (`ltci dossier`)."""
