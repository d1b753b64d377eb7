"""The console in a browser: one engine, and a process for each tab that is attached to it."""
