"""What a runnable dossier carries beside the rules: it makes a case's decisions again (重算).

Copied into the dossier as it is, so it needs nothing of the command line, no database and no
network. Modules here name each other relatively, because the package stands at the top there.
"""
