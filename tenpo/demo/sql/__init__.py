"""GoogleSQL of the demo's proof: what each hop holds."""
