"""One module a resource: routes check who asks, call a query, and answer. No SQL here."""
