"""The org's HTTP face: OAuth, REST, composite and collections. State lives elsewhere; this package speaks the wire format."""
