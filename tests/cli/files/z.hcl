bad {
