"""The event of a letter, bound to its message: for the codec of every service that writes some."""

from ltci.letters.v1 import events_pb2 as pb

from kernel.letters.issued import LetterIssued

LETTER = (LetterIssued, pb.LetterIssued)
TYPE = f"{pb.LetterIssued.DESCRIPTOR.full_name}/1"
