"""What backends are made of: streams, datagrams, texts. No backend in here."""
