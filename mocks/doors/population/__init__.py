"""The population database (Cơ sở dữ liệu quốc gia về dân cư), contract variant P1. What it leaves out: LIMITS.md."""
