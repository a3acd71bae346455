"""Resilience: one pipeline per system, made of small parts whose decisions are values."""
