"""The National Public Service Portal: dossiers and their progress come up from the units. See LIMITS.md."""
