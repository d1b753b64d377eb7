"""What stands behind one row: pure pages of lines."""
