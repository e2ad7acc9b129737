"""The room of events: what comes over a bus or HTTP is read, kept, counted and told on."""
