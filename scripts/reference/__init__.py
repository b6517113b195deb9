"""Pages of docs/reference, made from the types and tables of the package: a module per kind of page."""
