"""The console on a recording: its banner, its time line, and the keys that play it."""
