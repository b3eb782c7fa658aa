"""The box for other programs: HTTP under /api/v1, described by OpenAPI, opened by tokens with scopes."""
