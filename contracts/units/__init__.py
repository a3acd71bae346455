"""Administrative units of Viet Nam as data: today's, those before 1 July 2025, and the prefixes of identity numbers."""
