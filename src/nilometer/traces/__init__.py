"""A room: what is made of traces that were kept: trees, reports, comparisons; and what is kept of those that come in."""
