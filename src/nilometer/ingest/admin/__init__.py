"""What may be asked of a running server, and the interface on TCP through which it is asked."""
