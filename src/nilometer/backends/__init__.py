"""The pantry: one file for each external system, found by URL scheme."""
