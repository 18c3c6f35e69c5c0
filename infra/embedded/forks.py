"""To be imported before grpc by whoever starts a stack: `import infra.embedded.forks`.

grpc prepares itself for children that go on using it, and its threads in such a child fail
while the child is on its way to become another program: one start in fifteen is lost. Our
children always become other programs, so grpc is told to leave forks alone. It reads this once,
when it is first imported.
"""

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
