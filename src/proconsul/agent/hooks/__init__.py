"""Programs run because something happened: watches, remote execution, events."""
