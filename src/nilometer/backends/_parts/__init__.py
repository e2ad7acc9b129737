"""What backends are made of: options, streams, datagrams, texts. No backend in here."""
