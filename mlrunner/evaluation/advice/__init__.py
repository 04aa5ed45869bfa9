"""What a good colleague would say about a table and its scores: one short sentence each, never a refusal."""
