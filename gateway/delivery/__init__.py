"""Durable delivery: what was accepted is carried out once, in order, whatever is killed on the way."""
