"""Whether there is still somebody to look at the screen."""

import select
import sys


def terminal_is_gone() -> bool:
    """True when standard input is a terminal that hung up."""
    stdin = sys.__stdin__
    if stdin is None or stdin.closed:
        return False
    poll = select.poll()
    poll.register(stdin.fileno(), select.POLLHUP)
    return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in poll.poll(0))
