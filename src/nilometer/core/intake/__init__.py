"""Taking messages from buses: read, kept by somebody, settled then; each once. What rooms that listen to a bus share."""
