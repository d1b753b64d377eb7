"""Ports on loopback."""

import socket


def bound_socket(port: int) -> socket.socket:
    """A socket bound to 127.0.0.1, not listening yet; port 0 lets the system choose. Raises OSError."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound
