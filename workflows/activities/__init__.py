"""What workflows ask of the outside: one call to a service an activity, safe to repeat.

An activity translates and nothing else: names are those of the services' methods, messages are
small dataclasses, and a failed call becomes the failure that `workflows.timing` names.
"""
