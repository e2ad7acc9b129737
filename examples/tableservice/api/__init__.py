"""The HTTP interface, with the addresses and bodies of MagnetoDB's; a file for each part of it."""
