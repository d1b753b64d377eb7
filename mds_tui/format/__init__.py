"""Values to words and cells: pure functions, no widget in sight."""
