"""What was run: lists, differences, reports, removal."""
