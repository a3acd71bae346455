"""What the OpenAPI document says of each operation beyond its address: one module for each part of the API."""
