"""What is agreed at each edge: the gateway's own vocabulary, and each partner's wire contract as data.

This package sends nothing and stores nothing.
"""
