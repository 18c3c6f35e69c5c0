"""The wire: servers, channels, errors, pages and checks that every service shares."""
