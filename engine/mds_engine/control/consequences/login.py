"""What a login will do, in sentences."""

from mds_engine.control.snapshot import Snapshot, SourceState, SourceView


def log_in(source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    """What becomes of what the operator brings, and of the routes that wait for it."""
    login = source.login
    if login is None:
        return (f"{source.name} has no login that ends; nothing changes.",)
    sentences = [f"What you bring is exchanged at the vendor, and {source.name} goes on with what it gives."]
    if not login.needed and login.expires_in_s is not None and login.expires_in_s > 0:
        sentences.append("It is logged in already; the new login takes the place of the old one.")
    if source.state is SourceState.LOGIN:
        first = [route.key for route in snapshot.routes if route.sources[:1] == (source.name,)]
        if first:
            sentences.append(f"It is the primary of {', '.join(first)}, and takes them when it is well.")
    elif source.stream is not None and source.stream.connections:
        sentences.append("Its live streams move to new connections; nothing is lost.")
    if not login.lasts:
        sentences.append("A login of now ends before its exchange opens: another one will be needed by then.")
    if not source.enabled:
        sentences.append(f"{source.name} is out of service, and stays so.")
    return tuple(sentences)
