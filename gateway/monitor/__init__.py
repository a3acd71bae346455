"""What the operator sees: metrics and logs. Neither ever holds anything that could identify a person."""
