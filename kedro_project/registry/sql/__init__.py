"""GoogleSQL of what the registry reads: past forecasts beside what came."""
