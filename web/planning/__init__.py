"""Planning: what the history says of the free places of a municipality, as pages and files."""
