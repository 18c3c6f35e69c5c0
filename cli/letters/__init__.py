"""Letters shown and printed: a person's list (`ltci letters`), and one of them (`ltci letter`)."""
