"""The hall: records, pipes, URLs and what all rooms share. Standard library only."""
