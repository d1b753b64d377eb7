"""What must hold in a drill. Each judgement looks at the evidence and returns its checks."""

from collections.abc import Sequence

from mds_engine.control import events
from mds_engine.drills.evidence import Evidence
from mds_engine.drills.scorecard import Check, at_least, at_most, exactly
from mds_engine.drills.traffic import quantile_ms

_SETTLE_S = 0.15
"""A request that left before a breaker opened may arrive this much after it."""


def no_call_failed(evidence: Evidence) -> Sequence[Check]:
    """While one healthy source serves the route, no call fails."""
    return (
        at_least("calls made", len(evidence.traffic.calls), 1),
        exactly("calls failed", len(evidence.traffic.failures), 0),
    )


def failed_over(evidence: Evidence) -> Sequence[Check]:
    """The route moved off the primary, and said so."""
    moves = [
        event
        for event in evidence.of(events.FailedOver)
        if event.route == evidence.route and event.before == evidence.primary
    ]
    took_ms = moves[0].took_ms if moves else float("nan")
    return (
        at_least("failovers told", len(moves), 1),
        at_most("first failover", took_ms, evidence.timeout_s * 1000 + 500, "ms"),
    )


def dead_source_left_alone(evidence: Evidence) -> Sequence[Check]:
    """Once the breaker is open, nothing but its probes reaches the dead source, by the simulator's count."""
    spans = list(evidence.open_spans())
    in_fault = [entry for entry in evidence.wire if evidence.fault_at <= entry.at < evidence.cleared_at]
    first = min((start for start, _ in spans), default=None)
    after = [] if first is None else [entry for entry in in_fault if entry.at > first + _SETTLE_S]
    half_open = [
        event
        for event in evidence.of(events.BreakerHalfOpened)
        if event.source == evidence.primary and event.at < evidence.cleared_at
    ]
    return (
        at_least("breaker openings", len(spans), 1),
        at_most("requests after it opened, beyond its probes", max(0, len(after) - len(half_open)), 0),
    )


def recovered(evidence: Evidence) -> Sequence[Check]:
    """Recovery is noticed within two check intervals."""
    noticed = [
        event.at
        for event in evidence.events
        if isinstance(event, events.SourceRecovered | events.BreakerClosed)
        and event.source == evidence.primary
        and event.at >= evidence.cleared_at
    ]
    waited_s = noticed[0] - evidence.cleared_at if noticed else float("inf")
    return (at_most("recovery noticed after", waited_s, 2 * evidence.check_interval_s, "s"),)


def hanging_costs_one_timeout(evidence: Evidence) -> Sequence[Check]:
    """Until its breaker opens each call pays one attempt's timeout, and nothing after."""
    opened = evidence.first_opened_at() or evidence.cleared_at
    healthy_ms = quantile_ms(evidence.traffic.between(0.0, evidence.fault_at), 0.99) or 0.0
    before = evidence.traffic.between(evidence.fault_at, opened)
    after = evidence.traffic.between(opened + _SETTLE_S, evidence.cleared_at)
    timeout_ms = evidence.timeout_s * 1000
    slack_ms = max(200.0, 5 * healthy_ms)
    return (
        at_most("slowest call until it opened", quantile_ms(before, 1.0) or 0.0, timeout_ms + slack_ms, "ms"),
        at_least("calls after it opened", len(after), 1),
        at_most("p90 of calls after it opened", quantile_ms(after, 0.9) or 0.0, slack_ms, "ms"),
    )


def breakers_stayed_closed(evidence: Evidence) -> Sequence[Check]:
    """A throttle, a spent quota, a login or a caller's mistake is no illness."""
    return (exactly("breakers opened", len(evidence.of(events.BreakerOpened)), 0),)


def backup_served(evidence: Evidence) -> Sequence[Check]:
    """Calls in the fault were answered by the backup."""
    calls = evidence.traffic.between(evidence.fault_at + 0.2, evidence.cleared_at)
    return (at_least("calls answered by the backup", sum(c.source == evidence.backup for c in calls), 1),)


def throttle_was_obeyed(evidence: Evidence) -> Sequence[Check]:
    """After the vendor said "not for an hour", nothing more was sent to it."""
    told = evidence.of(events.Throttled)
    first = told[0].at if told else float("inf")
    late = [entry for entry in evidence.wire if entry.at > first + _SETTLE_S]
    return (
        at_least("throttles told", len(told), 1),
        exactly("requests after the vendor said to wait", len(late), 0),
    )


def login_was_asked_for(evidence: Evidence) -> Sequence[Check]:
    """The operator was told that a login is needed, once."""
    return (exactly("logins asked for", len(evidence.of(events.LoginNeeded)), 1),)


def quota_was_noticed(evidence: Evidence) -> Sequence[Check]:
    """The spent plan was told once, and nothing more was sent to it."""
    told = evidence.of(events.QuotaSpent)
    first = told[0].at if told else float("inf")
    late = [entry for entry in evidence.wire if entry.at > first + _SETTLE_S]
    return (
        exactly("spent quotas told", len(told), 1),
        exactly("requests after the quota was spent", len(late), 0),
    )


def few_switches(evidence: Evidence) -> Sequence[Check]:
    """A source that comes and goes does not drag the route along."""
    moves = len(evidence.of(events.FailedOver)) + len(evidence.of(events.FailedBack))
    return (at_most("switches of the route", moves, 4),)


def primary_kept(evidence: Evidence) -> Sequence[Check]:
    """Good calls beside the bad ones stayed with the primary."""
    good = [call for call in evidence.traffic.calls if not call.expected_to_fail]
    bad = [call for call in evidence.traffic.calls if call.expected_to_fail]
    return (
        at_least("calls for unknown instruments", len(bad), 1),
        exactly("of them answered", sum(call.error is None for call in bad), 0),
        exactly("good calls not answered by the primary", sum(c.source != evidence.primary for c in good), 0),
    )


def every_attempt_was_named(evidence: Evidence) -> Sequence[Check]:
    """With all down, each error names every source."""
    errors = evidence.traffic.total_failures
    nameless = [
        error for error in errors if {step.source for step in error.decision.steps} != set(evidence.sources)
    ]
    return (
        at_least("calls that failed", len(errors), 1),
        exactly("errors that do not name every source", len(nameless), 0),
    )


def errors_came_in_time(evidence: Evidence) -> Sequence[Check]:
    """With all down, the error comes before the deadline."""
    slowest_ms = max((call.took_ms for call in evidence.traffic.calls), default=0.0)
    return (at_most("slowest call", slowest_ms, evidence.deadline_s * 1000, "ms"),)
