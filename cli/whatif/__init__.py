"""What would come out under other rules (政策测算): decisions made again under a draft pack.

Nothing is written anywhere: recorded facts are read, pure rules are run, results are compared.
The same machinery runs under the packs that the decisions pin; that must change nothing, and
this zero check stands beside every result.
"""
