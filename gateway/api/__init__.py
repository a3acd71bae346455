"""The REST surface, v1. Modules here parse, call and answer; what is decided is decided below them."""
