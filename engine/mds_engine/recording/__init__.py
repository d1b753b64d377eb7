"""Raw frames of live streams: written as they come, read back, and played again through an engine."""
